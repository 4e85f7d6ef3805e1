"""The store: objects named by the sha256 of their bytes, and an action record per key.

Layout below the root::

    objects/ab/cdef...      file contents, read-only
    actions/ab/cdef....json what the computation with key abcdef... made
    checkpoints/ab/cdef....safetensors
                            how far the computation with key abcdef... has come, while it runs
    scratch/                where jobs compute before they publish

Objects and records appear by `os.replace` within the store's file system: a reader sees all of one
or nothing, two writers of one name end with one object, and a killed writer leaves only a file in
`scratch`. No lock is ever held.

Whoever may write the root may write all of it: its group, group permission and set-group-ID bit
pass on to the directories below, whatever the users' umasks (`mkdir store; chgrp lab store; chmod
2775 store` makes one for a group). Nothing is ever writable for everybody.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from emodag.errors import EmodagError, IntegrityError
from emodag.provenance import owner
from emodag.provenance.atomic import write_bytes
from emodag.provenance.canonical import CHUNK, digest, is_file_name, is_sha256
from emodag.provenance.manifest import Output
from emodag.provenance.schema import check

SCHEMA = 2
"""Version 2 has sketches; a record of version 1 counts as damaged, so it is computed anew."""
FICLONE = 0x40049409
"""Linux ioctl that shares a file's blocks copy-on-write (linux/fs.h)."""


class StoreError(EmodagError):
    """A disk is full, read-only or gone, the store's in most cases."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a computation made: outputs by name, the persons whose labels it saw, its cost.

    `made` says when, where and how it was computed; see `emodag.provenance.sidecar`.
    """

    outputs: dict[str, Output]
    labels_seen: tuple[str, ...]
    cost: dict[str, Any]
    made: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise an error for what no computation can have recorded."""
        check(self)
        float(self.cost["seconds"])
        for name, output in self.outputs.items():
            if not (is_file_name(name) and is_sha256(output.sha256) and is_sha256(output.logical)):
                raise ValueError("an unsafe name")


class Store:
    """A content-addressed store below one directory, created on first use."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def lookup(self, key: str) -> Action | None:
        """The action recorded for a key, or None where there is none that can be trusted.

        A damaged record is removed, so that the next computation can replace it.
        """
        try:
            return self._read(key)
        except ValueError:
            with contextlib.suppress(OSError):
                self._path("actions", key).with_suffix(".json").unlink()
            return None

    def peek(self, key: str) -> Action | None:
        """As `lookup`, but a damaged record is left where it is."""
        with contextlib.suppress(ValueError):
            return self._read(key)

    def _read(self, key: str) -> Action | None:
        """A key's record, None where there is none; ValueError where it is damaged."""
        path = self._path("actions", key).with_suffix(".json")
        try:
            body = json.loads(path.read_bytes())
            if body.pop("digest") != digest(body) or body.pop("schema") != SCHEMA:
                raise ValueError("altered")
            outputs = {name: Output(**entry) for name, entry in body.pop("outputs").items()}
            action = Action(outputs=outputs, labels_seen=tuple(body.pop("labels_seen")), **body)
            action.check()
            return action
        except FileNotFoundError:
            return None
        except OSError as error:
            raise explain(error, path) from error
        except (LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(str(error)) from None

    def holds(self, action: Action) -> bool:
        """Whether all of an action's objects are there, undamaged or not."""
        return all(self._path("objects", o.sha256).is_file() for o in action.outputs.values())

    def record(self, key: str, action: Action) -> None:
        """Record an action whose objects are all in the store."""
        body = {"schema": SCHEMA, **asdict(action), "labels_seen": list(action.labels_seen)}
        text = json.dumps({**body, "digest": digest(body)}, sort_keys=True, indent=1)
        with self._explained():
            path = self._path("actions", key).with_suffix(".json")
            self.make(path.parent)
            write_bytes(path, text.encode() + b"\n", mode=0o444)

    def publish(self, path: Path) -> str:
        """Move a file from `scratch` into the store; returns the sha256 of its bytes.

        The file is flushed to the disk first, so that a name never refers to lost content.
        """
        with self._explained():
            with path.open("rb") as stream:
                name = _hash(stream)
                os.fsync(stream.fileno())
            target = self._path("objects", name)
            self.make(target.parent)
            path.chmod(0o444)
            path.replace(target)
        return name

    def place(self, sha256_: str, target: Path) -> None:
        """Put a verified, writable copy of an object at `target`, atomically.

        The copy shares blocks with the object where the file system can (a reflink), never the
        file itself: an edit of a result must not reach the store.

        Raises
        ------
        IntegrityError
            When the object is missing, or damaged (it is then removed).
        """
        source = self._path("objects", sha256_)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        copy = Path(name)
        try:
            with os.fdopen(handle, "r+b") as sink:
                if source.is_symlink():
                    raise IntegrityError(f"{source}: is a link; the store holds none")
                with source.open("rb") as stream:
                    _clone(stream, sink)
                found = _hash(sink)
            if found != sha256_:
                with contextlib.suppress(OSError):
                    source.unlink()
                raise IntegrityError(f"{source}: object was damaged and has been removed")
            copy.chmod(0o644)
            copy.replace(target)
        except FileNotFoundError:
            raise IntegrityError(f"{source}: no such object") from None
        except OSError as error:
            raise explain(error, target) from error
        finally:
            copy.unlink(missing_ok=True)

    def checkpoint(self, key: str) -> Path:
        """Where the computation with this key keeps how far it has come."""
        return self._path("checkpoints", key).with_suffix(".safetensors")

    def object(self, sha256_: str) -> Path:
        """Where the object with these bytes lies, if the store has it."""
        return self._path("objects", sha256_)

    def action(self, key: str) -> Path:
        """Where the record of the computation with this key lies, if there is one."""
        return self._path("actions", key).with_suffix(".json")

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty directory on the store's file system, removed afterwards.

        It bears its owner's name, by which `emodag.provenance.garbage` tells what a dead process
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


def _hash(stream) -> str:
    hasher = sha256()
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        hasher.update(chunk)
    return hasher.hexdigest()


def _clone(stream, sink) -> None:
    try:
        fcntl.ioctl(sink.fileno(), FICLONE, stream.fileno())
    except OSError:
        shutil.copyfileobj(stream, sink, CHUNK)
        sink.flush()


def explain(error: OSError, where: Path) -> StoreError:
    """A full disk, a read-only store and the like, as something a user can mend."""
    advice = {
        errno.ENOSPC: "the disk is full; free some space and run the same command again",
        errno.EDQUOT: "your quota is used up; free some space and run the same command again",
        errno.EROFS: "the file system is read-only; results, `.emodag` and the `store` of the "
        "configuration need one that can be written",
        errno.EACCES: "ask for access, or choose another `store` in the configuration",
        errno.EPERM: "ask for access, or choose another `store` in the configuration",
    }.get(error.errno)
    what = f"{error.filename or where}: {error.strerror or error}"
    return StoreError(f"{what}: {advice}." if advice else f"{what}.")
