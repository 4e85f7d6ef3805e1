"""Who a process is, and whether it still runs, as far as that can be told from here.

A number alone says little: another container or machine may have the same host name and its own
numbers, and a number is used again. So a process is named by host, machine, boot, namespace of
process numbers, number and start, the last in clock ticks since boot, which no clock step moves.
"""

import hashlib
import os
import socket
import time
from functools import cache
from pathlib import Path

FIELDS = 6
STARTED = 19
"""Where /proc/PID/stat has the start, counted from the state on (proc(5), field 22)."""


def name(pid: int | None = None) -> str:
    """The name of a process here, by default of this one: six fields joined by colons."""
    pid = os.getpid() if pid is None else pid
    return ":".join([*_place(), str(pid), _started(pid) or "-"])


def place() -> str:
    """The machine and the container that this process is in, whichever boot it is."""
    host, machine, _, space = _place()
    return ":".join([host, machine, space])


def described(owner: str) -> str:
    """A process in words, by its name."""
    fields = owner.split(":")
    return f"process {fields[4]} on {fields[0]}" if len(fields) == FIELDS else "another process"


def is_name(text: str) -> bool:
    """Whether a text can be the name of a process, here or elsewhere."""
    fields = text.split(":")
    return len(fields) == FIELDS and fields[4].isdecimal()


def is_alive(owner: str) -> bool | None:
    """Whether the process of this name runs; None where that cannot be known from here."""
    if not is_name(owner):
        return None
    fields = owner.split(":")
    host, machine, boot, space = _place()
    if fields[:2] != [host, machine]:
        return None
    if fields[2] != boot:
        return False if machine != "-" else None
    if fields[3] != space:
        return None
    started = _started(int(fields[4]))
    return _exists(int(fields[4])) if started is None else started == fields[5]


def uptime() -> tuple[str, int]:
    """Which boot this is, and for how many nanoseconds it has lasted; no clock step moves that."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the first one is Linux's
    return _place()[2], time.clock_gettime_ns(clock)


@cache
def _place() -> tuple[str, str, str, str]:
    """Host name, machine, boot and namespace of process numbers; "-" for what is not known."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        space = "-"
    machine, boot = (
        _short(Path(path)) for path in ("/etc/machine-id", "/proc/sys/kernel/random/boot_id")
    )
    return socket.gethostname().replace(":", "_"), machine, boot, space


def _short(path: Path) -> str:
    try:
        text = path.read_text().strip()
    except OSError:
        text = ""
    return hashlib.sha256(text.encode()).hexdigest()[:8] if text else "-"


def _started(pid: int) -> str | None:
    """When a process started, None where there is none, or none to be seen."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[STARTED]


def _exists(pid: int) -> bool:
    """Whether there is a process whose start is not to be seen, another user's say."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
