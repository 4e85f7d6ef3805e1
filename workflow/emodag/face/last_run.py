"""The chain that the results in this directory were made by, for the verbs that use its models."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from emodag.beginning import CONFIGURATION
from emodag.chain import Chain
from emodag.errors import InputError
from emodag.face.combined import combined
from emodag.face.config import Config
from emodag.job import Job
from emodag.person_count import counted
from emodag.planner import Planner, jobs
from emodag.provenance.closure import PACKAGE

ROOT = PACKAGE.parents[1]


@dataclass(frozen=True)
class LastRun:
    """The last run's configuration, its chain in the default environment, and further jobs.

    Raises
    ------
    InputError
        When there was no run.
    """

    config: Config
    chain: Chain
    jobs: Mapping[str, Job]
    planner: Planner

    @classmethod
    def read(cls, more: Callable[[Chain], Job] | None = None) -> "LastRun":
        """Of the results in the present directory; `more` makes one more job of the chain."""
        if not CONFIGURATION.is_file():
            raise InputError(f"{CONFIGURATION}: is not there; run `snakemake` first")
        config = counted(combined([CONFIGURATION], []), read_only=True)
        chain, found = Chain(config, config.environment), jobs(config)
        if more is not None:
            job = more(chain)
            found[job.name] = job
        return cls(config, chain, found, Planner(config, found, ROOT))

    def require(self, artifacts: Iterable[tuple[str, str] | str]) -> None:
        """See that artifacts, named as in a job's inputs, are of this configuration and code.

        Raises
        ------
        InputError
            Naming the first job whose artifacts are not.
        """
        for name in dict.fromkeys(a[0] for a in artifacts if not isinstance(a, str)):
            if self.planner.must_run(name):
                target = "submission" if "submission" in self.jobs else "scores"
                raise InputError(
                    f"{name}: is not finished, or code or data have changed since; run `snakemake "
                    f"-c{os.cpu_count()} results/{target}.csv --configfile {CONFIGURATION}` first"
                )
