"""Faults of the file system: the n-th file operation fails, or the process dies there.

The library of faults.c is loaded into every process of a sweep, the clean runs included, and does
nothing until it is armed: so no run differs from another one in what enters a key.
"""

import ctypes
import errno
import mmap
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "FAULTS"
MOST = 20000

KINDS = {
    **{name: getattr(errno, name) for name in ("ENOSPC", "EIO", "ESTALE", "EDQUOT", "EACCES")},
    "death": -1,
    "death in a write": -2,
    "power cut": -1,
}
"""What may happen at an operation, as faults.c knows it.

After a power cut, what was written to a file and not flushed to the disk is half lost, whatever
the file is called by then.
"""


class _Operation(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char * 16), ("path", ctypes.c_char * 112)]


class _Control(ctypes.Structure):
    """`struct control` of faults.c."""

    _fields_ = [
        ("root", ctypes.c_char * 1024),
        *((name, ctypes.c_int64) for name in ("armed", "point", "kind", "seen")),
        ("operations", _Operation * MOST),
        ("dirty", ctypes.c_int64),
        ("unsynced", ctypes.c_uint64 * MOST),
    ]


def has_compiler() -> bool:
    """Whether the library can be built here."""
    return shutil.which("cc") is not None


def build(directory: Path) -> dict[str, str]:
    """Build the library; the variables that load it into a process and all that it starts."""
    library, control = directory / "faults.so", directory / "faults"
    source = Path(__file__).with_name("faults.c")
    command = ["cc", "-O1", "-fPIC", "-shared", "-o", library, source, "-ldl"]
    subprocess.run(command, check=True)
    with control.open("wb") as stream:
        stream.truncate(ctypes.sizeof(_Control))
    return {"LD_PRELOAD": str(library), VARIABLE: str(control)}


class Faults:
    """The switch of the library that this process was started with."""

    def __init__(self) -> None:
        with Path(os.environ[VARIABLE]).open("r+b") as stream:
            self._shared = mmap.mmap(stream.fileno(), 0)
        self._control = _Control.from_buffer(self._shared)

    @contextmanager
    def armed(self, root: Path, point: int, kind: str) -> Iterator[None]:
        """Count operations below a directory meanwhile; at the one numbered `point` it happens."""
        control = self._control
        control.root, control.point, control.kind = bytes(root), point, KINDS[kind]
        control.seen = control.dirty = 0
        control.armed = 1
        try:
            yield
        finally:
            control.armed = 0

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Let everything pass, uncounted, meanwhile."""
        before, self._control.armed = self._control.armed, 0
        yield
        self._control.armed = before

    def operations(self) -> list[str]:
        """What has been counted: each operation with its file."""
        seen = self._control.operations[: min(self._control.seen, MOST)]
        return [f"{entry.name.decode()} {entry.path.decode()}" for entry in seen]

    @property
    def seen(self) -> int:
        """How many operations have been counted."""
        return self._control.seen

    def cut_power(self, root: Path) -> None:
        """Take from files what a power cut would: half of what was written and never flushed."""
        lost = set(self._control.unsynced[: self._control.dirty]) - {0}
        for path in root.rglob("*"):
            if path.is_file() and (status := path.lstat()).st_ino in lost:
                os.truncate(path, status.st_size // 2)
