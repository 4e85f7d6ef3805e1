"""The store: objects named by the sha256 of their bytes, and an action record per key.

Layout below the root::

    objects/ab/cdef...      file contents, read-only
    actions/ab/cdef....json what the computation with key abcdef... made
    checkpoints/ab/cdef....safetensors
                            how far the computation with key abcdef... has come, while it runs
    scratch/                where jobs compute before they publish
    quarantine/cdef...-123  what was found damaged, and beside it a note that says what is wrong
    roots/abcdef....json    a directory of results that needs what is here
    signatures/ab/cdef...-0123
                            somebody's signature of the record with key abcdef...
    checked                 the object that `verify --store` hashed last

A record's time is that of its last use.

Objects and records appear by `os.replace` within the store's file system: a reader sees all of one
or nothing, two writers of one name end with one object, and a killed writer leaves only a file in
`scratch`. No lock is ever held. Both are on the disk, with their names, before anything refers to
them.

Each is bound to its name: an object's is the sha256 of its bytes, a record holds its key. What does
not fit its name, or is no file, is moved to `quarantine` and computed again; nothing is deleted.

Whoever may write the root may write all of it: its group, group permission and set-group-ID bit
pass on to the directories below, whatever the users' umasks (`mkdir store; chgrp lab store; chmod
2775 store` makes one for a group). Nothing is ever writable for everybody.
"""

import contextlib
import errno
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from ledger import called
from ledger.disk import owner
from ledger.disk.atomic import (
    copy_into,
    read_bytes,
    stream_sha256,
    sync_directory,
    write_bytes,
    written,
)
from ledger.disk.canonical import is_sha256
from ledger.disk.documents import MALFORMED, FileName, OtherSchema, sealed, typed, unsealed
from ledger.disk.regular import open_regular, other_kind
from ledger.errors import InputError, IntegrityError, UserError
from ledger.jobs.manifest import Output

SCHEMA = 4
"""Version 4 has digests of parts; a record of another version is as good as none."""

LONGEST = 100
"""How much of what a damaged record holds is told."""

MOST = 1e18
"""What no computation costs, in seconds or bytes; neither does infinity, or what is no number."""

NOTE = ".note"
"""What the name of a note in quarantine ends in."""


class StoreError(UserError):
    """A disk is full, read-only or gone, the store's in most cases."""


class RecordError(ValueError):
    """An action record is not what its name says; the message says what it is instead."""


def _are_costs(found: dict[str, Any]) -> bool:
    costs = found["seconds"], *found.values()
    return all(type(cost) in (int, float) and 0 <= cost < MOST for cost in costs)


def _are_circumstances(found: dict[str, Any]) -> bool:
    told = (found.get(name, "") for name in ("job", "stage", "started", "host"))
    return all(isinstance(text, str) for text in told)


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a computation made: outputs by name, whose labels it saw, its cost.

    `made` says when, where and how it was computed; see `ledger.store.sidecar`.
    """

    outputs: dict[FileName, Output]
    labels_seen: tuple[str, ...]
    cost: Annotated[dict[str, Any], _are_costs, "is a cost that nothing has"]
    made: Annotated[dict[str, Any], _are_circumstances, "tells other than in words"] = field(
        default_factory=dict
    )


def parse(content: bytes, key: str) -> Action:
    """The action that a record's bytes tell of, which must be that of a key.

    Raises
    ------
    RecordError
        When it is damaged, or that of another computation.
    OtherSchema
        When it is of another version.
    """
    try:
        body = unsealed(content, SCHEMA)
        if (of := body.pop("key")) != key:
            raise RecordError(f"the record of another computation (key {str(of)[:LONGEST]})")
        return typed(Action, body)
    except (OtherSchema, RecordError):
        raise
    except MALFORMED as error:
        raise RecordError(f"a damaged record ({str(error)[:LONGEST]})") from None


class Store:
    """A content-addressed store below one directory, created on first use."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def require(self) -> None:
        """See to it that this is a store, be it an empty one.

        Raises
        ------
        InputError
            When it is not there, or another directory.
        """
        if not any((self.root / name).is_dir() for name in ("actions", "objects", "roots")):
            raise InputError(f"{self.root}: no such store; one has directories actions and objects")

    def lookup(self, key: str, warn: Callable[[str], object] = lambda _: None) -> Action | None:
        """The action recorded for a key, or None where there is none that can be trusted.

        A record that is damaged or another's is set aside, and `warn` told.
        """
        try:
            return self.read(key)
        except RecordError as error:
            warn(f"{self.action(key)}: is {error}{self.set_aside(key, str(error))}")
            return None

    def set_aside(self, key: str, wrong: str) -> str:
        """Move a record to `quarantine`; returns where it is now, as the end of a sentence."""
        wanted = f"the record of the computation with key {key}"
        return self._set_aside(self.action(key), wanted, wrong)

    def is_aside(self, sha256_: str) -> bool:
        """Whether an object was found damaged, and is kept in `quarantine`."""
        return any((self.root / "quarantine").glob(f"{sha256_}-*"))

    def use(self, key: str) -> None:
        """Note that a record is used now, which keeps it from being garbage for a while."""
        note_use(self.action(key))

    def peek(self, key: str) -> Action | None:
        """As `lookup`, but everything stays where it is."""
        with contextlib.suppress(RecordError):
            return self.read(key)

    def read(self, key: str) -> Action | None:
        """The action recorded for a key, None where there is none.

        Raises
        ------
        RecordError
            When the record is damaged, or that of another computation.
        """
        path = self.action(key)
        try:
            return parse(read_bytes(path), key)
        except (FileNotFoundError, OtherSchema):
            return None
        except OSError as error:
            if kind := _other_kind(path):
                raise RecordError(f"{kind}, no record") from None
            raise explain(error, path) from error

    def newer(self, key: str) -> int | None:
        """The format of a record that a newer version has made; None of any other record."""
        with contextlib.suppress(OSError, RecordError):
            try:
                parse(read_bytes(self.action(key)), key)
            except OtherSchema as error:
                return error.schema if type(error.schema) is int and error.schema > SCHEMA else None
        return None

    def whole(self, key: str) -> Action | None:
        """The action recorded for a key, None where an object of it, or itself, is not there."""
        action = self.peek(key)
        return action if action and self.holds(action) else None

    def holds(self, action: Action) -> bool:
        """Whether all of an action's objects are there, undamaged or not."""
        return all(self._path("objects", o.sha256).is_file() for o in action.outputs.values())

    def has(self, sha256_: str) -> bool:
        """Whether an object is there, and undamaged."""
        path = self.object(sha256_)
        try:
            with open_regular(path) as stream:
                return not path.is_symlink() and stream_sha256(stream) == sha256_
        except OSError:
            return False

    def examine(self, sha256_: str) -> str | None:
        """What lies in an object's place and is not it, and where it was set aside, in words.

        None for a sound object, and where there is none.

        Raises
        ------
        StoreError
            When it cannot be read, though it may be sound.
        """
        path = self.object(sha256_)
        try:
            aside = self._clear(path, sha256_)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise explain(error, path) from error
        return f"something else{aside}" if aside else None

    def record(self, key: str, action: Action) -> None:
        """Record an action whose objects are all in the store."""
        content = sealed({"key": key, **asdict(action)}, SCHEMA)
        with self._explained():
            path = self.action(key)
            self.make(path.parent)
            write_bytes(path, content, mode=0o444, lasting=True)

    def publish(self, path: Path) -> str:
        """Move a file from `scratch` into the store; returns the sha256 of its bytes.

        File and name are flushed to the disk, so that no record ever refers to lost content.
        """
        with self._explained():
            with open_regular(path) as stream:
                name = stream_sha256(stream)
                os.fsync(stream.fileno())
            target = self.object(name)
            self.make(target.parent)
            with contextlib.suppress(OSError):  # what cannot be read gives way
                self._clear(target, name)
            path.chmod(0o444)
            path.replace(target)
            sync_directory(target.parent)
        return name

    def place(self, sha256_: str, target: Path) -> None:
        """Put a verified, writable copy of an object at `target`, atomically.

        The copy shares blocks with the object where the file system can (a reflink), never the
        file itself: an edit of a result must not reach the store.

        Raises
        ------
        IntegrityError
            When the object is missing, or damaged (it is then set aside).
        StoreError
            When nothing can be written there, or what is written comes out different.
        """
        source = self.object(sha256_)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with written(target, 0o644) as sink:
                if kind := _other_kind(source):
                    aside = self._clear(source, sha256_)
                    raise IntegrityError(f"{source}: is {kind}; the store holds none{aside}")
                with open_regular(source) as stream:
                    copy_into(stream, sink)
                if stream_sha256(sink) != sha256_:
                    # The copy may be what is wrong, by a bad disk or memory.
                    if aside := self._clear(source, sha256_):
                        raise IntegrityError(f"{source}: object was damaged{aside}")
                    raise StoreError(
                        f"{target}: differs from the sound object it was copied from. Is the disk "
                        "or the memory of this machine damaged? Run the same command again."
                    )
        except FileNotFoundError:
            raise IntegrityError(f"{source}: no such object") from None
        except OSError as error:
            raise explain(error, target) from error

    def lend(self, sha256_: str, target: Path) -> bool:
        """Put an object at `target` in `scratch`, to be read there; False where it cannot be had.

        It is a link, which stays although the object be removed meanwhile, and the object's bytes
        are hashed. Where there can be no link, as of somebody else's object, it is a copy.
        """
        with contextlib.suppress(OSError):
            os.link(self.object(sha256_), target, follow_symlinks=False)
            with open_regular(target) as stream:
                if not target.is_symlink() and stream_sha256(stream) == sha256_:
                    return True
        target.unlink(missing_ok=True)
        try:
            self.place(sha256_, target)
        except IntegrityError:
            return False
        return True

    def _clear(self, path: Path, sha256_: str) -> str:
        """Set aside what lies in an object's place and is not that object.

        Returns where it is now, as the end of a sentence; "" where it is the object.

        Raises
        ------
        OSError
            When nothing is there, or what is there cannot be read, though it may be sound.
        """
        if (found := _other_kind(path)) is None:
            found = self._content_of(path)
        wanted = f"sha256 {sha256_}"
        return "" if found == wanted else self._set_aside(path, wanted, found)

    def _content_of(self, path: Path) -> str:
        """What a file is, for a note: its sha256, or unreadable while the store can be used.

        A file system that is away says EIO of all that is on it, and perhaps not for long.
        """
        for is_last in (False, True):
            try:
                with open_regular(path) as stream:
                    return f"sha256 {stream_sha256(stream)}"
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                if is_last:
                    return f"unreadable: {error.strerror}"
            with self.scratch():
                pass

    def _set_aside(self, path: Path, expected: str, found: str) -> str:
        """Move what is damaged to `quarantine`, with a note; returns where to, for a sentence.

        A store that is full or cannot be written keeps it where it is, which is no reason to fail.
        """
        facts = {
            "was": self.name(path),
            "expected": expected,
            "found": found,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        name = f"{path.parent.name}{path.name}-{time.time_ns()}"  # another one each time
        note = self.root / "quarantine" / (name + NOTE)
        try:
            aside = self._below("quarantine") / name
            self.make(aside.parent)
            note.touch(0o664, exist_ok=False)
            note.write_text(json.dumps(facts, indent=1) + "\n")
            path.rename(aside)
        except (OSError, IntegrityError) as error:
            with contextlib.suppress(OSError):
                note.unlink()
            return f"; it could not be set aside ({error})"
        return f"; it is now {aside}"

    def checkpoint(self, key: str) -> Path:
        """Where the computation with this key keeps how far it has come."""
        return self._path("checkpoints", key).with_suffix(".safetensors")

    def object(self, sha256_: str) -> Path:
        """Where the object with these bytes lies, if the store has it."""
        return self._path("objects", sha256_)

    def action(self, key: str) -> Path:
        """Where the record of the computation with this key lies, if there is one."""
        return self._path("actions", key).with_suffix(".json")

    def name(self, path: Path) -> str:
        """What a file of the store is called below its root."""
        return path.relative_to(self.root).as_posix()

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty directory on the store's file system, removed afterwards.

        It bears its owner's name, by which `ledger.store.garbage` tells what a dead process
        left from what a living one uses.
        """
        with self._explained():
            parent = self._below("scratch")
            self.make(parent)
            directory = Path(tempfile.mkdtemp(dir=parent, prefix=f"{owner.name()}-"))
        try:
            yield directory
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise explain(error, self.root) from error
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def make(self, directory: Path) -> None:
        """Make a directory below the root, open to whom the root is open, but to nobody else."""
        self.root.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(self.root.stat().st_mode) & 0o2775
        for path in (*reversed(directory.relative_to(self.root).parents[:-1]), directory):
            with contextlib.suppress(FileExistsError):
                (self.root / path).mkdir()
                (self.root / path).chmod(mode)
                sync_directory((self.root / path).parent)

    def _path(self, kind: str, name: str) -> Path:
        if not is_sha256(name):
            raise IntegrityError(f"{name!r} is not a sha256 and cannot name anything in the store")
        return self._below(kind, name[:2]) / name[2:]

    def _below(self, *names: str) -> Path:
        """A directory of the store, where no link leads elsewhere; the root itself may be one."""
        directory = self.root.joinpath(*names)
        if directory.resolve() != self.root.resolve().joinpath(*names):
            raise IntegrityError(f"{directory}: is or lies behind a link; the store holds none")
        return directory

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise explain(error, self.root) from error


def note_use(record: Path) -> None:
    """Have a record's time be that of now, where that can be done."""
    with contextlib.suppress(OSError):  # there may be none, or no way to write
        try:
            os.utime(record)
        except PermissionError:  # somebody else's
            write_bytes(record, read_bytes(record), mode=0o444)


def _other_kind(path: Path) -> str | None:
    """What lies there that is no file, be it a link to one; None for a file, and for nothing."""
    try:
        return other_kind(path.lstat().st_mode)
    except OSError:
        return None


def explain(error: OSError, where: Path) -> StoreError:
    """A full disk, a read-only store and the like, as something a user can mend."""
    advice = {
        errno.ENOSPC: "the disk is full; free some space and run the same command again",
        errno.EDQUOT: "your quota is used up; free some space and run the same command again",
        errno.EROFS: f"the file system is read-only; results, `{called.home()}` and the `store` of "
        "the configuration need one that can be written",
        errno.EACCES: "ask for access, or choose another `store` in the configuration",
        errno.EPERM: "ask for access, or choose another `store` in the configuration",
    }.get(error.errno)
    what = f"{error.filename or where}: {error.strerror or error}"
    return StoreError(f"{what}: {advice}." if advice else f"{what}.")
