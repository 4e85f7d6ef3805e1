"""What a job reads: found through manifests, and brought as files that nobody else changes."""

import errno
from dataclasses import dataclass
from pathlib import Path

from ledger.disk.atomic import copy_hashed
from ledger.disk.canonical import file_sha256
from ledger.errors import IntegrityError
from ledger.jobs.manifest import Manifest, Source, Upstream
from ledger.jobs.plan import PlanError
from ledger.run import turn
from ledger.run.talk import Talk
from ledger.store.store import Store
from ledger.words import SHORT

GONE = (*(errno.ENOENT, errno.ENOTDIR, errno.ESTALE), *(errno.EISDIR, errno.EINVAL, errno.ELOOP))
"""What tells that a file is not there any more, or something else is in its place."""


@dataclass(frozen=True)
class Input:
    """An input as the job finds it: its file, digests, and the labels behind it."""

    path: Path
    logical: str
    sha256: str
    labels_seen: tuple[str, ...] = ()


def resolve(endpoint: Source | Upstream) -> Input:
    """Find an input, and what its manifest says of it.

    Raises
    ------
    IntegrityError
        When there is no sound manifest, or it lists no such file.
    PlanError
        When it followed another plan than the run has decided on.
    """
    if isinstance(endpoint, Source):
        return Input(Path(endpoint.path), endpoint.sha256, endpoint.sha256)
    path = Path(endpoint.manifest)
    manifest = Manifest.read(path)
    if endpoint.file not in manifest.outputs:
        raise IntegrityError(
            f"{path}: lists no {endpoint.file!r}. Run the same command again; it plans anew."
        )
    if manifest.plan != endpoint.plan:
        raise PlanError(
            f"{path}: was made for another configuration, code or data than this run's. Run the "
            "same command again; it plans anew."
        )
    output = manifest.outputs[endpoint.file]
    return Input(Path(endpoint.path), output.logical, output.sha256, manifest.labels_seen)


def bring(role: str, entry: Input, *, is_raw: bool, store: Store, room: Path, talk: Talk) -> Path:
    """An input as a file of the job's own in `room`, whose bytes have the digest in the key.

    A raw file is copied. An artifact is what the store holds under its digest; the file in the
    results is put right where it is damaged, and copied where the store has lost the object.

    Raises
    ------
    IntegrityError
        When the bytes are not there.
    OSError
        When they cannot be read or copied.
    """
    own = room / role.replace("/", ".") / entry.path.name
    own.parent.mkdir(parents=True)
    if is_raw:
        if not _copy(entry, own):
            raise IntegrityError(
                f"{entry.path}: changed while the workflow was running. Run the same command again."
            )
        return own
    found = file_sha256(entry.path) if entry.path.is_file() else None
    state = "is missing" if found is None else "is damaged"
    if store.lend(entry.sha256, own):
        # Outside of a run it may be another run's by now.
        if found != entry.sha256 and (run := turn.name()):
            with turn.current(run):
                store.place(entry.sha256, entry.path)
            talk.warn(f"{entry.path} {state}; restored from the store")
    elif not (found == entry.sha256 and _copy(entry, own)):
        raise IntegrityError(
            f"{entry.path}: {state} (expected sha256 {entry.sha256[:SHORT]}), and the store cannot "
            "restore it. Delete the manifest beside it and run the same command again."
        )
    return own


def _copy(entry: Input, own: Path) -> bool:
    """Copy an input; whether the copy's bytes are as they were when the key was made."""
    try:
        return copy_hashed(entry.path, own) == entry.sha256
    except OSError as error:
        if error.errno in GONE:
            return False
        raise
