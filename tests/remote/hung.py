"""A mount whose server says nothing any more: what is asked of it is never answered.

As where a network file system is gone, a process that asks waits for ever, and SIGKILL does not end
it either. It is a file system in user space (`linux/fuse.h`) that says only that it is one.
"""

import contextlib
import ctypes
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

DEVICE = Path("/dev/fuse")
INIT = 26
FORCE, DETACH = 1, 2


@contextlib.contextmanager
def hung(target: Path) -> Iterator[None]:
    """Have a directory be such a mount; in the end it goes, and nobody waits for it any more."""
    libc, place = ctypes.CDLL(None), os.fsencode(target)
    try:
        device = os.open(DEVICE, os.O_RDWR)
    except OSError:
        pytest.skip(f"needs {DEVICE}")
    options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % device
    if libc.mount(b"hung", place, b"fuse", 0, options):
        os.close(device)
        pytest.skip("needs the right to mount")
    threading.Thread(target=_begin, args=(device,), daemon=True).start()
    try:
        yield
    finally:
        libc.umount2(place, FORCE | DETACH)


def _begin(device: int) -> None:
    """Answer the first question, which is that of the mount, and take all others."""
    with contextlib.suppress(OSError), os.fdopen(device, "r+b", buffering=0) as line:
        while asked := line.read(1 << 20):
            _, what, number = struct.unpack_from("<IIQ", asked)
            if what == INIT:
                about = struct.pack("<IIIIHHII", 7, 31, 0, 0, 12, 9, 1 << 16, 1).ljust(64, b"\0")
                line.write(struct.pack("<IiQ", 16 + len(about), 0, number) + about)
