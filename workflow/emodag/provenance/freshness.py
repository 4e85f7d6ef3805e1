"""What is up to date: plans against manifests and files, and Snakemake's view of their times.

A plan is rewritten only when its content changes, or when the manifest it once produced no longer
agrees with it, so Snakemake's file times carry exactly the information "this job must run".
"""

import contextlib
import json
import math
import os
import time
from collections.abc import Iterable
from pathlib import Path

from emodag.errors import IntegrityError
from emodag.provenance.atomic import write_bytes
from emodag.provenance.canonical import digest, file_sha256
from emodag.provenance.manifest import Manifest
from emodag.provenance.plan import Plan, PlanError, Upstream


class Manifests:
    """Each manifest read once per planning, however many jobs depend on it."""

    def __init__(self) -> None:
        self.read: dict[str, Manifest | None] = {}

    def __getitem__(self, path: str) -> Manifest | None:
        if path not in self.read:
            try:
                self.read[path] = Manifest.read(Path(path))
            except IntegrityError:
                self.read[path] = None
        return self.read[path]


def write_plan(plan: Plan, manifests: Manifests) -> bool:
    """Write a plan if its job must run, and leave its file untouched otherwise.

    Returns whether it was written. A plan is written when its content is new, or when the job's
    manifest is damaged, disagrees with the plan or with an upstream manifest, or lists a file that
    is gone. The nonce makes the rewritten file's content new for Snakemake, which compares
    checksums before it believes a newer file time; it is part of no key.
    """
    if is_written(plan) and not is_stale(plan, manifests):
        return False
    record = json.dumps({**plan.record, "nonce": time.time_ns()}, sort_keys=True, indent=1)
    write_bytes(plan.path, record.encode() + b"\n")
    return True


def refuse_to_replace(plans: Iterable[Plan], elder: int) -> None:
    """Leave the plans alone that a running Snakemake, the process `elder`, follows.

    Raises
    ------
    PlanError
        When one of them is another one than is on disk.
    """
    if any(map(is_replaced, plans)):
        raise PlanError(
            f"process {elder} is running this workflow in {Path.cwd()}, started with another "
            "configuration, code or data than there is now. Wait until it has finished, or use "
            "a directory of your own; it may share the store."
        )


def is_written(plan: Plan) -> bool:
    """Whether the plan file on disk says what the plan says."""
    return _on_disk(plan.path) == plan.identity()


def is_replaced(plan: Plan) -> bool:
    """Whether the plan on disk is another one for the same job."""
    return _on_disk(plan.path) not in (None, plan.identity())


def bring_to_the_present(plan: Plan) -> None:
    """Give a job's files the present time where theirs lies in the future.

    A clock that runs ahead elsewhere leaves such times, and Snakemake would take what bears them
    for newer than any change. To be done for a job after those it rests on.
    """
    files = [Path(plan.directory) / name for name in plan.outputs]
    for path in (plan.path, *files, Path(plan.manifest)):
        if _time(path) > time.time():
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)


def must_run(plan: Plan) -> bool:
    """Whether Snakemake will run a job, going by the times of its plan, inputs and outputs."""
    made = [_time(Path(plan.directory) / name) for name in plan.outputs]
    upstream = {Path(e.manifest) for e in plan.inputs.values() if isinstance(e, Upstream)}
    return min(_time(Path(plan.manifest)), *made) < max(map(_time, {plan.path, *upstream}))


def is_stale(plan: Plan, manifests: Manifests) -> bool:
    """Whether there is a manifest that this plan and its upstream manifests do not confirm.

    A missing upstream manifest confirms nothing: Snakemake records a failed job as if it had
    followed its plan, and would go on with what older outputs of it had led to. Final tables are
    hashed, because people read them, and no job that does might notice damage.
    """
    if not Path(plan.manifest).exists():
        return False
    manifest = manifests[plan.manifest]
    if manifest is None or manifest.plan != plan.identity():
        return True
    for role, endpoint in plan.inputs.items():
        if isinstance(endpoint, Upstream):
            upstream = manifests[endpoint.manifest]
            if upstream is None or manifest.inputs.get(role) != upstream.logical(endpoint.file):
                return True
    return any(
        _size(path) != output.bytes or (plan.is_final and file_sha256(path) != output.sha256)
        for name, output in manifest.outputs.items()
        for path in [Path(plan.directory) / name]
    )


def _time(path: Path) -> float:
    """When a file was last written, in seconds; before all times where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return -math.inf


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _on_disk(path: Path) -> str | None:
    """The identity of the plan in a file, or None where there is none to read."""
    try:
        record = json.loads(path.read_bytes())
        record.pop("nonce")
        return digest(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
