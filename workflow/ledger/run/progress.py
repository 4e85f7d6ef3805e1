"""How far a job is, told to the process that draws it on a terminal; nothing depends on it.

The process that Snakemake runs in sets `VARIABLE` for the jobs that speak on its own standard
error: to `LINES`, or to where the process is told what it draws. Elsewhere, as in jobs on a
cluster, it is not set.
"""

import json
import os
import socket
import time
from contextlib import suppress
from typing import Any

VARIABLE = "LEDGER_SCREEN"

LINES = "lines"
"""There is no terminal: one line a job, said when it begins."""

EVERY = 0.2
"""Seconds between two times that a job tells how far it is."""


def is_lines() -> bool:
    """Whether each job has one line."""
    return os.environ.get(VARIABLE) == LINES


def is_drawn() -> bool:
    """Whether somebody draws, on the last line of the terminal, how far the jobs are."""
    return VARIABLE in os.environ and not is_lines()


def tell(**facts: object) -> None:
    """Tell who draws, if anybody does; never waits, and never fails."""
    if is_drawn():
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
            said.setblocking(False)
            said.sendto(json.dumps(facts).encode(), f"\0{os.environ[VARIABLE]}")


class Bar:
    """How far a job is; see `ledger.context.Progress`."""

    def __init__(self, job: str, total: int, unit: str) -> None:
        self._facts = {"job": job, "of": total, "unit": unit}
        self._done, self._told = 0, float("-inf")

    def update(self, steps: int = 1, **figures: object) -> None:
        """Come `steps` nearer, and have `figures` shown."""
        self._done += steps
        now = time.monotonic()
        if now - self._told >= EVERY:
            self._told = now
            tell(**self._facts, done=self._done, figures={k: _brief(v) for k, v in figures.items()})


class Drawn:
    """The same as a bar of tqdm's, which this process draws itself."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def update(self, steps: int = 1, **figures: object) -> None:
        """Advance the bar, and show `figures` beside it."""
        if figures:
            self._bar.set_postfix(figures, refresh=False)
        self._bar.update(steps)


def _brief(figure: object) -> str:
    return f"{figure:.3f}" if isinstance(figure, float) else str(figure)


class Ear:
    """Where jobs tell how far they are: an abstract socket, which only Linux has.

    Raises
    ------
    OSError
        Where there is none.
    """

    def __init__(self, name: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{name}")

    def hear(self, seconds: float) -> dict[str, Any] | None:
        """The next that is told; None where nothing is in so many seconds."""
        self._socket.settimeout(seconds)
        with suppress(OSError, ValueError):
            facts = json.loads(self._socket.recv(4096))
            return facts if isinstance(facts, dict) else None
        return None

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()
