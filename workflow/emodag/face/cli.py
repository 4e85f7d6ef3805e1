"""The command line: `emodag VERB`, or `python -m emodag VERB`."""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn, TextIO

from emodag.errors import EmodagError, InputError
from emodag.face import (
    check,
    cost,
    diff,
    environment,
    export,
    gc,
    init,
    lineage,
    pack,
    predict,
    verify,
    why,
)
from emodag.face.places import asked_store
from emodag.face.printing import complain, drop, stand_in_for_closed_streams
from emodag.shown import shown

VERSION = "0.1.0"


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and carry it out; returns the exit status."""
    stand_in_for_closed_streams()
    failure = 1
    try:
        options = parser().parse_args(arguments)
        failure = options.failure
        status = options.verb(options)
    except SystemExit as asked:  # for help, or by a mistake
        status = asked.code
    except BrokenPipeError:
        status = 0
    except (EmodagError, OSError) as error:
        complain(f"error: {error}")
        status = failure
    except KeyboardInterrupt:  # ends as by the signal, without a traceback
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return _finish(status, failure)


def _finish(status: int, failure: int) -> int:
    """The exit status: `failure` where what was said could not be written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout)  # the reader, such as `head`, has seen enough
    except OSError as error:
        complain(f"error: standard output: {error.strerror}")
        drop(sys.stdout)
        status = failure
    try:
        sys.stderr.flush()
    except OSError:
        drop(sys.stderr)
    return status


class Parser(argparse.ArgumentParser):
    """A parser whose complaints, which quote the command line, steer no terminal."""

    def print_help(self, file: TextIO | None = None) -> None:
        (file or sys.stdout).write(self.format_help())  # argparse would hide that this failed

    def error(self, message: str) -> NoReturn:
        super().error(shown(message))


def parser() -> argparse.ArgumentParser:
    parser = Parser(prog="emodag", description=__doc__)
    parser.add_argument("--version", action="version", version=f"emodag {VERSION}")
    parser.set_defaults(failure=1)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    run = verbs.add_parser(
        "run",
        help="run one planned job, from the store if its result is known",
        description="Run a job as the current run of Snakemake has planned it. Snakemake's rules "
        "call this.",
    )
    run.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="the manifest that the job is to write"
    )
    run.add_argument("--log", type=Path, metavar="FILE", help="write the job's lines here too")
    run.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
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

    looking = (init, check, why, lineage, verify, diff, cost)
    for verb in (*looking, predict, export, pack, gc, environment):
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
    from emodag.forking import enter, stands_for, start_anew
    from emodag.provenance import turn
    from emodag.provenance.plan import RESULTS, read_plan
    from emodag.provenance.results import job_below
    from emodag.provenance.runner import run
    from emodag.provenance.store import Store, explain
    from emodag.provenance.talk import Talk

    run_name = turn.name() or turn.latest()
    if run_name is None or not options.manifest.is_relative_to(RESULTS):
        raise InputError(f"{options.manifest}: no run of Snakemake has planned to make this.")
    os.environ[turn.VARIABLE] = run_name  # so that it, too, gives way to a later run
    plan = read_plan(run_name, job_below(Path(RESULTS), options.manifest))
    store = options.store or asked_store() or ".emodag/store"
    enter(plan.environment)
    talk = Talk(plan.job, options.log)
    try:
        live = plan.environment.fingerprint()
        if not stands_for(live):
            start_anew(plan.environment, sys.executable, may_fork=False)
        run(
            plan,
            live,
            Store(Path(store)),
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


def _config(options: argparse.Namespace) -> int:
    from emodag.face.config_file import default_yaml, json_schema
    from emodag.face.config_reference import reference

    made = json_schema if options.schema else reference if options.reference else default_yaml
    print(made(), end="")
    return 0
