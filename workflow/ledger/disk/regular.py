"""Opening files that somebody else put there, so that nothing but a file is ever waited for."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a link",
}


def other_kind(mode: int) -> str | None:
    """What something of this mode is called, None where it is a file."""
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no file")


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read its bytes; refuse whatever could block or never end.

    Raises
    ------
    OSError
        As `open` does, and at once for a directory, pipe, socket or device.
    """
    # Before it is opened, as that alone makes some devices act; and what was opened, as another
    # may have taken the path's place.
    _require_regular(path.stat().st_mode, path)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_regular(os.fstat(handle).st_mode, path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def size_of(path: Path) -> int | None:
    """How many bytes a file has; None where nothing is, or no file. Links are followed."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have errors name the file, which the system leaves out where the file is open already."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def _require_regular(mode: int, path: Path) -> None:
    if kind := other_kind(mode):
        raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, f"Is {kind}", str(path))
