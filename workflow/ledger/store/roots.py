"""Roots: the directories of results that a store is kept for.

Each run that may change results writes down in the store where they are and what they need: a file
in `roots`, named by a digest of host and path. It does so twice: when it has taken its turn, and
when it ends with all finished that it began. In between, and for ever after a run that was killed,
the root is open: nobody but that host knows what it needs, so all that the store was asked for or
given since the file was written counts as needed. A push does so in the store that it fills, and a
pull tells what it fetches for results to come.

A host that sees the directory goes by its manifests, which are nearer to the truth than the file.
Where it sees that the directory is gone, the root is dead. It sees that only if it is the same
host, in the same container, and there is mounted what was mounted there: with the same place
another container may mean another directory.
"""

import contextlib
import difflib
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from ledger.disk import owner
from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.canonical import digest, is_sha256
from ledger.disk.documents import MALFORMED, sealed, typed, unsealed
from ledger.errors import InputError, IntegrityError
from ledger.jobs.manifest import Manifest
from ledger.jobs.results import manifests_below
from ledger.store.store import Store

SCHEMA = 1

DIRECTORY = "roots"

MOUNTS = Path("/proc/self/mountinfo")
"""What is mounted where, as this process sees it; not on every system."""


class State(StrEnum):
    """What can be seen of a root's directory from here."""

    HERE = "here"
    GONE = "gone"
    ELSEWHERE = "not to be seen from here"


@dataclass(frozen=True, kw_only=True)
class Root:
    """A directory of results, as its last run has left it.

    Attributes
    ----------
    host : the machine and the container on it, see `ledger.disk.owner.place`.
    path : the directory, absolute and without links.
    mount : the file system that it is on, see `mount_of`.
    when : the time of its last run, by that host's clock, as ISO 8601.
    is_open : whether that run is on, or was stopped before it had finished.
    since : where a run before that one left it open, from when on; seconds since 1970, by the clock
        that stamps the store's files.
    keys, objects : of all manifests there: their keys, and the sha256 of their outputs; sorted.
    pulled : keys of what was fetched for results that may be made there yet; sorted.
    """

    host: str
    path: str
    mount: str
    when: str
    is_open: bool
    since: float | None
    keys: tuple[str, ...]
    objects: tuple[str, ...]
    pulled: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How people call it: host and path."""
        return f"{self.host.partition(':')[0]}:{self.path}"

    @property
    def file(self) -> str:
        """The name of its file in a store."""
        return f"{DIRECTORY}/{digest([self.host, self.path, self.mount])}.json"

    def content(self) -> bytes:
        """What its file holds."""
        return sealed(asdict(self), SCHEMA)

    def state(self) -> State:
        """What can be seen of it from here."""
        if self.host != owner.place():
            return State.ELSEWHERE
        path = Path(self.path)
        try:
            is_there = path.is_dir()  # first, as that may be what has it mounted
        except OSError:  # another user's
            return State.ELSEWHERE
        if self.mount != _mount(path):
            return State.ELSEWHERE
        return State.HERE if is_there else State.GONE


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What must stay in a store.

    Attributes
    ----------
    keys, objects : of records, and the sha256 of objects.
    since : all that was used or made from then on stays, too; seconds since 1970, by the clock that
        stamps the store's files.
    """

    keys: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    since: float = math.inf

    @classmethod
    def of(cls, manifests: Iterable[Manifest]) -> "Needs":
        """What the manifests refer to."""
        made = list(manifests)
        objects = (output.sha256 for manifest in made for output in manifest.outputs.values())
        return cls(keys=frozenset(manifest.key for manifest in made), objects=frozenset(objects))

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(
            keys=self.keys | other.keys,
            objects=self.objects | other.objects,
            since=min(self.since, other.since),
        )


def register(
    store: Store,
    results: Path,
    *,
    is_open: bool | None = None,
    pulled: Iterable[str] = (),
    is_all: bool = False,
) -> None:
    """Write down that a store is kept for a directory of results, and what they need.

    Parameters
    ----------
    is_open : whether jobs may still add to it; None leaves that as it is.
    pulled : keys of what is fetched for results that may be made there yet.
    is_all : whether that is all that is so, and what was pulled before is needed no more.

    Raises
    ------
    OSError
        When the store cannot be written, or something in the results cannot be read.
    """
    root = seen(results)
    place = store.root / root.file
    before = None
    with contextlib.suppress(OSError, *MALFORMED):
        before = _read(place)
    since = (before.since or place.stat().st_mtime) if before and before.is_open else None
    is_open = since is not None if is_open is None else is_open
    kept = before.pulled if before and not is_all else ()
    root = replace(
        root,
        is_open=is_open,
        since=since if is_open else None,
        pulled=tuple(sorted({*pulled, *kept})),
    )
    store.make(place.parent)
    write_bytes(place, root.content(), lasting=True)


def seen(results: Path) -> Root:
    """A directory of results here as a root, of which no run is on.

    Raises
    ------
    OSError
        When something in it cannot be read.
    """
    path = results.resolve()
    needs = Needs.of(sound for _, sound in manifests_below(path) if isinstance(sound, Manifest))
    return Root(
        host=owner.place(),
        path=str(path),
        mount=_mount(path),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        is_open=False,
        since=None,
        keys=tuple(sorted(needs.keys)),
        objects=tuple(sorted(needs.objects)),
    )


def _read(path: Path) -> Root:
    return typed(Root, unsealed(read_bytes(path), SCHEMA))


def read_roots(store: Store) -> dict[Path, Root]:
    """The roots of a store, by the path of their files, by name.

    Raises
    ------
    IntegrityError
        When one is damaged, or of another version of this package: nobody then knows what it needs.
    """
    found = {}
    for path in (store.root / DIRECTORY).glob("*.json"):
        if not is_sha256(path.stem):
            continue
        try:
            found[path] = _read(path)
        except FileNotFoundError:
            continue
        except MALFORMED as error:
            raise IntegrityError(
                f"{path}: not a root of schema {SCHEMA} ({error}), so what it needs is not known. "
                "Run `snakemake` where it belongs, or delete this file if that is gone."
            ) from None
    return dict(sorted(found.items(), key=lambda item: item[1].name))


def needs(path: Path, root: Root) -> Needs:
    """What a root needs: by its manifests where they can be seen, all of them, and by its file.

    Parameters
    ----------
    path : of its file.
    """
    state = root.state()
    if state is State.GONE:
        return Needs()
    # Taken before the manifests are read, which a run may be making.
    written = (root.since or path.stat().st_mtime) if root.is_open else math.inf
    pulled = Needs(keys=frozenset(root.pulled))
    recorded = Needs(keys=frozenset(root.keys), objects=frozenset(root.objects), since=written)
    recorded |= pulled
    if state is State.ELSEWHERE:
        return recorded
    try:
        found = [made for _, made in manifests_below(Path(root.path))]
    except OSError:  # another user's
        return recorded
    sound = [made for made in found if isinstance(made, Manifest)]
    is_told = len(sound) == len(found) and not root.is_open
    return Needs.of(sound) | (pulled if is_told else recorded)


def called(known: Mapping[Path, Root], name: str) -> list[Path]:
    """The files of the roots that people call `name`, and that cannot be seen from here.

    Raises
    ------
    InputError
        When there is none; names what comes nearest.
    """
    found = [path for path, root in known.items() if root.name == name]
    if not found:
        nearest = difflib.get_close_matches(name, [r.name for r in known.values()], n=1, cutoff=0.4)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise InputError(f"{name}: the store has no such root{hint}")
    if any(known[path].state() is State.HERE for path in found):
        raise InputError(f"{name}: is here, so it counts as long as it is; remove or move it")
    return found


def mount_of(path: Path, table: str) -> str:
    """Where the file system of a path is mounted, which part of it, and what it is.

    Parameters
    ----------
    path : absolute and without links.
    table : of mounts, as in /proc/self/mountinfo (proc(5)).
    """
    found = Path("/"), "", ""
    for line in table.splitlines():
        before, _, after = line.partition(" - ")
        part, place = before.split(" ")[3:5]
        source = after.split(" ")[1]
        where = Path(re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), place))
        # Of several at one place the last one is seen.
        if path.is_relative_to(where) and len(where.parts) >= len(found[0].parts):
            # Disks may have other numbers after the next boot.
            found = where, part, "" if source.startswith("/dev/") else source
    return " ".join(map(str, found)).rstrip()


def _mount(path: Path) -> str:
    """As `mount_of`, of this process; the place alone where there is no such table."""
    try:
        return mount_of(path, MOUNTS.read_text(errors="surrogateescape"))
    except OSError:
        return str(next(place for place in (path, *path.parents) if os.path.ismount(place)))
