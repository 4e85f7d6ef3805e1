"""The planner: each job of a workflow with code, environment and raw files as they are now."""

from collections import ChainMap
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

from ledger.code.closure import Modules
from ledger.disk.sources import source_digests
from ledger.jobs.codebook import remember
from ledger.jobs.freshness import Manifests, is_fresh
from ledger.jobs.job import Job
from ledger.jobs.manifest import Manifest, Source, Upstream
from ledger.jobs.plan import MODULES, PLANS, Environment, Plan
from ledger.jobs.workflow import Workflow
from ledger.machine.device import CPU
from ledger.machine.fingerprint import installed_versions, locked_versions, steering

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")
"""Suffixes before which another one may say what was compressed."""

Restore = Callable[[Plan], Manifest | None]
"""Brings a job's outputs about from the store; the manifest, or None where that cannot be done."""

ADDED = ("environments", "cited", "suffixes")
"""The parameters that a plan has besides those of its job."""


class Planner:
    """Makes the plans of a workflow's jobs, and decides which of them must run.

    Parameters
    ----------
    read_only : whether to leave no trace, not even what saves work the next time.

    Attributes
    ----------
    manifests : those that lie in the results.

    Raises
    ------
    InputError
        When a raw file is missing.
    """

    def __init__(self, workflow: Workflow, *, read_only: bool = False) -> None:
        self._workflow, self._jobs = workflow, workflow.jobs
        modules, used = Modules(memory=MODULES), {job.module for job in self._jobs.values()}
        self._code = {module: modules.closure(module) for module in sorted(used)}
        origins = [origin for job in self._jobs.values() for origin in job.inputs.values()]
        raw = sorted({origin for origin in origins if isinstance(origin, str)})
        self._raw = source_digests(raw, PLANS / "sources.json", read_only=read_only)
        if not read_only:
            modules.remember()
        self.manifests = Manifests()
        self._environment = cache(self._environment_called)
        self._plans: dict[str, Plan] = {}
        self._must_run: dict[str, bool] = {}

    def plan(self, name: str) -> Plan:
        """The plan of one job."""
        for job in self._first(name, self._plans):
            self._plans[job] = self._planned(self._jobs[job])
        return self._plans[name]

    def behind(self, names: Iterable[str]) -> list[Plan]:
        """The plans of jobs and of all that they rest on, in the order of the workflow."""
        found: set[str] = set()
        for name in names:
            for job in self._first(name, found):
                found.add(job)
        return [self.plan(name) for name in self._jobs if name in found]

    def unsettled(self, name: str) -> list[Plan]:
        """The plans of a job and of those that it rests on, in order, that nobody has decided."""
        found: dict[str, Plan] = {}
        for job in self._first(name, ChainMap(found, self._must_run)):
            found[job] = self.plan(job)
        return list(found.values())

    def must_run(self, name: str, restore: Restore | None = None) -> bool:
        """Whether a job must run, because it or a job that it rests on is not up to date.

        A job is looked at once, however often it is asked for, and after those it rests on. One
        whose outputs `restore` brings about need not run, and is up to date from then on.
        """
        for job in self._first(name, self._must_run):
            self._must_run[job] = not self._is_settled(self.plan(job), restore)
        return self._must_run[name]

    def _is_settled(self, plan: Plan, restore: Restore | None) -> bool:
        """Whether a job's outputs are what they must be, restored if need be."""
        if any(self._must_run[job] for job in self._jobs[plan.job].needs):
            return False
        if is_fresh(plan, self.manifests):
            return True
        if restore is None or not (manifest := restore(plan)):
            return False
        remember(plan)
        self.manifests[plan.manifest] = manifest
        return True

    def _first(self, name: str, done: Container[str]) -> Iterator[str]:
        """The jobs that one rests on, and itself, that are not yet done; each after its needs."""
        waiting = [name]
        while waiting:
            job = waiting[-1]
            left = [] if job in done else [n for n in self._jobs[job].needs if n not in done]
            if left:
                waiting += left
            else:
                waiting.pop()
                if job not in done:
                    yield job

    def _planned(self, job: Job) -> Plan:
        params = dict(job.params)
        if job.describes:
            params["environments"] = {
                env: asdict(self._environment(env, CPU, ())) for env in job.describes
            }
        if job.cites:
            params["cited"] = {name: self._raw[name] for name in job.cites}
        # The key has the bytes of a raw file; readers also go by its suffix.
        raw = {role: _suffix(o) for role, o in job.inputs.items() if isinstance(o, str)}
        if raw:
            params["suffixes"] = raw
        return Plan(
            job=job.name,
            stage=job.stage,
            module=job.module,
            code=self._code[job.module],
            params=params,
            inputs={role: self._endpoint(origin) for role, origin in job.inputs.items()},
            environment=self._environment(job.environment, job.device, job.packages),
            directory=job.directory,
            manifest=job.manifest,
            outputs=job.outputs,
        )

    def _endpoint(self, origin: tuple[str, str] | str) -> Source | Upstream:
        if isinstance(origin, str):
            return Source(path=origin, sha256=self._raw[origin])
        job, file = origin
        maker = self._plans[job]
        return Upstream(manifest=maker.manifest, file=file, plan=maker.identity)

    def _environment_called(self, name: str, device: str, packages: tuple[str, ...]) -> Environment:
        entry = self._workflow.environments[name]
        locks = [self._workflow.root / lock for lock in entry.locks]
        return Environment(
            name=name,
            requires=locked_versions(locks, packages) or installed_versions(packages),
            variables={**steering(), **entry.variables},
            threads=entry.threads,
            device=device,
        )


def _suffix(name: str) -> str:
    """The end of a file's name by which it is read, such as ``.csv.gz``."""
    *before, last = ["", *Path(name.lower()).suffixes]
    return before[-1] + last if last in COMPRESSED else last
