"""The loaded process: has the libraries loaded, and forks a process for each job that asks.

To import torch, NumPy and pyarrow takes two seconds of CPU, which is more than most jobs of a small
table compute for; a fork of a process that has them takes some milliseconds. It imports nothing of
this project, whose code may change while jobs run.

    python -P loaded.py ADDRESS OVERRIDDEN MODULE ... [-- MODULE ...]

ADDRESS is the name of the abstract socket at which `start.py` asks. OVERRIDDEN are names of
variables, with commas between, that a job has from this process and not from who asks. It takes
jobs while it still loads, and ends once its standard input does and the jobs have ended. The
modules behind `--`, which few jobs need and which take long, a fork of it loads, too, who asks for
which waits at the same address with a `+`. It never forks while it has a second thread. Linux only:
elsewhere there are no abstract sockets.
"""

import atexit
import contextlib
import gc
import importlib
import os
import re
import runpy
import select
import signal
import socket
import struct
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

PER_JOB = {"_", "SHLVL", "PWD", "OLDPWD", "TMPDIR", "TMP", "TEMPDIR", "TEMP"} | {
    "OMP_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
}
"""Variables that shells and Snakemake set anew for each job."""

OURS = "PATH|PYTHONPATH|LEDGER_.*|{}_.*"
"""Variables that the workflow of a name sets, and that no library reads when it is loaded."""

PATIENCE = 5.0
"""Seconds until who does not say what it wants is not waited for any more."""

GROUP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 128 + signal.SIGINT


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """The end of a fork is not heard of meanwhile: its handler may run between any two steps."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Jobs:
    """The forks that have not ended, each with the connection to who waits for it."""

    def __init__(self) -> None:
        self.askers: dict[int, socket.socket] = {}
        self.poll = select.poll()

    def fork(self, asker: socket.socket) -> bool:
        """Fork; whether this is the fork."""
        with _undisturbed():
            try:
                job = os.fork()
            except OSError:
                asker.close()
                return False
            if job:
                self.askers[job] = asker
                self.poll.register(asker, 0)  # only whether it hangs up
                return False
            for other in self.askers.values():
                other.close()
            self.askers.clear()
            return True

    def tell_ended(self, *_: object) -> None:
        """Tell those who wait for forks that have ended, by a number below zero."""
        with _undisturbed():
            for job, asker in list(self.askers.items()):  # libraries have their own children
                ended, status = os.waitpid(job, os.WNOHANG)
                if ended:
                    del self.askers[job]
                    with contextlib.suppress(OSError):
                        asker.send(struct.pack("i", -1 - status))
                    _close(asker, self.poll)

    def kill_unawaited(self, ready: set[int]) -> None:
        """Kill the forks whose askers, which never say more, are gone."""
        with _undisturbed():
            for job, asker in self.askers.items():
                if asker.fileno() in ready:
                    os.kill(job, signal.SIGKILL)
                    _close(asker, self.poll)


def serve(doors: list[tuple[socket.socket, list[str]]]) -> socket.socket | None:
    """Load modules, and fork for whoever asks; in a fork, who asked, and None when all is over.

    `doors` are where it is asked for what has been loaded, each with the modules to load for it
    besides those before it. A process of its own stands at each.
    """
    (listener, modules), *others = doors
    jobs = Jobs()
    # Called while modules are loaded, too; the pipe is for `poll`, which goes on waiting else.
    signal.signal(signal.SIGCHLD, jobs.tell_ended)
    wakes, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    # What the whole group is sent is for Snakemake and the jobs; this process ends after them.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in GROUP}

    def be_another() -> None:
        """In a fork, undo all that makes this process serve at its door."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, handler in before.items():
            signal.signal(number, handler)
        listener.close()
        os.close(wakes)
        os.close(wake)

    def close_others() -> None:
        for door, _ in others:
            door.close()
        others.clear()

    for source in (0, wakes, listener):
        jobs.poll.register(source, select.POLLIN)
    while listener.fileno() >= 0 or jobs.askers:
        ready = {source for source, _ in jobs.poll.poll(0 if modules or others else None)}
        jobs.kill_unawaited(ready)
        if wakes in ready:
            os.read(wakes, 4096)
        elif 0 in ready:
            jobs.poll.unregister(0)
            modules.clear()
            close_others()
            _close(listener, jobs.poll)
        elif listener.fileno() in ready:
            if (asker := _next(listener)) is None:
                _close(listener, jobs.poll)
            elif jobs.fork(asker):
                be_another()
                close_others()
                return asker
        elif modules and not _load(modules.pop(0)):
            modules.clear()
            close_others()
            _close(listener, jobs.poll)
        elif not modules and others:
            kept, lent = socket.socketpair()  # the process at the next door is one more job
            if _is_alone() and jobs.fork(kept):
                kept.close()
                be_another()
                return serve(others)
            lent.close()
            close_others()
    return None


def _next(listener: socket.socket) -> socket.socket | None:
    """Who asks next; None where this process cannot fork any more."""
    with contextlib.suppress(OSError):  # as for lack of file descriptors
        asker = listener.accept()[0]
        if _is_alone():
            return asker
        asker.close()
    return None


def _is_alone() -> bool:
    """Whether this process has one thread, and so can be forked."""
    with contextlib.suppress(OSError):
        return len(list(Path("/proc/self/task").iterdir())) == 1
    return False


def _load(module: str) -> bool:
    """Import a module; whether that went well. If not, a job of its own will say why."""
    try:
        importlib.import_module(module)
    except Exception:
        return False
    # What is here stays in pages that the forks share: their collections leave it alone, and they
    # end without undoing, one by one, what libraries have registered.
    gc.freeze()
    for cleanup in list(weakref.finalize._registry):  # it has no public name
        cleanup.atexit = False
    return True


def _close(one: socket.socket, poll: select.poll) -> None:
    if one.fileno() >= 0:
        poll.unregister(one)
        one.close()


def become(asker: socket.socket, overridden: list[str]) -> list[str]:
    """In a fork, take over all that a child of who asks would have; returns the arguments.

    Raises
    ------
    ValueError
        When a process of its own would be another one.
    """
    asker.settimeout(PATIENCE)
    peer = asker.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    caller, user, _ = struct.unpack("3i", peer)
    head, streams, _, _ = socket.recv_fds(asker, struct.calcsize("i"), 3)
    (size,) = struct.unpack("i", head)
    with asker.makefile("rb") as said:
        executable, directory, count, *rest = map(os.fsdecode, said.read(size).split(b"\0"))
    arguments, rest = rest[: int(count)], rest[int(count) :]
    variables = dict(text.split("=", 1) for text in rest)
    variables |= {name: os.environ[name] for name in overridden}
    ours = re.compile(OURS.format(re.escape(variables.get("LEDGER_NAME", "ledger").upper())))
    names = {n for n in {*variables, *os.environ}.difference(PER_JOB) if not ours.fullmatch(n)}
    is_same = all(variables.get(name) == os.environ.get(name) for name in names)
    is_same &= Path(executable).parent == Path(sys.executable).parent
    is_same &= user == os.geteuid() and _surroundings(caller) == _surroundings(os.getpid())
    if not is_same:
        raise ValueError("another process")
    os.setpgid(0, os.getpgid(caller))
    os.chdir(directory)
    _import_from(variables.get("PYTHONPATH", ""))
    os.environ.update(variables)
    for name in set(os.environ).difference(variables):
        del os.environ[name]
    if "numpy.random" in sys.modules:  # else all forks would draw alike from what nobody seeds
        sys.modules["numpy.random"].seed()
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdout.reconfigure(line_buffering=os.isatty(1))  # as Python decides when it starts
    sys.executable = executable
    sys.orig_argv = [executable, "-P", *arguments]
    sys.argv = arguments[1:]
    asker.send(struct.pack("i", os.getpid()))
    return arguments


def _surroundings(process: int) -> list:
    """What a process has from its parent: namespaces, control groups, limits, mask, processors."""
    home = Path("/proc", str(process))
    spaces = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
    mask = re.search(r"Umask:.*", (home / "status").read_text())
    return [
        *[place.readlink() for place in (home / "root", *(home / "ns" / s for s in spaces))],
        (home / "cgroup").read_text(),
        (home / "limits").read_text(),
        mask and mask[0],
        os.sched_getaffinity(process),
        os.getpriority(os.PRIO_PROCESS, process),
    ]


def _import_from(path: str) -> None:
    """Have modules imported from the directories of another PYTHONPATH."""
    old, new = (
        text.split(os.pathsep) if text else [] for text in (os.environ.get("PYTHONPATH"), path)
    )
    sys.path[: len(old)] = new
    importlib.invalidate_caches()


def main(address: str, overridden: str, *modules: str) -> None:
    """Serve; in a fork, run the module that is asked for as Python's `-m` does."""
    count = modules.index("--") if "--" in modules else len(modules)
    doors = [(_door(address), list(modules[:count]))]
    if count < len(modules):
        doors.append((_door(f"{address}+"), list(modules[count + 1 :])))
    try:
        asker = serve(doors)
        if asker is None:
            os._exit(0)  # here and below: taking the libraries down one by one takes 0.3 s
        with asker:
            arguments = become(asker, overridden.split(",") if overridden else [])
    except Exception:
        os._exit(1)  # whoever asks becomes the job itself
    status = _run(arguments[1])
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if status == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status)


def _door(address: str) -> socket.socket:
    """A socket at which it is asked for forks."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0{address}")
    listener.listen(100)
    return listener


def _run(module: str) -> int:
    """Run a module as Python's `-m` does; returns the exit status."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as asked:
        if asked.code is None or isinstance(asked.code, int):
            return (asked.code or 0) & 0xFF
        print(asked.code, file=sys.stderr)
        return 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
