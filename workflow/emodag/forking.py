"""The loaded process of one run of Snakemake, whose forks its jobs are."""

import atexit
import os
import secrets
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from emodag.provenance.canonical import digest
from emodag.provenance.closure import PACKAGE
from emodag.provenance.fingerprint import THREAD_VARIABLES
from emodag.provenance.plan import Environment

ADDRESS = "EMODAG_LOADED"
"""The variable with the address at which `workflow/start.py` asks for a fork."""

LOADED_FOR = "EMODAG_LOADED_FOR"
"""The variable with the digest of the environment's fingerprint, in forks only."""

ALLOCATOR = "JE_ARROW_MALLOC_CONF"

LIBRARIES = (
    "numpy",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pandas",  # Arrow imports it to make NumPy's arrays
    "scipy.special",
    "torch",
)
"""What is loaded, in the order in which the first jobs need it."""


def offer(environment: Environment, live: Mapping[str, Any]) -> None:
    """Start the loaded process for jobs of an environment like that of this process.

    Parameters
    ----------
    live : the environment's fingerprint, made before now: what is loaded is what it tells of as
        long as a job finds the same.
    """
    own = dict.fromkeys(THREAD_VARIABLES, str(environment.threads))
    own[LOADED_FOR] = digest(live)
    # Arrow's second allocator, which nothing uses, would start a thread.
    own[ALLOCATOR] = "background_thread:false"
    os.environ[ADDRESS] = load(LIBRARIES, own)


def load(modules: Iterable[str], own: Mapping[str, str]) -> str:
    """Start a process that loads modules, and ends when this one does; returns its address.

    Parameters
    ----------
    own : variables that its forks have from it.
    """
    address = f"emodag-{secrets.token_hex(16)}"
    process = subprocess.Popen(
        [sys.executable, "-P", PACKAGE.with_name("loaded.py"), address, ",".join(own), *modules],
        stdin=subprocess.PIPE,  # which is closed when this process ends, however it ends
        env={**os.environ, **own},
    )
    atexit.register(_end, process)
    return address


def _end(process: subprocess.Popen) -> None:
    """End the loaded process, which by now has no job and may still be loading."""
    process.kill()
    process.wait()


def leave(variables: dict[str, str]) -> None:
    """Take out of a process's variables what only forks have."""
    if variables.pop(LOADED_FOR, None):
        variables.pop(ALLOCATOR, None)


def stands_for(live: Mapping[str, Any]) -> bool:
    """Whether the libraries in this process, if it is a fork, are those of the fingerprint."""
    loaded_for = os.environ.get(LOADED_FOR)
    return loaded_for is None or loaded_for == digest(live)
