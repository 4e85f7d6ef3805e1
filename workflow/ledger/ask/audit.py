"""Are recorded values those that the code makes? Computes finished jobs anew, and compares.

Each job runs as in a real run, by the same command, in its environment, forked where its run would
fork it; but in a directory of its own in the store's scratch, with a store of its own that holds
the job's inputs by their digests, and no record. So nothing is found but computed, and neither
results nor records are written.

Two things say what a job made: its manifest, and the store's record of its key. Under the same key
both must say what is made now, to the bit. Another key means that another environment is here than
at the time: then the values must be the same. Of what differs a second computation tells whether
the stage repeats its own bits.
"""

import contextlib
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ledger import called
from ledger.ask.lineage import Step
from ledger.compare.difference import difference
from ledger.compare.dotted import changes
from ledger.context import Bars
from ledger.disk.atomic import copy_hashed, write_bytes
from ledger.disk.canonical import canonical_json, digest
from ledger.environments.interpreters import Interpreters
from ledger.errors import EnvironmentMismatch, UserError
from ledger.jobs.freshness import Manifests
from ledger.jobs.key import key_ahead
from ledger.jobs.manifest import Manifest, Output, Source
from ledger.jobs.plan import Plan, write_plan
from ledger.jobs.results import read_manifests
from ledger.kinds.digest import digests
from ledger.machine.fingerprint import check
from ledger.run import forking, turn
from ledger.store.store import RecordError, Store

AROUND = ("system", "cpu", "cores", "libraries", "thread_variables")
"""What a sidecar tells of the circumstances that no key holds, or not in full."""

LINES = 5
"""How many of the last lines of a job that failed are told."""


@dataclass(kw_only=True)
class Verdict:
    """What one job, computed anew, came to.

    Attributes
    ----------
    wrong : what is not as recorded, in words by the path of the record; empty where all is.
    key : what in the key is not as it was, objects with `key`, `a` (then) and `b` (now).
    outputs : by file that differs, what `ledger.compare` says.
    around : circumstances that the key does not hold and that are not as they were, like `key`.
    is_repeated : whether two computations gave the same; None where there was no second one.
    """

    job: str
    stage: str
    wrong: dict[str, str] = field(default_factory=dict)
    key: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    around: list[dict[str, Any]] = field(default_factory=list)
    is_repeated: bool | None = None


@dataclass(kw_only=True)
class Audit:
    """What an audit has seen.

    Attributes
    ----------
    finished : how many finished jobs could be computed anew.
    verdicts : those of the jobs that were.
    left_out : for how many jobs there is which reason that they cannot be.
    """

    finished: int
    verdicts: list[Verdict] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def wrong(self) -> list[Verdict]:
        """The verdicts on what is not as recorded."""
        return [verdict for verdict in self.verdicts if verdict.wrong]


def audit(
    plans: Iterable[Plan],
    asked: Container[str],
    interpreters: Interpreters,
    store: Store,
    *,
    share: float,
    seed: int,
    progress: Bars,
) -> Audit:
    """Compute a sample of the finished jobs that are asked for anew, and compare.

    Parameters
    ----------
    plans : those of all jobs of the configuration.
    asked : the names of jobs to draw from.
    share : of the jobs, above 0 and up to 1; at least one is drawn.
    seed : draws them; with the same seed a larger share has the jobs of a smaller one.

    Raises
    ------
    InputError
        When there are no results.
    StoreError
        When nothing can be written in the store's scratch.
    """
    manifests = Manifests()
    finished, left_out = _finished(plans, asked, manifests)
    found = Audit(finished=len(finished), left_out=left_out)
    drawn = sorted(finished, key=lambda plan: digest([seed, plan.job]))
    drawn = drawn[: math.ceil(share * len(drawn))]
    _offer_forks(drawn, interpreters)
    turn.begin()
    with progress(len(drawn), "job") as bar:
        for plan in drawn:
            if why := _absent(plan, interpreters):
                left_out[why] += 1
            else:
                found.verdicts.append(_Bench(store, manifests, plan).judge())
            bar.update(job=plan.job)
    return found


def _finished(
    plans: Iterable[Plan], asked: Container[str], manifests: Manifests
) -> tuple[list[Plan], Counter[str]]:
    """The plans of finished jobs that lead to the same keys, and why how many others do not.

    A job whose manifest is damaged is among the former.
    """
    planned = {plan.manifest: plan for plan in plans}
    finished, left_out = [], Counter()
    for path, made in read_manifests(Path("results")):
        manifests[str(path)] = made if isinstance(made, Manifest) else None
    for path, manifest in list(manifests.items()):
        plan = planned.get(path)
        if plan is None:
            left_out["of another configuration"] += 1
        elif plan.job not in asked:
            continue
        elif manifest and manifest.key != key_ahead(
            plan, manifest.ingredients["environment"], manifests.digest
        ):
            left_out["made of other code, parameters or inputs than there are now"] += 1
        else:
            finished.append(plan)
    return finished, left_out


def _offer_forks(plans: list[Plan], interpreters: Interpreters) -> None:
    """Have the jobs of an environment forked from one process, as a run of several of them does."""
    environments = {plan.environment.name: plan.environment for plan in plans}
    for name, count in Counter(plan.environment.name for plan in plans).items():
        live = interpreters.fingerprint(environments[name])
        if count > 1 and live and sys.platform == "linux":
            forking.offer(environments[name], live, interpreters.python(name), interpreters.loaded)


def _absent(plan: Plan, interpreters: Interpreters) -> str | None:
    """Why a job cannot run here, None where it can."""
    environment = plan.environment
    live = interpreters.fingerprint(environment)
    if live is None:
        return f"the environment {environment.name!r} is not built, or its device is not here"
    try:
        check(environment.name, environment.requires, live["distributions"])
    except EnvironmentMismatch as error:
        return str(error)
    return None


@dataclass(frozen=True)
class _Bench:
    """Where one job is computed anew, from the objects of a store."""

    store: Store
    manifests: Manifests
    plan: Plan

    def judge(self) -> Verdict:
        """Compute the job, a second time if what comes is not as recorded, and compare."""
        verdict = Verdict(job=self.plan.job, stage=self.plan.stage)
        if (manifest := self.manifests[self.plan.manifest]) is None:
            verdict.wrong[self.plan.manifest] = "it is damaged; `verify` tells what to do"
            return verdict
        then = Step(self.plan.manifest, manifest)
        with self.store.scratch() as room:
            try:
                now = self._compute(room / "first")
            except UserError as error:
                verdict.wrong[then.path] = f"it cannot be computed anew: {error}"
                return verdict
            self._compare(then.path, then.manifest, now, room / "results", verdict)
            place = str(self.store.action(then.manifest.key))
            try:
                if said := self._recorded(then.manifest):
                    self._compare(place, said, now, room / "record", verdict)
            except RecordError as error:
                verdict.wrong[place] = str(error)
            if verdict.wrong:
                verdict.around = around(then, now)
                with contextlib.suppress(UserError):
                    again = self._compute(room / "second", may_fork=False)
                    verdict.is_repeated = again.manifest == now.manifest
        return verdict

    def _compute(self, room: Path, *, may_fork: bool = True) -> Step:
        """Run the job in a directory to be made; returns what it made.

        Forks of one process have the order of its sets and dictionaries in common, so the second
        computation is none.

        Raises
        ------
        UserError
            When an input is not to be had, or with what the job says when it fails.
        """
        plan, here, own = self.plan, room / "work", Store(room / "store")
        inputs = {}
        for role, endpoint in plan.inputs.items():
            if isinstance(endpoint, Source):
                inputs[role] = replace(endpoint, path=str(Path(endpoint.path).absolute()))
                continue
            path, above = Path(endpoint.manifest), self.manifests[endpoint.manifest]
            inputs[role] = replace(endpoint, plan=above.plan)
            above.write(here / path)
            output, file = above.outputs[endpoint.file], path.with_name(endpoint.file)
            own.make(own.object(output.sha256).parent)
            for place in (own.object(output.sha256), here / file):
                if not (os.path.lexists(place) or self._has(output, file, place)):
                    raise UserError(
                        f"{file}: neither the store nor the results have it as recorded"
                    )
        write_bytes(here / turn.CURRENT, turn.name().encode())
        with contextlib.chdir(here):
            write_plan(turn.name(), replace(plan, inputs=inputs))
        loaded = () if may_fork else (forking.ADDRESS, forking.ELSEWHERE)
        start = [sys.executable, "-I", "-S", forking.START, "-m", called.name()]
        done = subprocess.run(
            [*start, "run", plan.manifest, "--store", own.root, "--workers", str(os.cpu_count())],
            cwd=here,
            env={name: value for name, value in os.environ.items() if name not in loaded},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if done.returncode:
            said = "\n".join(done.stdout.strip().split("\n")[-LINES:])
            raise UserError(said or f"it ended with status {done.returncode}")
        return Step(str(here / plan.manifest), Manifest.read(here / plan.manifest))

    def _has(self, output: Output, file: Path, place: Path) -> bool:
        """Put an output at `place`, from the store or the results; whether either has it."""
        if self.store.lend(output.sha256, place):
            return True
        with contextlib.suppress(OSError):
            if copy_hashed(file, place) == output.sha256:
                return True
        place.unlink(missing_ok=True)
        return False

    def _recorded(self, manifest: Manifest) -> Manifest | None:
        """What the store's record says that the job made, as a manifest; None without a record.

        Raises
        ------
        RecordError
            When it is damaged, or that of another computation.
        """
        action = self.store.read(manifest.key)
        if action is None:
            return None
        above = (self.manifests[o.manifest] for o in manifest.origins.values() if o.manifest)
        seen = set(action.labels_seen).union(*(made.labels_seen for made in above))
        return replace(manifest, outputs=action.outputs, labels_seen=tuple(sorted(seen)))

    def _compare(self, place: str, said: Manifest, now: Step, room: Path, verdict: Verdict) -> None:
        """Add to a verdict what a record says and is not so; its files are laid out in `room`."""
        made, real = now.manifest, self._lay_out(said, room)
        if said.digests() != made.digests():
            verdict.wrong[place] = "it says other values than are computed now"
        elif said.digests() != real.digests():
            verdict.wrong[place] = "it names objects that do not have the values it tells of"
        elif said.labels_seen != made.labels_seen:
            verdict.wrong[place] = "it says that other labels were seen"
        elif said.key == made.key and said.outputs != made.outputs:
            verdict.wrong[place] = "it says other bytes of the same values, under the same key"
        else:
            return
        if not verdict.outputs:
            places = room / Path(now.path).name, Path(now.path)
            for job in difference(*places, everything=True)["jobs"]:
                verdict.key, verdict.outputs = job["key"], job["outputs"]

    def _lay_out(self, said: Manifest, room: Path) -> Manifest:
        """Put a record's files into a directory, and a manifest with the digests they have."""
        room.mkdir()
        path, outputs = Path(self.plan.manifest), dict(said.outputs)
        for name, output in said.outputs.items():
            if self._has(output, path.with_name(name), room / name):
                outputs[name] = _output(room / name, output.sha256)
        real = replace(said, outputs=outputs)
        real.write(room / path.name)
        return real


def _output(file: Path, sha256: str) -> Output:
    """What a manifest says of a file with this sha256."""
    try:
        logical, parts = digests(file)
    except Exception:  # libraries raise anything for a file that is not what its name says
        logical, parts = sha256, {}
    return Output(logical=logical, sha256=sha256, bytes=file.stat().st_size, parts=parts)


def around(then: Step, now: Step) -> list[dict[str, Any]]:
    """The circumstances that are not as they were, as far as both sidecars tell."""
    if not then.execution or not now.execution:
        return []
    told = [{name: step.execution.get(name) for name in AROUND} for step in (then, now)]
    both = _in_both(*(sorted(one["libraries"] or [], key=canonical_json) for one in told))
    return changes(
        *(one | {"libraries": libraries} for one, libraries in zip(told, both, strict=True))
    )


def _in_both(then: list[Any], now: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The libraries that two processes had both loaded, and not alike, by what they are.

    Which others a process loads depends on what it did before, not on what it computes.
    """
    left = [library for library in then if library not in now]
    right = [library for library in now if library not in then]
    a, b = {}, {}
    for library in left:
        name = library["internal_api"]
        if same := next((other for other in right if other["internal_api"] == name), None):
            right.remove(same)
            a.setdefault(name, []).append(library)
            b.setdefault(name, []).append(same)
    return a, b
