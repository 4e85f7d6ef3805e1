"""Every file operation fails once: ``python -m tests.workflow.scenarios.sweep``.

For each operation of a small chain and each kind of fault: a run in which it happens there, then
the same command again. The first ends right or with a clear error, and leaves nothing torn; the
next one is right, and `verify` is clean. Exit status 1 if that was ever not so.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.workflow.scenarios.sweep import faults
from tests.workflow.scenarios.sweep.cases import CASES

STEP = 50
"""After how many points something is said."""

ALONE = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""A process that is forked may not have threads of its own."""


def main() -> int:
    """Sweep, and say how it went."""
    options = _options()
    if not faults.has_compiler():
        print("no C compiler (cc) here", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        if faults.VARIABLE not in os.environ:
            command = [sys.executable, "-m", __package__, *sys.argv[1:]]
            variables = {**os.environ, **ALONE, **faults.build(Path(scratch))}
            return os.spawnve(os.P_WAIT, sys.executable, command, variables)
        return _sweep(options, Path(scratch))


def _sweep(options: argparse.Namespace, scratch: Path) -> int:
    counts: Counter[tuple[str, str]] = Counter()
    begun, wrong = time.monotonic(), 0
    for name, points, operations, attempt in _subjects(options, scratch):
        print(f"# {name}: {len(operations)} operations", flush=True)
        for number, (point, kind) in enumerate(points, 1):
            outcome = attempt(point, kind)
            counts[kind, (outcome.wrong and "WRONG") or outcome.name] += 1
            if outcome.wrong:
                wrong += 1
                print(f"WRONG {name}, {kind} at {point}, {operations[point - 1]}: {outcome.wrong}")
            if number % STEP == 0 or number == len(points):
                done, seconds = sum(counts.values()), time.monotonic() - begun
                print(f"# {name}: {done} points in {seconds:.0f} s, {wrong} wrong", flush=True)
    for (kind, outcome), number in sorted(counts.items()):
        print(f"{kind:18}{outcome:32}{number:6}")
    print(f"{sum(counts.values())} points, {wrong} wrong")
    return int(wrong > 0)


def _subjects(options: argparse.Namespace, scratch: Path) -> Iterator[tuple]:
    """What is swept: its name, the points and kinds, the operations, and how to try a point."""
    from tests.workflow.scenarios.sweep.real import Real
    from tests.workflow.scenarios.sweep.sweep import Sweep

    if options.cases:
        sweep = Sweep(scratch)
        for name in options.cases:
            made = sweep.prepare(CASES[name])
            points = _every(options.every, made.operations, options.kinds)
            yield name, points, made.operations, partial(sweep.try_point, made)
    if options.real:
        real = Real(scratch)
        for name in ("first tables", "changed"):
            if name == "changed":
                real.change()
            every = len(options.kinds) * len(real.operations) // options.real
            points = _every(every, real.operations, options.kinds)
            yield f"{name}, by Snakemake", points, real.operations, real.try_point


def _every(step: int, operations: list[str], kinds: list[str]) -> list[tuple[int, str]]:
    """Each so many-th operation for each kind of what may happen, but not the same for all."""
    return [
        (point, kind)
        for number, kind in enumerate(kinds)
        for point, operation in enumerate(operations, 1)
        if (point * len(kinds) + number * step) // len(kinds) % step == 0
        and (kind != "death in a write" or operation.startswith("write "))
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.workflow.scenarios.sweep", description=__doc__.partition("\n")[2]
    )
    parser.add_argument("--every", type=int, default=1, help="only each so many-th operation")
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument(
        "--real", type=int, default=50, metavar="N", help="so many points by Snakemake, twice"
    )
    parser.add_argument(
        "--kinds", nargs="+", choices=faults.KINDS, default=list(faults.KINDS), metavar="KIND"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
