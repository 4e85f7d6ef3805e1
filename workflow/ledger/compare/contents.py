"""Files to compare: on the disk, or out of a pack and then in memory alone."""

import io
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ledger.disk.regular import open_regular


class Packed(NamedTuple):
    """A file out of a pack: its path there, and its bytes, which may be a stranger's."""

    path: Path
    content: bytes

    @property
    def suffix(self) -> str:
        """The suffix of its name."""
        return self.path.suffix

    def __str__(self) -> str:
        return str(self.path)


def opened(file: Path | Packed) -> BinaryIO:
    """Open a file to read its bytes; an OSError, at once, for anything that is no file."""
    return io.BytesIO(file.content) if isinstance(file, Packed) else open_regular(file)
