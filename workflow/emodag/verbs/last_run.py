"""The chain that the results in this directory were made by, for the verbs that use its models."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emodag.chain.chain import Chain
from emodag.chain.jobs import workflow_of
from emodag.chain.person_count import counted
from emodag.config.combined import combined
from emodag.config.sections import Config
from ledger.errors import InputError
from ledger.jobs.job import Job
from ledger.jobs.planner import Planner
from ledger.jobs.workflow import Workflow
from ledger.snakemake.beginning import CONFIGURATION


@dataclass(frozen=True)
class LastRun:
    """The last run's configuration, its chain in the default environment, all its jobs.

    Raises
    ------
    InputError
        When there was no run.
    """

    config: Config
    chain: Chain
    workflow: Workflow
    planner: Planner

    @classmethod
    def read(cls, more: Callable[[Chain], Job] | None = None) -> "LastRun":
        """Of the results in the present directory; `more` makes one more job of the chain."""
        if not CONFIGURATION.is_file():
            raise InputError(f"{CONFIGURATION}: is not there; run `snakemake` first")
        config = counted(combined([CONFIGURATION], []), read_only=True)
        chain = Chain(config, config.environment)
        workflow = workflow_of(config, *([more(chain)] if more else []))
        return cls(config, chain, workflow, Planner(workflow))

    def require(self, artifacts: Iterable[tuple[str, str] | str]) -> None:
        """See that artifacts, named as in a job's inputs, are of this configuration and code.

        Raises
        ------
        InputError
            Naming the first job whose artifacts are not.
        """
        for name in dict.fromkeys(a[0] for a in artifacts if not isinstance(a, str)):
            if self.planner.must_run(name):
                target = "submission" if "submission" in self.workflow.jobs else "scores"
                raise InputError(
                    f"{name}: is not finished, or code or data have changed since; run `snakemake "
                    f"-c{os.cpu_count()} results/{target}.csv --configfile {CONFIGURATION}` first"
                )
