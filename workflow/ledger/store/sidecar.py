"""The provenance sidecar: when, where and at what cost an artifact came about.

Everything that may differ between two runs of the same computation is here, in a file on which
nothing depends, so that the manifest can stay identical.
"""

import json
import os
import platform
import re
import resource
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ledger.disk.atomic import write_bytes
from ledger.disk.documents import MALFORMED, read_object
from ledger.machine.fingerprint import THREAD_VARIABLES, processor_model
from ledger.store.store import Action

COST = {"seconds": float, "cpu_seconds": float, "peak_bytes": int}
"""What is told of what a job took."""


@dataclass(frozen=True)
class Sidecar:
    """The record of one execution of a job."""

    body: dict[str, Any]
    started: float
    started_cpu: float

    @classmethod
    def begin(
        cls, job: str, stage: str, key: str, environment: dict[str, Any], code: Path
    ) -> "Sidecar":
        """Start the clock.

        Parameters
        ----------
        code : the directory of the stage's package.
        environment : the live environment as it enters the key: versions, processor, threads.
        """
        body = {
            "job": job,
            "stage": stage,
            "key": key,
            "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "command": sys.orig_argv,
            "host": socket.gethostname(),
            "system": platform.platform(),
            "cpu": processor_model(),
            "cores": os.cpu_count(),
            "environment": environment,
            "git": git_state(code),
        }
        return cls(body, time.monotonic(), time.process_time())

    def cost(self) -> dict[str, Any]:
        """Seconds of wall time and CPU time so far, and the process's peak memory in bytes."""
        return {
            "seconds": round(time.monotonic() - self.started, 3),
            "cpu_seconds": round(time.process_time() - self.started_cpu, 3),
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }

    def circumstances(self) -> dict[str, Any]:
        """The record with what only a computation shows: the libraries it has loaded."""
        variables = {name: os.environ.get(name) for name in THREAD_VARIABLES}
        return {**self.body, "thread_variables": variables, "libraries": _libraries()}

    def computed(self, action: Action) -> dict[str, Any]:
        """The record of an execution that computed its outputs."""
        return {**action.made, "hit": False, "cost": action.cost}

    def hit(self, action: Action) -> dict[str, Any]:
        """The record of an execution that found its outputs in the store.

        `made` and `saved` tell how they were once computed, and what that had cost.
        """
        body = {**self.body, "hit": True, "cost": self.cost()}
        return {**body, "made": action.made, "saved": action.cost}


def sidecar_path(manifest: Path) -> Path:
    """Where the sidecar of a manifest's job lies."""
    return manifest.with_name(manifest.name.replace("manifest.json", "provenance.json"))


def execution(manifest: Path, key: str) -> dict[str, Any] | None:
    """How outputs were computed, wherever that was, as the sidecar beside a manifest tells.

    Circumstances, with `started` and `ended` to the second; `cost`, with wall and CPU time in
    seconds and peak memory in bytes; `hit`, whether this job took them from the store. None where
    there is no sidecar, or it is damaged, or of another key.
    """
    record = read_object(sidecar_path(manifest))
    try:
        if record is None or record["key"] != key:
            return None
        is_hit = bool(record["hit"])
        made, cost = (record["made"], record["saved"]) if is_hit else (record, record["cost"])
        cost = {name: kind(cost[name]) for name, kind in COST.items()}
        begin = datetime.fromisoformat(made["started"])
        times = {"started": begin, "ended": begin + timedelta(seconds=cost["seconds"])}
        times = {name: time.isoformat(timespec="seconds") for name, time in times.items()}
        return {**made, **times, "cost": cost, "hit": is_hit}
    except MALFORMED:
        return None


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON."""
    write_bytes(path, json.dumps(record, sort_keys=True, indent=1).encode() + b"\n")


@cache
def git_state(code: Path) -> dict[str, Any] | None:
    """Commit of a directory and whether tracked files differ from it; None where Git has none."""
    describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    command = ["git", "--no-optional-locks", *describe]
    try:
        done = subprocess.run(command, cwd=code, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    commit = done.stdout.strip()
    if done.returncode or not commit:
        return None
    return {"commit": commit.removesuffix("-dirty"), "dirty": commit.endswith("-dirty")}


def _libraries() -> list[dict[str, Any]]:
    """The BLAS and OpenMP libraries in this process, with their versions and thread counts."""
    from threadpoolctl import threadpool_info

    told = ("internal_api", "user_api", "version", "num_threads", "threading_layer", "architecture")
    found = [{name: entry[name] for name in told if name in entry} for entry in threadpool_info()]
    if torch := sys.modules.get("torch"):
        # Torch's BLAS is linked into it, where threadpoolctl cannot see it.
        blas = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
        found.append(
            {
                "internal_api": "torch",
                "user_api": blas and blas[1],
                "version": torch.__version__,
                "num_threads": torch.get_num_threads(),
                "architecture": torch.backends.cpu.get_cpu_capability(),
            }
        )
    return found
