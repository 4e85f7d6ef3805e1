"""Jobs: a stage with its parameters, what it reads and what it makes."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

RESULTS = "results"

RUNNING = "running"
"""In place of an interpreter's name: the one that runs Snakemake. Where a workflow has no other
environment, this one is called so, too."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job: a stage with its parameters, and where its inputs come from.

    Attributes
    ----------
    name : unique in the workflow; also the job's directory below `results`, but for final tables.
    stage : what kind of job it is, in a word.
    module : dotted name of the module with the stage's code, in its function `run`; see
        `ledger.context`.
    outputs : names of the files it makes.
    params : plain JSON values.
    inputs : role -> (job, file) for an artifact, or a path for a raw file.
    describes : the environments whose pins, variables and threads are a parameter of the job.
    cites : the raw files whose names and digests are a parameter of the job.
    packages : the distributions beside the numerical ones whose version its results depend on.
    environment : the name of the one that it runs in.
    device : what it may compute on: ``cpu``, ``cuda``, or ``auto`` for a GPU where there is one.
    beside : whether its files lie in the directory above, beside those of other jobs, as those of
        a final table do; its name then ends with the stage's.
    """

    name: str
    stage: str
    module: str
    outputs: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)
    environment: str = RUNNING
    inputs: dict[str, tuple[str, str] | str] = field(default_factory=dict)
    describes: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    device: str = "cpu"
    beside: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the job makes a table that lies directly in `results`."""
        return self.name == self.stage

    @cached_property
    def needs(self) -> list[str]:
        """The names of the jobs that it reads from, sorted."""
        return sorted({o[0] for o in self.inputs.values() if not isinstance(o, str)})

    @property
    def directory(self) -> str:
        """Where the outputs go."""
        return self._start.rstrip("/")

    def path(self, file: str) -> str:
        """The path of one of the outputs."""
        return f"{self._start}{file}"

    @property
    def manifest(self) -> str:
        """The manifest's path; jobs that share a directory have the stage's name in theirs."""
        return self.path(f"{self.stage}.manifest.json" if self._has_company else "manifest.json")

    @property
    def _has_company(self) -> bool:
        return self.is_final or self.beside

    @property
    def _start(self) -> str:
        """What the paths of its files begin with, also where the name is a pattern."""
        own = f"{RESULTS}/{self.name}"
        return own.removesuffix(self.stage) if self._has_company else f"{own}/"
