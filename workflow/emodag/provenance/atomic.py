"""Files that appear whole or not at all, and are read at once or not at all."""

import errno
import os
import tempfile
from pathlib import Path


def write_bytes(path: Path, content: bytes, mode: int | None = None) -> None:
    """Put `content` at `path` by writing a neighbour and renaming it over.

    The neighbour's name is unique, so two writers of one path end with one of the two contents.
    Without a `mode` the umask decides, but never for a file that everybody may write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            os.fchmod(handle, 0o664 & ~_umask() if mode is None else mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_bytes(path: Path) -> bytes:
    """What a file holds; a pipe in its place, which could be waited for for ever, is an OSError."""
    if path.is_fifo():
        raise OSError(errno.EINVAL, "Is a pipe", str(path))
    return path.read_bytes()


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
