"""`pull [TARGET ...]`: what further stores have of a configuration, put into the store."""

import argparse
from pathlib import Path

from ledger.cli.places import add_configuration
from ledger.cli.printing import complain, tell
from ledger.environments.interpreters import Interpreters
from ledger.errors import InputError
from ledger.jobs.job import RESULTS
from ledger.jobs.planner import Planner
from ledger.jobs.targets import find_in
from ledger.remote.ahead import look_ahead
from ledger.remote.through import StoreThrough
from ledger.run.talk import Talk
from ledger.store.roots import register
from ledger.words import plural


def add(verbs) -> None:
    """Add the verb to the command line."""
    pull = verbs.add_parser(
        "pull",
        help="fetch what further stores have into the store",
        description="Put into the store what further ones have of a configuration's results and of "
        "all that they rest on, as a run would; computes nothing and touches no results. Give the "
        "configuration as you would give it to snakemake.",
    )
    pull.add_argument(
        "targets",
        metavar="TARGET",
        nargs="*",
        help="a job, a manifest, any file in results, or a digest (default: everything)",
    )
    add_configuration(pull, "config.yaml")
    pull.set_defaults(verb=_pull)


def _pull(options: argparse.Namespace) -> int:
    workflow = options.application.configured(options.configfile, options.config)
    if not workflow.further:
        raise InputError("the configuration names no further store to fetch from, see `store`")
    planner = Planner(workflow, read_only=True)
    targets = [find_in(workflow, target) for target in options.targets]
    plans = planner.behind(targets or workflow.jobs)
    store = StoreThrough.of(workflow)
    warnings: list[str] = []
    ahead = look_ahead(plans, Interpreters(workflow).fingerprint, store, warnings.append)
    # Before anything comes, lest `gc` take it away again.
    Path(RESULTS).mkdir(exist_ok=True)
    register(store, Path(RESULTS), pulled=ahead.keys.values(), is_all=not options.targets)
    size = sum(output.bytes for output in store.lacking(ahead.found.values()))
    with Talk("pull").progress(size, "B") as bar:
        brought = store.bring(ahead.found, warnings.append, bar.update)
    for warning in warnings:
        complain(f"warning: {warning}")
    here = len([key for key in ahead.keys.values() if store.whole(key)])
    tell(
        f"{store.root}: has {here} of {plural(len(plans), 'job')} now, "
        f"{len(brought)} of them fetched ({size / 1e6:.1f} MB)."
    )
    return int(bool(warnings))
