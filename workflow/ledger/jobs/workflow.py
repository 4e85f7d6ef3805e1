"""What this package must know of a workflow that uses it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ledger import called
from ledger.jobs.job import RUNNING, Job


@dataclass(frozen=True, kw_only=True)
class EnvironmentSettings:
    """An environment that jobs run in.

    Attributes
    ----------
    python : the interpreter to build a virtual environment with, ``built`` for the one that runs
        Snakemake; or ``running``, to take that itself.
    locks : hashed requirement files, relative to the workflow's root, that say what it holds.
    conda : conda's file for it, relative to the same, None where there is none.
    variables : to be set.
    threads : per job.
    """

    python: str = RUNNING
    locks: Sequence[str] = ()
    conda: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A workflow as it is configured.

    Attributes
    ----------
    jobs : every job by name, each after the jobs it needs.
    environments : by name, those that the jobs name.
    root : the directory that paths of environments are relative to.
    store : the store's path, relative to where it runs.
    further : stores that are read where that one has nothing; see `ledger.remote.address`.
    trusted : public keys, of which one must have signed what these have; see
        `ledger.remote.signing`.
    loaded : modules that take long to import, in the order in which jobs need them: each job is
        forked from a process that has them; those behind a ``--`` are for `Flow.run_fit` alone.
    text : the configuration in full, which is kept beside the results.
    finals : names of the files below the results that another configuration could have there, to be
        read; a part of one may be ``*``.
    listing : the path of a page on the results as a whole, which no job makes; it is taken away
        as soon as a job's outputs change.
    absent : why there is none of some results, by a part of the name that they would have.
    decider : the job whose outcome decides which jobs there are besides these, None where these are
        all. What rests on it is not made now: a run that has made it starts the same command again.
    """

    jobs: Mapping[str, Job]
    environments: Mapping[str, EnvironmentSettings] = field(
        default_factory=lambda: {RUNNING: EnvironmentSettings()}
    )
    root: Path = Path()
    store: str = field(default_factory=lambda: str(called.home() / "store"))
    further: Sequence[str] = ()
    trusted: Sequence[str] = ()
    loaded: Sequence[str] = ()
    text: str = ""
    finals: Sequence[str] = ()
    listing: str | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    decider: str | None = None

    def after_decider(self) -> set[str]:
        """The names of all jobs that rest on the decider, directly or not."""
        found = {self.decider}
        for job in self.jobs.values():  # each after those it needs
            if found.intersection(job.needs):
                found.add(job.name)
        return found - {self.decider}


@dataclass(frozen=True, kw_only=True)
class Application:
    """A workflow for the command line, where the configuration is yet to be read.

    Attributes
    ----------
    configured : the workflow of some configuration files on top of the default one, and of single
        settings (``KEY=VALUE``) on top of these; must write nothing.
    version : the workflow's, None where it has none.
    stages : the stages in the order in which people think of them.
    snakefile : the main file.
    results : the jobs whose results people ask for first.
    license : the workflow's, as an SPDX identifier.
    labels_of : who has the labels that its stages tell they have seen, such as ``persons``, for
        lineages to say of each job whose; see `ledger.context.Context.saw_labels_of`.
    """

    configured: Callable[[list[Path], list[str]], Workflow]
    version: str | None = None
    stages: Sequence[str] = ()
    snakefile: Path = Path("Snakefile")
    results: Sequence[str] = ()
    labels_of: str | None = None
    license: str | None = None
