"""The loaded processes of one run of Snakemake, one per environment, whose forks its jobs are."""

import atexit
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ledger import called
from ledger.disk.canonical import digest
from ledger.jobs.plan import INTERPRETERS, Environment
from ledger.machine.fingerprint import NUMERICAL, THREAD_VARIABLES

ADDRESS = "LEDGER_LOADED"
"""The variable with the address at which `start.py` asks for a fork."""

ELSEWHERE = "LEDGER_LOADED_ELSEWHERE"
"""The variable with the address by environment, for those that a job must first enter, as JSON."""

LOADED_FOR = "LEDGER_LOADED_FOR"
"""The variable that tells what is loaded, in forks only; see `_of_libraries`."""

PATIENCE = 0.2
"""Seconds that a loaded process has to end; one that is importing does not look up."""

ALLOCATOR = "JE_ARROW_MALLOC_CONF"

START = Path(__file__).resolve().with_name("start.py")


def offer(
    environment: Environment, live: Mapping[str, Any], python: str, modules: Sequence[str]
) -> None:
    """Start the loaded process for jobs of an environment, unless there is one.

    With several threads none would be able to fork: OpenBLAS starts its own when it is loaded.

    Parameters
    ----------
    live : the environment's fingerprint, made before now: what is loaded is what it tells of as
        long as a job finds the same.
    python : the environment's interpreter.
    modules : what is loaded, see `load`.
    """
    if not modules:
        return
    elsewhere = _elsewhere()
    is_here = python == sys.executable and environment.variables.items() <= os.environ.items()
    is_there = ADDRESS in os.environ if is_here else environment.name in elsewhere
    own = dict.fromkeys(THREAD_VARIABLES, str(environment.threads))
    own[LOADED_FOR] = json.dumps(_of_libraries(live))
    # Arrow's second allocator, which nothing uses, would start a thread.
    own[ALLOCATOR] = "background_thread:false"
    if is_there or environment.threads > 1 or own.keys() & environment.variables.keys():
        return
    address = load(modules, own, environment.variables, python)
    if is_here:
        os.environ[ADDRESS] = address
    else:
        os.environ[ELSEWHERE] = json.dumps(elsewhere | {environment.name: address})


def load(
    modules: Iterable[str],
    own: Mapping[str, str],
    variables: Mapping[str, str],
    python: str = sys.executable,
) -> str:
    """Start a process that loads modules, and ends when this one does; returns its address.

    Parameters
    ----------
    modules : their names; those behind a ``--`` are loaded for who asks at the address with a `+`.
    own : variables that its forks have from it.
    variables : others that it has, and that its forks are asked to have.
    """
    address = f"{called.name()}-{secrets.token_hex(16)}"
    process = subprocess.Popen(
        [python, "-P", START.with_name("loaded.py"), address, ",".join(own), *modules],
        stdin=subprocess.PIPE,  # which is closed when this process ends, however it ends
        env={**os.environ, **variables, **own},
        process_group=0,
    )
    atexit.register(_end, process)
    return address


def _end(process: subprocess.Popen) -> None:
    """End the loaded process and its fork, which by now have no job and may still be loading."""
    process.stdin.close()
    try:
        process.wait(PATIENCE)  # so that its CPU time, and its jobs', count as this process's
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def enter(environment: Environment) -> None:
    """Start anew with the environment's interpreter and variables, where these are not yet so.

    Some variables are read when a process or a library starts; setting them later is too late.
    """
    pythons = json.loads(os.environ.get(INTERPRETERS, "{}"))
    python, variables = pythons.get(environment.name, sys.executable), environment.variables
    is_running = Path(python).parents[1].samefile(sys.prefix)
    if not is_running or not variables.items() <= os.environ.items():
        start_anew(environment, python, may_fork=True)


def start_anew(environment: Environment, python: str, *, may_fork: bool) -> NoReturn:
    """Have this process, which runs a job, begin again in the job's environment.

    Parameters
    ----------
    python : the environment's interpreter.
    may_fork : whether a fork of the environment's loaded process will do, if there is one.
    """
    variables, arguments = dict(os.environ), sys.orig_argv[1:]
    if variables.pop(LOADED_FOR, None):
        variables.pop(ALLOCATOR, None)
    elsewhere = _elsewhere()
    if may_fork and (address := elsewhere.pop(environment.name, None)):
        variables[ADDRESS] = address
        variables[ELSEWHERE] = json.dumps(elsewhere)  # a fork of it that will not do starts alone
        arguments = ["-I", "-S", str(START), *arguments[1:]]  # instead of -P
    os.execve(python, [python, *arguments], variables | environment.variables)


def stands_for(live: Mapping[str, Any]) -> bool:
    """Whether the libraries in this process, if it is a fork, are those of the fingerprint."""
    if LOADED_FOR not in os.environ:
        return True
    loaded, asked = json.loads(os.environ[LOADED_FOR]), _of_libraries(live)
    return (
        loaded["digest"] == asked["digest"]
        and loaded["libraries"].items() <= asked["libraries"].items()
    )


def _of_libraries(live: Mapping[str, Any]) -> dict[str, Any]:
    """What a fingerprint says of the libraries that are loaded.

    Not of the device, nor of further packages that a job needs, which it imports itself; those may
    bring further libraries along.
    """
    known = {name: value for name, value in live.items() if name not in ("device", "libraries")}
    for part in ("distributions", "builds"):
        known[part] = {name: live[part][name] for name in NUMERICAL if name in live[part]}
    return {"digest": digest(known), "libraries": live["libraries"]}


def _elsewhere() -> dict[str, str]:
    """The address by environment, for those that this process is not in."""
    return json.loads(os.environ.get(ELSEWHERE, "{}"))
