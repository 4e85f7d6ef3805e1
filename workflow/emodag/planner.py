"""The planner: each job of the chain with code, environment and raw files as they are now."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

from emodag.baselines import baseline_jobs
from emodag.chain import Chain
from emodag.contrasts import contrast_jobs
from emodag.face.config import Config
from emodag.job import OUTPUTS, Job
from emodag.provenance.closure import Modules
from emodag.provenance.codebook import remember
from emodag.provenance.device import CPU
from emodag.provenance.fingerprint import installed_versions, locked_versions, steering
from emodag.provenance.freshness import (
    Manifests,
    bring_to_the_present,
    must_run,
    refuse_to_replace,
    write_plan,
)
from emodag.provenance.manifest import Manifest
from emodag.provenance.plan import (
    PLANS,
    Environment,
    Plan,
    Source,
    Upstream,
)
from emodag.provenance.sources import source_digests
from emodag.reporting import report_job

Restore = Callable[[Plan], Manifest | None]
"""Brings a job's outputs about from the store; the manifest, or None where that cannot be done."""


def jobs(config: Config) -> dict[str, Job]:
    """Every job of a configuration by name, each after the jobs it needs."""
    found: dict[str, Job] = {}
    chain = Chain(config, config.environment)
    asked = [*chain.jobs(), *baseline_jobs(config), *contrast_jobs(config), report_job(config)]
    for job in asked:
        found.setdefault(job.name, job)
    return found


class Planner:
    """Makes the plans of a chain's jobs, and writes those that are asked for.

    Parameters
    ----------
    chain : every job by name, each after the jobs it needs.
    root : the repository, which the locks' paths are relative to.
    read_only : whether to leave no trace, not even what saves work the next time.

    Raises
    ------
    InputError
        When a raw file is missing.
    """

    def __init__(
        self, config: Config, chain: dict[str, Job], root: Path, *, read_only: bool = False
    ) -> None:
        self._config, self._chain, self._root = config, chain, root
        modules = Modules(memory=PLANS / "modules.json")
        self._code = {stage: modules.closure(f"emodag.stages.{stage}") for stage in OUTPUTS}
        origins = [origin for job in chain.values() for origin in job.inputs.values()]
        raw = sorted({origin for origin in origins if isinstance(origin, str)})
        self._raw = source_digests(raw, PLANS / "sources.json", read_only=read_only)
        if not read_only:
            modules.remember()
        self._manifests = Manifests()
        self._environment = cache(self._environment_called)
        self._written: dict[str, Path] = {}
        self._open: set[str] = set()

    def plan(self, name: str) -> Plan:
        """The plan of one job."""
        job = self._chain[name]
        described = {env: asdict(self._environment(env, CPU, ())) for env in job.describes}
        return Plan(
            job=job.name,
            stage=job.stage,
            code=self._code[job.stage],
            params=job.params | ({"environments": described} if described else {}),
            inputs={role: self._endpoint(origin) for role, origin in job.inputs.items()},
            environment=self._environment(job.environment, job.device, job.packages),
            directory=job.directory,
            manifest=job.manifest,
            outputs=job.outputs,
        )

    def write(self, name: str, restore: Restore | None = None) -> Path:
        """Write the plan of a job, and of those it rests on, if they must run; returns its path.

        A plan is looked at once, however often it is asked for, and after those it rests on:
        whichever job's outputs `restore` brings about need not be run.
        """
        for job in self._not_yet_written(name):
            plan = self.plan(job)
            bring_to_the_present(plan)
            if write_plan(plan, self._manifests):
                remember(plan)
            self._written[job] = plan.path
            if restore is not None:
                self._settle(plan, restore)
        return self._written[name]

    def _settle(self, plan: Plan, restore: Restore) -> None:
        """Have a job's outputs restored if it must run, and what it reads is final already."""
        upstream = {e.manifest for e in plan.inputs.values() if isinstance(e, Upstream)}
        if self._open.isdisjoint(upstream):
            if not must_run(plan):
                return
            if manifest := restore(plan):
                self._manifests.read[plan.manifest] = manifest
                return
        self._open.add(plan.manifest)

    def _not_yet_written(self, name: str) -> Iterator[str]:
        """The jobs that one rests on and itself, each after those it rests on."""
        waiting = [name]
        while waiting:
            job = waiting[-1]
            origins = self._chain[job].inputs.values()
            needed = {origin[0] for origin in origins if not isinstance(origin, str)}
            if job in self._written or needed <= self._written.keys():
                waiting.pop()
                if job not in self._written:
                    yield job
            else:
                waiting += sorted(needed - self._written.keys())

    def give_way(self, elder: int | None) -> None:
        """Refuse to change any plan while the process `elder` runs jobs by those on disk.

        Raises
        ------
        PlanError
            When a plan would have to change.
        """
        if elder is not None:
            refuse_to_replace(map(self.plan, self._chain), elder)

    def _endpoint(self, origin: tuple[str, str] | str) -> Source | Upstream:
        if isinstance(origin, str):
            return Source(path=origin, sha256=self._raw[origin])
        job, file = origin
        return Upstream(manifest=self._chain[job].manifest, file=file)

    def _environment_called(self, name: str, device: str, packages: tuple[str, ...]) -> Environment:
        entry = self._config.environments[name]
        locks = [self._root / lock for lock in entry.locks]
        return Environment(
            name=name,
            requires=locked_versions(locks, packages) or installed_versions(packages),
            variables={**steering(), **entry.variables},
            threads=entry.threads,
            device=device,
        )
