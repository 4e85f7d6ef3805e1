"""What lies in a store and nothing needs any more.

An object or action record is needed while a root needs it (`ledger.store.roots`), or a manifest of
other results that are given. What nothing refers to may belong to a job that has not written its
manifest yet, so only age can tell; a record's counts from its last use.
A scratch directory is of no use once the process it is named after has died, which can be seen on
that process's own machine; elsewhere age decides again. What is in quarantine no result needs; its
age counts from when it was put there. What the store did not put there is left alone.

Ages are told by the clock that stamps the store's files, which may be a server's, since that of
this machine may be wrong.
"""

import contextlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ledger.disk import owner
from ledger.disk.canonical import is_sha256
from ledger.errors import IntegrityError
from ledger.store.roots import Needs
from ledger.store.store import NOTE, SCHEMA, Store

KINDS = ("actions", "signatures", "objects", "checkpoints", "scratch", "quarantine", "roots")
"""The store's directories; records go first, so that none outlives its objects.

Of roots it is what was left of one that was being written; see `ledger.store.roots`.
"""


@dataclass(frozen=True)
class Entry:
    """One file or scratch directory of a store, or one thing in quarantine with its note.

    Attributes
    ----------
    kind : one of `KINDS`.
    name : the sha256 it is named by, of a signature that of its record; or the name of a scratch
        directory, of an unfinished file or of something in quarantine.
    bytes : its size, for a directory that of all files in it.
    modified : when it was last written to, in seconds since 1970; of a record, when it was last
        used; of an object that is not needed, when the last record was that names it.
    """

    kind: str
    name: str
    path: Path
    bytes: int
    modified: float


class Sorting(NamedTuple):
    """A store's entries: those needed, those not to be touched yet, and garbage."""

    reachable: list[Entry]
    kept: list[Entry]
    garbage: list[Entry]


def now(root: Path) -> float:
    """The present time, in seconds since 1970, by the clock that stamps the files of a store.

    By this machine's clock where no file can be made there; nor can one be removed then.
    """
    try:
        with tempfile.TemporaryFile(dir=root) as made:
            return os.fstat(made.fileno()).st_mtime
    except OSError:
        return time.time()


def sort(store: Store, needs: Needs, before: float) -> Sorting:
    """Tell what is needed in a store from what is not. Reads only.

    Parameters
    ----------
    before : seconds since 1970; what has been written to or used since is kept, as are the objects
        and signatures of every record that is kept.

    Raises
    ------
    IntegrityError
        When a record is of a newer version of this package: nobody here knows what it needs.
    """
    before = min(before, needs.since)
    needed: dict[str, set[str]] = {kind: set() for kind in KINDS}
    needed["actions"].update(needs.keys)
    needed["objects"].update(needs.objects)
    used: dict[str, float] = {}
    found = Sorting([], [], [])
    for entry in entries(store.root):
        if entry.name in needed[entry.kind]:
            found.reachable.append(entry)
        elif not _is_garbage(entry, before):
            found.kept.append(entry)
        else:
            last = max(entry.modified, used.get(entry.name, 0))
            found.garbage.append(replace(entry, modified=last))
            named = {entry.name, *_objects(store, entry)}
            used |= {name: max(last, used.get(name, 0)) for name in named}
            continue
        needed["objects"] |= _objects(store, entry)
        if entry.kind == "actions":
            needed["signatures"].add(entry.name)
    return found


def within(found: Sorting, limit: int) -> Sorting:
    """Of what is garbage, keep what was used last, as far as the store then has `limit` bytes."""
    excess = sum(entry.bytes for entries in found for entry in entries) - limit
    kept, garbage = list(found.kept), []
    # Records before the objects that they name.
    for entry in sorted(found.garbage, key=lambda e: (e.modified, KINDS.index(e.kind))):
        (garbage if excess > 0 else kept).append(entry)
        excess -= entry.bytes
    return Sorting(found.reachable, kept, garbage)


def entries(root: Path, kinds: Iterable[str] = KINDS) -> Iterator[Entry]:
    """Everything the store put below its root, kind by kind; links are passed over."""
    for kind in kinds:
        if kind == "quarantine":
            yield from _quarantined(root / kind)
            continue
        if kind == "roots":
            for file in _scan(root / kind):
                if is_sha256(file.name[1:].partition(".")[0]) and file.name.startswith("."):
                    yield from _entry(kind, file.name, file)
            continue
        for directory in _scan(root / kind):
            if not directory.is_dir(follow_symlinks=False):
                continue
            if kind == "scratch":
                # Where a store is, others may keep a directory of that name, too.
                if owner.is_name(directory.name.rpartition("-")[0]):
                    yield from _entry(kind, directory.name, directory)
                continue
            for file in _scan(directory.path):
                name = directory.name + re.split("[.-]", file.name.removeprefix("."))[0]
                if is_sha256(name) and file.is_file(follow_symlinks=False):
                    is_whole = not file.name.startswith(".")
                    yield from _entry(kind, name if is_whole else file.name, file)


def is_running(scratch: str) -> bool | None:
    """Whether a scratch directory's process runs; None where that cannot be known from here."""
    return owner.is_alive(scratch.rpartition("-")[0])


def is_in_use(root: Path, since: float) -> bool:
    """Whether a job is running on a store, or may be: one not to be seen, active `since` then."""
    running = ((entry, is_running(entry.name)) for entry in entries(root, ("scratch",)))
    return any(alive or (alive is None and e.modified >= since) for e, alive in running)


def clear(store: Store, garbage: Iterable[Entry]) -> tuple[set[Path], dict[Path, str]]:
    """Remove entries, records before the objects that they name.

    Returns
    -------
    The paths of what stays because it was used or made anew meanwhile, and why the others stay that
    could not be removed.
    """
    spared, failed = set(), {}
    used: set[str] = set()
    for entry in garbage:
        try:
            if entry.name in used or not _remove(entry):
                spared.add(entry.path)
                used |= {entry.name, *_objects(store, entry)}
        except OSError as error:
            failed[entry.path] = error.strerror
    return spared, failed


def _remove(entry: Entry) -> bool:
    """Remove an entry, whether or not it is gone already; False where it is of use again.

    The directories that objects lie in stay: somebody may be about to put one there.
    """
    going = entry.path
    with contextlib.suppress(FileNotFoundError):
        if entry.kind not in ("scratch", "quarantine"):
            # Under another name nobody begins to use it, and that is when to look.
            going = entry.path.rename(entry.path.with_name(f".{entry.path.name}.going"))
            if going.lstat().st_mtime > entry.modified:
                going.rename(entry.path)
                return False
        if going.is_dir() and not going.is_symlink():
            shutil.rmtree(going)
        else:
            going.unlink()
    if entry.kind == "quarantine":
        _note(entry.path).unlink(missing_ok=True)
    return True


def _objects(store: Store, entry: Entry) -> set[str]:
    """The sha256 of all objects that an entry names, if it is a sound record."""
    is_record = entry.kind == "actions" and is_sha256(entry.name)
    action = store.peek(entry.name) if is_record else None
    if is_record and not action and (found := store.newer(entry.name)):
        raise IntegrityError(
            f"{entry.path}: a record of format {found}, and this version knows those up to "
            f"{SCHEMA}, so what it needs is not known. Take the version of whoever writes there."
        )
    return {output.sha256 for output in action.outputs.values()} if action else set()


def _is_garbage(entry: Entry, before: float) -> bool:
    running = is_running(entry.name) if entry.kind == "scratch" else None
    return entry.modified < before if running is None else not running


def _scan(directory: str | Path) -> list[os.DirEntry]:
    try:
        return sorted(os.scandir(directory), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _quarantined(directory: Path) -> Iterator[Entry]:
    """What was set aside; a note of nothing, left by a killed process, is of the same kind."""
    names = {found.name.removesuffix(NOTE) for found in _scan(directory)}
    for name in sorted(names):
        if re.fullmatch(r"[0-9a-f]{64}(\.json)?-\d+", name):
            path = directory / name
            yield from _entry("quarantine", name, path, _note(path))


def _note(path: Path) -> Path:
    return path.with_name(path.name + NOTE)


def _entry(kind: str, name: str, found: os.PathLike, *beside: Path) -> Iterator[Entry]:
    """The entry of a file or directory and what is `beside`, none if all has vanished meanwhile."""
    path = Path(found)
    within = [Path(at, file) for at, _, files in os.walk(path) for file in files]
    statuses = []
    for file in (path, *within, *beside):
        with contextlib.suppress(FileNotFoundError):
            statuses.append(file.lstat())
    if statuses:
        size = sum(status.st_size for status in statuses if stat.S_ISREG(status.st_mode))
        yield Entry(kind, name, path, size, max(status.st_mtime for status in statuses))
