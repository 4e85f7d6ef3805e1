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
import time
from pathlib import Path

from emodag.provenance import owner

RUNNING = Path(".emodag/running")
LOCKS = Path(".snakemake/locks")
LEFT_BEHIND = (LOCKS, Path(".snakemake/incomplete"))

ABANDONED = 3600
"""Seconds after which a process that holds no lock has surely left, whatever its entry says."""


def clear_stale_lock(*, unlocking: bool) -> list[Path]:
    """Enter this process as running and remove what dead ones left.

    Parameters
    ----------
    unlocking : whether the user says, by `snakemake --unlock`, that nobody else is here.

    Returns
    -------
    The entries of processes that nobody here can tell dead or alive, while there is a lock.
    """
    dead, others, unclear = [], [], []
    for entry in RUNNING.glob("*") if RUNNING.is_dir() else ():
        alive = owner.is_alive(entry.name)
        if alive is False or (alive is None and (unlocking or _is_abandoned(entry))):
            dead.append(entry)
        else:
            (others if alive else unclear).append(entry)
    if dead and not others and not unclear:
        for directory in LEFT_BEHIND:
            for mark in directory.glob("*"):
                mark.unlink(missing_ok=True)
        for entry in dead:
            entry.unlink(missing_ok=True)
    _enter()
    return unclear if any(LOCKS.glob("*")) else []


def elder() -> int | None:
    """The number of a process of this host that entered here before this one and still runs."""
    mine = _entry()
    entered = mine.stat().st_mtime_ns
    for entry in RUNNING.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # it has just left
            is_other = entry != mine and owner.is_alive(entry.name)
            if is_other and entry.stat().st_mtime_ns <= entered:
                return owner.number(entry.name)
    return None


def _entry() -> Path:
    return RUNNING / owner.name()


def _enter() -> None:
    entry = _entry()
    RUNNING.mkdir(parents=True, exist_ok=True)
    entry.touch()
    atexit.register(_leave, entry.absolute(), os.getpid())


def _leave(entry: Path, pid: int) -> None:
    """Remove the entry, unless this is a forked child of the process that made it."""
    if os.getpid() == pid:
        entry.unlink(missing_ok=True)


def _is_abandoned(entry: Path) -> bool:
    """Whether an entry is old and nobody holds the lock, which every run does soon after."""
    with contextlib.suppress(FileNotFoundError):
        return time.time() - entry.stat().st_mtime > ABANDONED and not any(LOCKS.glob("*"))
    return False
