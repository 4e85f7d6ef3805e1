"""What is up to date: manifests against plans and files. No time of any file is asked."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ledger.disk.canonical import file_sha256
from ledger.disk.regular import size_of
from ledger.errors import IntegrityError
from ledger.jobs.manifest import Manifest, Upstream
from ledger.jobs.plan import Plan


class Manifests(dict[str, Manifest | None]):
    """Manifests by path, each read once for all that depend on it; None for what is not sound."""

    def __missing__(self, path: str) -> Manifest | None:
        self[path] = None
        with contextlib.suppress(IntegrityError):
            self[path] = Manifest.read(Path(path))
        return self[path]

    def digest(self, origin: Upstream) -> str | None:
        """The logical digest of another job's output, None where no sound manifest lists it."""
        manifest = self[origin.manifest]
        return manifest and manifest.logical(origin.file)


def is_fresh(plan: Plan, manifests: Manifests) -> bool:
    """Whether what a job made is there, and is what this plan and the jobs before it lead to.

    The manifest must have followed this very plan, and have read what the manifests before it list
    now: they may have been made anew by the same plans with other packages or another processor.
    """
    manifest = manifests[plan.manifest]
    if manifest is None or manifest.plan != plan.identity:
        return False
    for role, endpoint in plan.inputs.items():
        if isinstance(endpoint, Upstream):
            found = manifests.digest(endpoint)
            if found is None or manifest.inputs.get(role) != found:
                return False
    return not any(damages(plan, manifest))


def damages(plan: Plan, manifest: Manifest) -> Iterator[str]:
    """Each output file that is not as recorded, in words.

    What people read is hashed, because no job that reads it might notice damage; of the others the
    size is looked at, and whoever reads them hashes them.
    """
    for name, output in manifest.outputs.items():
        path = Path(plan.directory) / name
        if (size := size_of(path)) is None:
            yield f"{path} does not exist"
        elif size != output.bytes:
            yield f"{path} has {size} bytes instead of {output.bytes}"
        elif plan.is_read and not _has_bytes(path, output.sha256):
            yield f"{path} is damaged"


def _has_bytes(path: Path, sha256: str) -> bool:
    try:
        return file_sha256(path) == sha256
    except FileNotFoundError:  # taken away meanwhile
        return False
