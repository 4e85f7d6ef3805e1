"""Where an artifact comes from: the manifests it rests on, back to the raw files.

Manifests say what an artifact is; the sidecars beside them add when, where and at what cost it
was computed, and may be missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ledger.errors import IntegrityError
from ledger.jobs.job import RESULTS
from ledger.jobs.manifest import Manifest, Source
from ledger.jobs.results import job_of, read_manifests
from ledger.jobs.targets import find, names
from ledger.store.sidecar import execution


@dataclass(frozen=True)
class Step:
    """One job of a lineage: its manifest, and where that lies."""

    path: str
    manifest: Manifest

    @cached_property
    def execution(self) -> dict[str, Any] | None:
        """Circumstances and `cost` of the computation, `started` and `ended` among them.

        None where the sidecar does not tell.
        """
        return execution(Path(self.path), self.manifest.key)


@dataclass(frozen=True)
class Here:
    """The jobs whose manifests are in the results of this directory.

    Attributes
    ----------
    names : what each job answers to, by its name.
    paths : the path of its manifest, by its name.
    found : the manifests by path, of a damaged one what is wrong with it.
    """

    names: dict[str, list[str]]
    paths: dict[str, str]
    found: dict[str, Manifest | IntegrityError]

    @classmethod
    def read(cls) -> "Here":
        """Read all of them; raises as `ledger.jobs.results.read_manifests`."""
        here = cls({}, {}, {})
        for path, made in read_manifests(Path(RESULTS)):
            # The job's name follows from the place, so a damaged manifest is found as well.
            name = job_of(path)
            files = [] if isinstance(made, IntegrityError) else made.outputs
            here.names[name], here.paths[name] = names(name, str(path), files), str(path)
            here.found[str(path)] = made
        return here

    def behind(self, asked: str) -> dict[str, Step | None]:
        """The steps behind a job, a manifest, a file or a digest; raises as `find` and `trace`."""
        return trace(self.paths[find(asked, self.names)], self.found)


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
            queue += [origin.manifest for origin in made.origins.values() if origin.manifest]
    return steps


def doubt(step: Step, role: str, steps: dict[str, Step | None]) -> str | None:
    """Why what is on disk is not what was read for a role; None where it is, or is a raw file."""
    origin = step.manifest.origins[role]
    if isinstance(origin, Source):
        return None
    above = steps[origin.manifest]
    if above is None:
        return "its manifest is missing or damaged"
    if above.manifest.logical(origin.file) != step.manifest.inputs[role]:
        return "made anew since, with another content"
    return None
