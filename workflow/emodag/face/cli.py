"""The command line: `python -m emodag VERB`."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from emodag.errors import EmodagError
from emodag.face import cost, diff, environment, gc, lineage, pack, verify, why

if TYPE_CHECKING:
    from emodag.provenance.plan import Environment


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and carry it out; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        status = options.verb(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; nor shall the exit flush reach it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (EmodagError, OSError) as error:
        print(f"emodag: error: {error}", file=sys.stderr)
        return 1
    return status


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emodag", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    run = verbs.add_parser(
        "run",
        help="run one planned job, from the store if its result is known",
        description="Run one planned job. Snakemake's rules call this; plans lie in results/.plan.",
    )
    run.add_argument("plan", type=Path, metavar="PLAN", help="the job's plan file")
    run.add_argument("--log", type=Path, metavar="FILE", help="write the job's lines here too")
    run.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        default=os.environ.get("EMODAG_STORE") or ".emodag/store",
        help="the store (default: EMODAG_STORE, else .emodag/store)",
    )
    run.add_argument(
        "--checkpoint-every",
        type=_positive,
        metavar="N",
        default=os.environ.get("EMODAG_CHECKPOINT_EVERY", "10"),
        help="epochs between a fit's checkpoints (default: EMODAG_CHECKPOINT_EVERY, else 10)",
    )
    run.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        default=1,
        help="threads for work whose bits do not depend on their number (default: 1)",
    )
    run.set_defaults(verb=_run)

    for verb in (why, lineage, verify, diff, cost, pack, gc, environment):
        verb.add(verbs)

    config = verbs.add_parser(
        "config",
        help="print the default configuration, commented, its JSON schema or its reference",
        description="Print what config.yaml, workflow/schemas/config.schema.json and "
        "docs/configuration.md must hold.",
    )
    printed = config.add_mutually_exclusive_group()
    printed.add_argument("--schema", action="store_true", help="print the JSON schema instead")
    printed.add_argument("--reference", action="store_true", help="print the reference instead")
    config.set_defaults(verb=_config)
    return parser


def _positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, found {text!r}")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    from emodag.provenance.plan import read_plan
    from emodag.provenance.runner import run
    from emodag.provenance.store import Store, explain
    from emodag.provenance.talk import Talk

    plan = read_plan(options.plan)
    _enter(plan.environment)
    talk = Talk(plan.job, options.log)
    try:
        run(
            plan,
            Store(Path(options.store)),
            talk,
            checkpoint_every=options.checkpoint_every,
            workers=options.workers,
        )
    except EmodagError as error:
        talk.error(str(error))
        return 1
    except OSError as error:
        talk.error(str(explain(error, Path(plan.directory))))
        return 1
    except ImportError as error:
        if (error.name or "").partition(".")[0] == __package__.partition(".")[0]:
            raise
        talk.error(
            f"the environment {plan.environment.name!r} is damaged ({error}). Delete {sys.prefix} "
            "and run the same command again; `make setup` builds a .venv anew."
        )
        return 1
    return 0


def _enter(environment: "Environment") -> None:
    """Start anew with the environment's interpreter and variables, where these are not yet so.

    Some variables are read when a process or a library starts; setting them later is too late.
    """
    from emodag.provenance.plan import INTERPRETERS

    variables = environment.variables
    pythons = json.loads(os.environ.get(INTERPRETERS, "{}"))
    python = pythons.get(environment.name, sys.executable)
    is_running = Path(python).parents[1].samefile(sys.prefix)
    if is_running and all(os.environ.get(name) == value for name, value in variables.items()):
        return
    os.execve(python, [python, *sys.orig_argv[1:]], {**os.environ, **variables})


def _config(options: argparse.Namespace) -> int:
    from emodag.face.config_file import default_yaml, json_schema
    from emodag.face.config_reference import reference

    made = json_schema if options.schema else reference if options.reference else default_yaml
    print(made(), end="")
    return 0
