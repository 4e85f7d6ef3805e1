"""The provenance sidecar: when, where and at what cost an artifact came about.

Everything that may differ between two runs of the same computation is here, in a file on which
nothing depends, so that the manifest can stay identical.
"""

import json
import os
import platform
import resource
import socket
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emodag.provenance.atomic import write_bytes
from emodag.provenance.plan import Plan


@dataclass(frozen=True)
class Sidecar:
    """The record of one execution of a job."""

    body: dict[str, Any]
    started: float

    @classmethod
    def begin(cls, plan: Plan, key: str) -> "Sidecar":
        """Start the clock."""
        body = {
            "job": plan.job,
            "key": key,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": sys.orig_argv,
            "host": socket.gethostname(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
        }
        return cls(body, time.monotonic())

    def cost(self) -> dict[str, Any]:
        """Seconds of wall time and CPU time so far, and the peak resident memory in bytes."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "seconds": round(time.monotonic() - self.started, 3),
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
            "peak_bytes": usage.ru_maxrss * 1024,
        }

    def hit(self, saved: dict[str, Any]) -> "Sidecar":
        """The outputs came from the store; `saved` is what computing them had cost."""
        return replace(self, body={**self.body, "hit": True, "cost": self.cost(), "saved": saved})

    def computed(self, cost: dict[str, Any]) -> "Sidecar":
        """The outputs were computed, at this cost."""
        return replace(self, body={**self.body, "hit": False, "cost": cost})

    def write(self, path: Path) -> None:
        """Write the sidecar as JSON."""
        write_bytes(path, json.dumps(self.body, sort_keys=True, indent=1).encode() + b"\n")
