"""`run`: run one planned job, from the store if its result is known."""

import argparse
import os
import sys
from pathlib import Path

from ledger import called
from ledger.errors import InputError, UserError
from ledger.jobs.job import RESULTS
from ledger.jobs.plan import read_plan
from ledger.jobs.results import job_of
from ledger.run import turn
from ledger.run.forking import enter, stands_for, start_anew
from ledger.run.runner import run
from ledger.run.stores import store_here
from ledger.run.talk import Talk
from ledger.store.place import asked_store
from ledger.store.store import explain


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    run = verbs.add_parser(
        "run",
        help="run one planned job, from the store if its result is known",
        description="Run a job as the current run of Snakemake has planned it. Snakemake's rules "
        "call this.",
    )
    run.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="the manifest that the job is to write"
    )
    # Without a file where a rule has no log.
    run.add_argument(
        "--log",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="write the job's lines here too",
    )
    run.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        help=f"the store (default: {called.store_variable()}, else {called.home()}/store)",
    )
    run.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        default=1,
        help="threads for work whose bits do not depend on their number (default: 1)",
    )
    run.set_defaults(verb=_run)


def _positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, found {text!r}")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    run_name = turn.name() or turn.latest()
    if run_name is None or not options.manifest.is_relative_to(RESULTS):
        raise InputError(f"{options.manifest}: no run of Snakemake has planned to make this.")
    os.environ[turn.VARIABLE] = run_name  # so that it, too, gives way to a later run
    plan = read_plan(run_name, job_of(options.manifest))
    store = options.store or asked_store() or called.home() / "store"
    enter(plan.environment)
    talk = Talk(plan.job, options.log)
    try:
        live = plan.environment.fingerprint()
        if not stands_for(live):
            start_anew(plan.environment, sys.executable, may_fork=False)
        run(
            plan,
            live,
            store_here(Path(store)),
            talk,
            checkpoint_every=int(os.environ.get("LEDGER_CHECKPOINT_EVERY", "10")),
            workers=options.workers,
        )
    except UserError as error:
        talk.error(str(error))
        return 1
    except OSError as error:
        talk.error(str(explain(error, Path(plan.directory))))
        return 1
    except ImportError as error:
        ours = (__package__.partition(".")[0], plan.module.partition(".")[0])
        if (error.name or "").partition(".")[0] in ours:
            raise
        talk.error(
            f"the environment {plan.environment.name!r} is damaged ({error}). Delete {sys.prefix} "
            "and run the same command again."
        )
        return 1
    return 0
