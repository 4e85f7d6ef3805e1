"""Start a job: as a fork of the loaded process (see `loaded.py`), where there is one.

    python -I -S start.py -m NAME run MANIFEST

does what `python -P -m NAME run MANIFEST` does: the fork has the same directory, variables,
process group and open streams, TERM and HUP go there, and its exit status comes back. Other signals
that are sent to this process alone, and not to its group, are not handed on; and all forks share
the seed of Python's hashes. Where there is no loaded process, or it cannot stand for the one that
would be started, this process becomes that one.

Run by its path, once per job: the standard library only, and little of it. To import `socket` and
`signal`, rather than what they are made of, would double what this process takes.
"""

import _signal as signal
import _socket as socket
import os
import struct
import sys

ADDRESS = "LEDGER_LOADED"
"""The variable with the loaded process's address, the name of an abstract socket."""

FITS = "LEDGER_FITS"
"""The variable that is set for jobs that fit networks: another process has torch loaded, too."""


def start(arguments: list[str]) -> None:
    """Be `python -P ARGUMENTS`; ends this process."""
    if address := os.environ.pop(ADDRESS, None):
        address += "+" if FITS in os.environ else ""
        loaded = socket.socket(socket.AF_UNIX)
        job = _ask(loaded, address, arguments)
        if job and job > 0:
            _wait(loaded, job)
    os.execv(sys.executable, [sys.executable, "-P", *arguments])


def _ask(loaded: socket.socket, address: str, arguments: list[str]) -> int | None:
    """Have the loaded process fork; the fork's process number, or none above zero."""
    here = os.getcwd()  # noqa: PTH109 - pathlib takes longer to import than all else
    variables = [f"{name}={value}" for name, value in os.environ.items()]
    texts = [sys.executable, here, str(len(arguments)), *arguments, *variables]
    asked = b"\0".join(map(os.fsencode, texts))
    if loaded.fileno() < 3:
        return None  # a standard stream is closed, and so should the job's be
    try:
        loaded.connect(f"\0{address}")
        peer = loaded.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        if struct.unpack("3i", peer)[1] != os.geteuid():
            return None
        streams = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("3i", 0, 1, 2))
        loaded.sendmsg([struct.pack("i", len(asked))], [streams])
        loaded.sendall(asked)
    except OSError:
        return None
    return _number(loaded)


def _wait(loaded: socket.socket, job: int) -> None:
    """Wait for the job, and end as it ends."""
    # Ctrl-C reaches the job as well, which is in this process's group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for asked in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, lambda number, _: _send(job, number))
    ended = _number(loaded)
    if ended is None:
        _send(job, signal.SIGKILL)
        name = os.environ.get("LEDGER_NAME", "ledger")
        gone = "the process that starts jobs is gone. Run the same command again."
        sys.exit(f"{name}: error: {gone}")
    status = os.waitstatus_to_exitcode(-1 - ended)
    if status < 0:
        if status != -signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _send(job: int, number: int) -> None:
    try:  # noqa: SIM105 - one import less
        os.kill(job, number)
    except ProcessLookupError:
        pass  # it has just ended


def _number(loaded: socket.socket) -> int | None:
    """The next number from the loaded process, None where it has hung up."""
    try:
        answer = loaded.recv(4, socket.MSG_WAITALL)
    except OSError:
        return None
    return struct.unpack("i", answer)[0] if len(answer) == 4 else None


start(sys.argv[1:])
