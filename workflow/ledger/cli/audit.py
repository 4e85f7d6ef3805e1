"""`audit [TARGET ...]`: does computing finished jobs anew give what is recorded?"""

import argparse
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.cli.amounts import share
from ledger.cli.diff import apart_lines, change_line
from ledger.cli.places import add_configuration, add_store, store_path
from ledger.cli.printing import answer
from ledger.environments.interpreters import Interpreters
from ledger.errors import InputError
from ledger.jobs.planner import Planner
from ledger.jobs.targets import find_in
from ledger.jobs.workflow import Workflow
from ledger.run.talk import Talk
from ledger.snakemake.surroundings import prepare
from ledger.store.store import Store
from ledger.words import plural

if TYPE_CHECKING:
    from ledger.ask.audit import Audit, Verdict

CONFIGURATION = Path("results/configuration.yaml")


def add(verbs) -> None:
    """Add the verb to the command line."""
    audit = verbs.add_parser(
        "audit",
        help="compute a sample of the finished jobs anew, and compare with what is recorded",
        description="Compute a sample of the finished jobs anew, each in its environment and from "
        "its recorded inputs, and compare with what results and store say that it made. Works in "
        "the store's scratch and changes neither. Finds stages that do not repeat their bits, and "
        "records that are wrong or forged. Exit status 1 if anything is not as recorded.",
    )
    audit.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="jobs, manifests, files in results, or digests: draw from these and all that they "
        "rest on (default: from all jobs of the configuration)",
    )
    audit.add_argument(
        "--sample",
        type=share,
        default="5%",
        metavar="SHARE",
        help="the share of the jobs to compute, at least one job (default: 5%%)",
    )
    audit.add_argument(
        "--seed",
        type=int,
        default=secrets.randbelow(1_000_000),
        metavar="N",
        help="draws the sample (default: another one each time, which is told)",
    )
    add_configuration(audit, f"{CONFIGURATION}, else config.yaml")
    add_store(audit)
    audit.add_argument("--json", action="store_true", help="print JSON instead")
    audit.set_defaults(verb=_audit)


def _audit(options: argparse.Namespace) -> int:
    from ledger.ask.audit import audit

    workflow = _workflow(options)
    planner = Planner(workflow, read_only=True)
    plans = [planner.plan(name) for name in workflow.jobs]
    asked = planner.behind(find_in(workflow, target) for target in options.targets)
    interpreters = Interpreters(workflow)
    prepare(workflow)
    interpreters.export()
    found = audit(
        plans,
        {plan.job for plan in asked} or workflow.jobs,
        interpreters,
        Store(store_path(options, Path("results"))),
        share=options.sample,
        seed=options.seed,
        progress=Talk("audit").progress,
    )
    answer(options.json, _facts(found, options.seed), _lines(found, options.seed))
    if not found.verdicts:
        raise InputError("no job was computed anew; give the configuration of these results")
    return int(bool(found.wrong()))


def _workflow(options: argparse.Namespace) -> Workflow:
    """The workflow of the configuration that was asked for, else of that of the results."""
    files = options.configfile
    if not files and not options.config and CONFIGURATION.exists():
        files = [CONFIGURATION]
    return options.application.configured(files, options.config)


def _facts(found: "Audit", seed: int) -> dict:
    return {
        "seed": seed,
        "finished": found.finished,
        "computed": [verdict.job for verdict in found.verdicts],
        "wrong": list(map(vars, found.wrong())),
        "left_out": dict(found.left_out),
    }


def _lines(found: "Audit", seed: int) -> Iterator[str]:
    for verdict in found.wrong():
        yield f"DIFFERS {verdict.job} (stage {verdict.stage})"
        yield from (f"  {line}" for line in _verdict(verdict))
    for why, count in found.left_out.items():
        yield f"NOTE {plural(count, 'job')} left out: {why}"
    wrong, of = len(found.wrong()), plural(found.finished, "finished job")
    state = f"{wrong} not as recorded" if wrong else "all as recorded"
    yield f"{len(found.verdicts)} of {of} computed anew (seed {seed}): {state}."


def _verdict(verdict: "Verdict") -> Iterator[str]:
    for place, wrong in verdict.wrong.items():
        yield from f"{place}: {wrong}".split("\n")
    for file, distance in verdict.outputs.items():
        yield from (f"{file}: {line}" for line in apart_lines(distance))
    if verdict.is_repeated is False:
        yield (
            "two computations here differ from each other: the stage does not repeat its bits. "
            "Does it use a time, a generator without a seed, or threads that take turns?"
        )
    elif verdict.key:
        yield "two computations here agree. Suspected is what was not so then:"
    elif verdict.is_repeated:
        yield (
            "two computations here agree, and the environment is as it was: what is recorded is "
            "wrong or forged, or the stage reads what no key holds, such as the date or a file."
        )
    yield from (f"  {change_line(entry)}" for entry in verdict.key)
    if verdict.around and not verdict.key:
        yield "In no key, and not as it was then:"
        yield from (f"  {change_line(entry)}" for entry in verdict.around)
