"""Whose turn it is: one run of Snakemake at a time may change a directory of results.

Snakemake's own lock comes after it has built its DAG, by which time this workflow has restored
files; it may be passed by two runs that look at the same moment; and it does not say who holds it.
So a run first takes an advisory lock (flock(2)) on a file in the results. The kernel gives it up
with the process, so there is none to be left behind, and it holds between containers and, where the
file system passes locks on, as NFS does, between hosts.

It also writes its name down as that of the current run. A job places what it made only while its
run is the current one: jobs may outlive their run, on a cluster or after `kill -9`.
"""

import atexit
import contextlib
import errno
import fcntl
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from ledger.disk import owner
from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.regular import open_regular
from ledger.errors import UserError
from ledger.jobs.job import RESULTS
from ledger.jobs.plan import PLANS, PlanError
from ledger.store.store import explain

VARIABLE = "LEDGER_RUN"
"""The environment variable by which a run's jobs know its name."""

LOCK = PLANS / "lock"
"""Held by the run whose turn it is; says which process that is, nothing after an orderly end."""

CURRENT = PLANS / "run"
"""The name of the run whose turn it is, or was last."""

LOCKS = Path(".snakemake/locks")
"""Where Snakemake leaves its own lock when it is killed."""

HOLDER = LOCKS / "holder"
"""Says which process that lock is of, also where the results are gone; Snakemake removes both."""

ONCE = {"-F", "--forceall", "-f", "--force"}
"""Options of Snakemake that are meant for one run, and no part of the command for the next."""

NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
"""What flock(2) says on a file system that has no locks."""

_NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")


def begin() -> None:
    """Name the run that starts here, for this process and the jobs it will start."""
    now = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    os.environ[VARIABLE] = f"{now}-{secrets.token_hex(4)}"


def name() -> str | None:
    """The name of the run that this process belongs to, None outside a run."""
    text = os.environ.get(VARIABLE, "")
    return text if _NAME.fullmatch(text) else None


def take(run: str) -> UserError | None:
    """Make a run the current one until this process ends; why it may change nothing, if so."""
    try:
        LOCK.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
        if refusal := _lock(lock):
            os.close(lock)
            return refusal
        os.truncate(lock, 0)
        os.pwrite(lock, owner.name().encode(), 0)
        atexit.register(_leave, lock, os.getpid())
        _become_current(run)
    except OSError as error:
        return explain(error, LOCK)
    return None


def sign() -> None:
    """Say beside Snakemake's lock, just before it is made, that it is this process's."""
    # A Snakemake of another kind takes the directory away as it ends.
    LOCKS.mkdir(parents=True, exist_ok=True)
    write_bytes(HOLDER, owner.name().encode())


def forget() -> None:
    """Forget a holder that nobody here can tell dead or alive: the user says that it is gone."""
    with contextlib.suppress(OSError), LOCK.open("r+b") as lock:
        if _flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB) is not False:
            lock.truncate(0)


@contextlib.contextmanager
def current(run: str | None) -> Iterator[None]:
    """Keep a run the current one while a job of it places what it made.

    Parameters
    ----------
    run : None where no run has started the job, as by hand.

    Raises
    ------
    PlanError
        When it is not the current one any more.
    """
    if run is None:
        yield
        return
    with contextlib.ExitStack() as stack:
        found = b""
        with contextlib.suppress(FileNotFoundError):
            stream = stack.enter_context(open_regular(CURRENT))
            _flock(stream.fileno(), fcntl.LOCK_SH)
            found = stream.read()
        if found != run.encode():
            raise PlanError(
                "another run of Snakemake has taken over this directory, or somebody has emptied "
                "it. What was made is in the "
                "store, and the results are left to the other run; run the same command again if "
                "you want them to be this one's."
            )
        yield


def latest() -> str | None:
    """The name of the current run, None where there was none."""
    with contextlib.suppress(OSError):
        return read_bytes(CURRENT).decode()
    return None


def is_followed() -> bool:
    """Whether another run has become the current one since this process's own began."""
    own = name()
    return own is not None and latest() not in (None, own)


def holder(results: Path) -> str | None:
    """Which process has its turn in a directory of results, in words; None where none runs here.

    What is left of a run on another machine, which may be over, does not count.
    """
    try:
        with open_regular(results / LOCK.relative_to(RESULTS)) as lock:
            name = lock.read().decode(errors="replace")
            # A copy of the results has the name, too, but not the lock. It is asked for only while
            # such a run is on, so none that starts is turned away.
            if not owner.is_alive(name) or _flock(lock.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB):
                return None
    except OSError:
        return None
    return owner.described(name)


def _lock(lock: int) -> UserError | None:
    """Take the lock; why it cannot be had, else. Clears Snakemake's, if a dead run left it."""
    is_locked = _flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    holder = os.pread(lock, 4096, 0).decode(errors="replace")
    if holder == owner.name():  # an earlier run, in a program that runs Snakemake several times
        return None
    is_held, is_other = any(LOCKS.glob("*.lock")), False
    if is_held and not holder:  # the results, this lock among them, are others than that run had
        with contextlib.suppress(OSError):
            holder = read_bytes(HOLDER).decode(errors="replace")
            is_other = True
    alive = owner.is_alive(holder) if holder else False
    # Some file systems pretend to lock and do so on one host only; Snakemake's lock is then all
    # there is, and nobody but the user can tell whether a run on another host has left it behind.
    if is_locked is False or (alive and (is_other or not is_locked)) or (alive is None and is_held):
        return PlanError(_busy(holder, unclear=alive is None and is_locked is not False))
    if holder:
        for lock_file in LOCKS.glob("*"):
            lock_file.unlink(missing_ok=True)
    return None


def _busy(holder: str, *, unclear: bool) -> str:
    who, where = owner.described(holder), Path(RESULTS).resolve()
    if unclear:
        return (
            f"{who}, on another machine or in another container, may be running this workflow for "
            f"{where}. If it is gone, run `snakemake --unlock` once."
        )
    return (
        f"{who} is running this workflow for {where}, and this run would have to change results. "
        "Wait until the other has finished, or use a directory of your own; it may share "
        "the store."
    )


def _become_current(run: str) -> None:
    """Write the name down, once no job of the last run is placing its files, and drop its plans."""
    current = os.open(CURRENT, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
    try:
        _flock(current, fcntl.LOCK_EX)
        # In place: whoever waits for the lock waits for it on this very file.
        os.pwrite(current, run.encode(), 0)
        os.truncate(current, len(run))
    finally:
        os.close(current)
    for file in PLANS.glob("*.plans"):
        with contextlib.suppress(OSError):
            file.unlink()


def _flock(handle: int, how: int) -> bool | None:
    """Whether the lock was had; None on a file system that has none."""
    try:
        fcntl.flock(handle, how)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return None
    return True


def _leave(lock: int, pid: int) -> None:
    """Say that the turn ended in good order, unless this is a forked child of the process."""
    if os.getpid() == pid:
        with contextlib.suppress(OSError):
            os.truncate(lock, 0)
