"""Go on after a killed run with the same command: tell a stale Snakemake lock from a live one.

Snakemake's lock on a working directory does not say who holds it, so after a `kill -9` it asks the
user to unlock by hand, and then to rerun what it takes for half-written. Here every main process
leaves its number in the directory while it runs; a lock whose only possible holders are dead is
removed, and so are the marks of half-written outputs, since the runner writes none. Where anything
is unclear, both are kept.
"""

import atexit
import contextlib
import os
import socket
from pathlib import Path

import psutil

RUNNING = Path(".emodag/running")
LEFT_BEHIND = (Path(".snakemake/locks"), Path(".snakemake/incomplete"))


def clear_stale_lock() -> bool:
    """Enter this process as running and remove what dead ones left; whether there was anything."""
    dead, unclear = [], False
    for entry in RUNNING.glob("*") if RUNNING.is_dir() else ():
        alive = _is_alive(entry)
        if alive is False:
            dead.append(entry)
        else:
            unclear = True
    cleared = False
    if dead and not unclear:
        for directory in LEFT_BEHIND:
            for mark in directory.glob("*"):
                mark.unlink(missing_ok=True)
                cleared = True
        for entry in dead:
            entry.unlink(missing_ok=True)
    _enter()
    return cleared


def elder() -> int | None:
    """The number of a process of this host that entered here before this one and still runs."""
    mine = _entry()
    entered = mine.stat().st_mtime_ns
    for entry in RUNNING.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # it has just left
            if entry != mine and _is_alive(entry) and entry.stat().st_mtime_ns <= entered:
                return int(entry.name.split(":")[1])
    return None


def _entry() -> Path:
    process = psutil.Process()
    return RUNNING / f"{socket.gethostname()}:{process.pid}:{process.create_time()!r}"


def _enter() -> None:
    entry = _entry()
    RUNNING.mkdir(parents=True, exist_ok=True)
    entry.touch()
    atexit.register(_leave, entry.absolute(), os.getpid())


def _leave(entry: Path, pid: int) -> None:
    """Remove the entry, unless this is a forked child of the process that made it."""
    if os.getpid() == pid:
        entry.unlink(missing_ok=True)


def _is_alive(entry: Path) -> bool | None:
    """Whether the process behind an entry runs; None where that cannot be known from here."""
    host, _, rest = entry.name.partition(":")
    pid, _, created = rest.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return None
    try:
        return repr(psutil.Process(int(pid)).create_time()) == created
    except psutil.NoSuchProcess:
        return False
