"""Costs of commands, and what a comparison of them comes to."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil


@dataclass(frozen=True)
class Cost:
    """What a command cost: seconds on the wall and of CPU, and the most memory at once in MB.

    The memory of a command is that with all its children, shared pages counted once, as seen every
    second; that of a task is the most its process ever had.
    """

    wall: float
    cpu: float
    peak: float


@dataclass
class Comparison:
    """One row of the table.

    Attributes
    ----------
    name, what : a short name, and what is measured on what.
    goal : what was aimed at, in words.
    costs : by contender, a cost per round; rounds are interleaved.
    ratios : what the goal speaks of, a figure per round, named in `ratio`.
    reached : whether the median of them is within the goal.
    facts : whatever else was found.
    """

    name: str
    what: str
    goal: str = ""
    ratio: str = ""
    costs: dict[str, list[Cost]] = field(default_factory=dict)
    ratios: list[float] = field(default_factory=list)
    reached: bool | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def compare(
        self, slow: str, quick: str, limit: Callable[[float], bool] | None = None, of: str = "wall"
    ) -> None:
        """Fill in `ratios`, cost of one contender in units of the other's, and `reached`."""
        pairs = zip(self.costs[slow], self.costs[quick], strict=True)
        self.ratios = [getattr(a, of) / getattr(b, of) for a, b in pairs]
        self.ratio = f"{slow} / {quick}"
        self.reached = limit and limit(median(self.ratios))


def run(command: Sequence[str], directory: Path, **variables: str) -> Cost:
    """The cost of a command that must succeed; what it says is shown if it does not."""
    kept = {k: v for k, v in os.environ.items() if k != "EMODAG_STORE"}
    started = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        cwd=directory,
        env={**kept, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak, over = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, over))
    watcher.start()
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = status  # so that nobody waits for it again
    over.set()
    watcher.join()
    if status:
        raise SystemExit(f"{' '.join(command)} failed:\n{said}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak[0])


def _watch(pid: int, peak: list[float], over: threading.Event) -> None:
    while not over.wait(1.0):
        total = 0
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += process.memory_full_info().pss
        peak[0] = max(peak[0], total / 2**20)


def task(name: str, *arguments: str, directory: Path) -> tuple[Cost, dict[str, Any]]:
    """Run one of `benchmarks.speed.tasks` in a process of its own; its cost and what it found.

    The wall and CPU seconds are those of the work alone, the memory is the whole process's.
    """
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.tasks", name, *map(str, arguments)],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'workflow'}", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return Cost(found.pop("wall"), found.pop("cpu"), found.pop("peak")), found


def summary(values: Sequence[float], unit: str = "", digits: int = 2) -> str:
    """Median and spread."""
    low, middle, high = min(values), median(values), max(values)
    ending = f" {unit}" if unit else ""
    if len(values) == 1:
        return f"{middle:.{digits}f}{ending}"
    return f"{middle:.{digits}f}{ending} [{low:.{digits}f}, {high:.{digits}f}]"


def written(comparisons: Sequence[Comparison], machine: Mapping[str, str]) -> dict[str, Any]:
    """Everything measured as plain JSON."""
    rows = []
    for one in comparisons:
        costs = {who: [vars(cost) for cost in costs] for who, costs in one.costs.items()}
        rows.append({**vars(one), "costs": costs})
    return {"machine": dict(machine), "comparisons": rows}
