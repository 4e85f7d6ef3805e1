"""What the store has, put in place while Snakemake builds its DAG, so that no job is started."""

import os
from pathlib import Path

from ledger.called import store_variable
from ledger.environments.interpreters import Interpreters
from ledger.jobs.manifest import Manifest
from ledger.jobs.plan import Plan
from ledger.run import runner
from ledger.run.talk import Talk
from ledger.store.store import Store


class Restorer:
    """Takes the outputs of jobs from the store.

    The keys are those that the jobs would have on this machine: an artifact made elsewhere, with
    other instruction sets say, is left to a job that runs where its key is the same.
    """

    def __init__(self, interpreters: Interpreters) -> None:
        self._interpreters = interpreters

    def __call__(self, plan: Plan) -> Manifest | None:
        """The manifest of a job whose outputs the store had, None where it must be run."""
        live = self._interpreters.fingerprint(plan.environment)
        if live is None:
            return None
        talk = Talk(plan.job, Path(plan.directory) / f"{plan.stage}.log")
        return runner.restore(plan, Store(Path(os.environ[store_variable()])), talk, live)
