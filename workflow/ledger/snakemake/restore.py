"""What stores have, put in place while Snakemake builds its DAG, so that no job is started."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from ledger.called import store_variable
from ledger.environments.interpreters import Interpreters
from ledger.jobs.freshness import Manifests
from ledger.jobs.manifest import Manifest
from ledger.jobs.plan import Plan
from ledger.remote.ahead import look_ahead
from ledger.remote.through import StoreThrough
from ledger.run import runner
from ledger.run.stores import store_here
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
        return runner.restore(plan, self._store, talk, live)

    def bring(self, plans: Sequence[Plan], manifests: Manifests) -> None:
        """Put into the store what further ones have of jobs, in a few batches for all of them."""
        if isinstance(self._store, StoreThrough) and plans:
            talk = Talk("store")
            live = self._interpreters.fingerprint
            get = manifests.__getitem__
            found = look_ahead(plans, live, self._store, talk.warn, get).found
            size = sum(output.bytes for output in self._store.lacking(found.values()))
            with talk.progress(size, "B") as bar:
                self._store.bring(found, talk.warn, bar.update)

    @cached_property
    def _store(self) -> Store:
        return store_here(Path(os.environ[store_variable()]))
