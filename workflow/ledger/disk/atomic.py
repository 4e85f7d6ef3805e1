"""Files that appear whole or not at all, and are read at once or not at all."""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ledger.disk.regular import naming, open_regular

CHUNK = 1 << 20
FICLONE = 0x40049409
"""Linux ioctl that shares a file's blocks copy-on-write (linux/fs.h)."""


def write_bytes(
    path: Path, content: bytes, mode: int | None = None, *, lasting: bool = False
) -> None:
    """Put `content` at `path` by writing a neighbour and renaming it over.

    The neighbour's name is unique, so two writers of one path end with one of the two contents.
    Without a `mode` the umask decides, but never for a file that everybody may write. What is
    `lasting` is on the disk, with its name, when this returns.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path, 0o664 & ~_umask() if mode is None else mode, lasting=lasting) as stream:
            stream.write(content)


@contextlib.contextmanager
def written(
    path: Path, mode: int, *, lasting: bool = False, room: Path | None = None
) -> Iterator[BinaryIO]:
    """A new file, to be read and written, that is put at `path` once nothing has failed.

    Parameters
    ----------
    lasting : whether it is on the disk, with its name, after that.
    room : a directory of the same file system where it lies until then; by default beside `path`.
    """
    handle, name = tempfile.mkstemp(dir=room or path.parent, prefix=f".{path.name[:50]}.")
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
            os.fchmod(handle, mode)
            if lasting:
                stream.flush()
                os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if lasting:
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Have the names in a directory reach the disk; where its file system can do that."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def read_bytes(path: Path) -> bytes:
    """What a file holds; an OSError, at once, for anything that is no file."""
    with naming(path), open_regular(path) as stream:
        return stream.read()


def copy_hashed(source: Path, target: Path) -> str:
    """Copy a file to a new one; returns the sha256 of the copy, whatever befalls the source.

    Raises
    ------
    OSError
        When either cannot be read or written, the source is no file, or the target exists.
    """
    with open_regular(source) as stream, target.open("x+b") as sink:
        copy_into(stream, sink)
        return stream_sha256(sink)


def copy_into(stream: BinaryIO, sink: BinaryIO) -> None:
    """Copy an open file into an empty one, which shares its blocks where the disk can do that."""
    try:
        fcntl.ioctl(sink.fileno(), FICLONE, stream.fileno())
    except OSError:
        shutil.copyfileobj(stream, sink, CHUNK)
        sink.flush()


def stream_sha256(stream: BinaryIO) -> str:
    """sha256, in hex, of all that an open file holds."""
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
