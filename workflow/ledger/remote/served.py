"""A directory, used on behalf of another process, which need not wait for it.

A call on a mount whose server is gone may never return, and no signal may end it. So
`ledger.remote.remote.Directory` has processes of their own make these calls, and leaves them where
they hang.
"""

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from ledger.disk.atomic import CHUNK, copy_into, written
from ledger.disk.regular import open_regular
from ledger.errors import UserError
from ledger.store.store import Store, explain, note_use

PIECE, END, REFUSED, ERROR = b"+", b".", b"-", b"!"
"""What an answer begins with; `REFUSED` tells of one file, `ERROR` of the directory."""

ITS_OWN = (errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EINVAL, errno.ELOOP)
"""What may be wrong with one file while others can be had."""

EITHER = (errno.EIO, errno.ESTALE)
"""What may be wrong with one file, or with all there is on a disk or a server."""

PROGRAM = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from {__name__} import serve
serve(int(sys.argv[1]))
"""
"""To be run with the number of a socket."""


def serve(handle: int) -> None:
    """Answer what is asked through a socket, until it is closed."""
    line = Connection(handle)
    with contextlib.suppress(OSError, EOFError):
        while True:
            what, root, *about = json.loads(line.recv_bytes())
            try:
                for piece in CALLS[what](Store(Path(root)), *about):
                    line.send_bytes(PIECE + piece)
                line.send_bytes(END)
            except OSError as error:
                kind = REFUSED if _is_of_one_file(error, Path(root)) else ERROR
                line.send_bytes(kind + os.fsencode(str(explain(error, Path(root)))))
            except UserError as error:
                line.send_bytes(ERROR + os.fsencode(str(error)))


def _is_of_one_file(error: OSError, root: Path) -> bool:
    """Whether the directory itself can be used, whatever is wrong with a file there."""
    if error.errno in EITHER:
        with contextlib.suppress(OSError):
            return any(root.iterdir())
    return error.errno in ITS_OWN and os.access(root, os.X_OK)


def _is_there(store: Store) -> Iterator[bytes]:
    if store.root.is_dir():
        yield b""


def _size(store: Store, name: str) -> Iterator[bytes]:
    with contextlib.suppress(FileNotFoundError):
        yield b"%d" % (store.root / name).stat().st_size


def _read(store: Store, name: str) -> Iterator[bytes]:
    """Nothing where there is no such file, else nothing but its pieces behind an empty one."""
    with contextlib.suppress(FileNotFoundError), open_regular(store.root / name) as stream:
        yield b""
        while piece := stream.read(CHUNK):
            yield piece


def _put(store: Store, name: str, source: str) -> Iterator[bytes]:
    target = store.root / name
    with store.scratch() as room:
        store.make(target.parent)
        with (
            open_regular(Path(source)) as stream,
            written(target, 0o444, lasting=True, room=room) as sink,
        ):
            copy_into(stream, sink)
    yield from ()


def _use(store: Store, name: str) -> Iterator[bytes]:
    note_use(store.root / name)
    yield from ()


CALLS = {"is_there": _is_there, "size": _size, "read": _read, "put": _put, "use": _use}
