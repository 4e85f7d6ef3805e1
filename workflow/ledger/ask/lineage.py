"""Where an artifact comes from: the manifests it rests on, back to the raw files.

Manifests say what an artifact is; the sidecars beside them add when, where and at what cost it
was computed, and may be missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from ledger.disk.documents import read_object
from ledger.errors import IntegrityError
from ledger.jobs.manifest import Manifest
from ledger.store.sidecar import sidecar_path


@dataclass(frozen=True)
class Origin:
    """What a job read for one role.

    Attributes
    ----------
    file : path of the file.
    logical : the logical digest it had; for a raw file, the sha256 of its bytes.
    manifest : path of the manifest of the job that made it; None for a raw file.
    """

    role: str
    file: str
    logical: str
    manifest: str | None


@dataclass(frozen=True)
class Step:
    """One job of a lineage: its manifest, and where that lies."""

    path: str
    manifest: Manifest

    @cached_property
    def origins(self) -> list[Origin]:
        """What the job read, by role."""
        found = []
        for role, origin in self.manifest.origins.items():
            manifest = origin.get("manifest")
            file = str(Path(manifest).parent / origin["file"]) if manifest else origin["path"]
            found.append(Origin(role, file, self.manifest.inputs[role], manifest))
        return found

    @cached_property
    def execution(self) -> dict[str, Any] | None:
        """Circumstances and `cost` of the computation, `started` and `ended` among them.

        None where the sidecar does not tell.
        """
        record = read_object(sidecar_path(Path(self.path)))
        if record is None or record.get("key") != self.manifest.key:
            return None
        if record.get("hit"):
            made, cost = record.get("made"), record.get("saved")
        else:
            made, cost = record, record.get("cost")
        try:
            begin = datetime.fromisoformat(made["started"])
            end = begin + timedelta(seconds=cost["seconds"])
        except (KeyError, TypeError, ValueError):
            return None
        times = {
            "started": begin.isoformat(timespec="seconds"),
            "ended": end.isoformat(timespec="seconds"),
        }
        return {**made, **times, "cost": cost}


def trace(first: str, found: Mapping[str, Manifest | IntegrityError]) -> dict[str, Step | None]:
    """Every step behind a manifest by the manifest's path, itself first.

    A manifest that is missing or damaged is None; nothing is known of what lies behind it.

    Parameters
    ----------
    found : the manifests there are by path, of a damaged one what is wrong with it.

    Raises
    ------
    IntegrityError
        When the first manifest is damaged.
    """
    if isinstance(found[first], IntegrityError):
        raise found[first]
    steps: dict[str, Step | None] = {}
    queue = [first]
    while queue:
        path = queue.pop(0)
        if path in steps:
            continue
        made = found.get(path)
        steps[path] = Step(path, made) if isinstance(made, Manifest) else None
        if steps[path]:
            queue += [origin.manifest for origin in steps[path].origins if origin.manifest]
    return steps


def doubt(origin: Origin, steps: dict[str, Step | None]) -> str | None:
    """Why what is on disk is not what was read for a role; None where it is, or is a raw file."""
    if origin.manifest is None:
        return None
    step = steps[origin.manifest]
    if step is None:
        return "its manifest is missing or damaged"
    if step.manifest.logical(Path(origin.file).name) != origin.logical:
        return "made anew since, with another content"
    return None
