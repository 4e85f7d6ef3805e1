"""How fast the workflow is.

    .venv/bin/python -m benchmarks.speed [--full] [--only NAME ...] [--out DIRECTORY]

Measures, interleaved in one run, against a plain script that does the same (the one a replay is
compared with), scikit-learn, pandas, pyarrow, bare Snakemake and bare products of matrices. Without
`--full`: parts, and the whole chain on tables of the demonstration's size and of a quarter of the
competition's; about three quarters of an hour on two cores. With it also: the chain at the
competition's size, once with more epochs (long), a busy neighbour, growth, and the effect of other
products of matrices on scores; about two hours.
Writes `speed.json` and `speed.html` into DIRECTORY after every part. Let nothing else run; where
something does, CPU over wall time tells.
"""

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.speed import chain, growth, parts
from benchmarks.speed.measuring import Comparison, summary, written
from benchmarks.speed.page import page

from ledger.machine.fingerprint import processor_model


def parts_of(scratch: Path, full: bool) -> dict[str, Callable[[], list[Comparison]]]:
    """What can be measured, by name."""

    def tables(size: str) -> Path:
        directory = scratch / f"tables-{size}"
        return directory if directory.exists() else chain.tables_of(scratch, size)

    def ingested() -> Path:
        parts.task("ingest", f"{tables('competition')}/", f"{scratch}/ingested/", directory=scratch)
        return scratch / "ingested"

    def workflow(name: str, size: str) -> chain.Workflow:
        return chain.Workflow(scratch / name, tables(size))

    def training() -> list[Comparison]:
        step, less = parts.training(scratch, 5 if full else 3)
        loaded = parts.imports(scratch, 3)
        seconds = median(cost.wall for cost in step.costs["emodag"]) / (parts.ROWS // 128)
        parts.share_of_imports(loaded, seconds)
        return [step, less, loaded]

    def competition(rounds: int, epochs: int, stage0_epochs: int) -> list[Comparison]:
        chosen = workflow("cold", "competition")
        whole = chain.against("cold", 1.7, chosen, scratch, rounds, epochs, stage0_epochs)
        changes = chain.changed(chosen, whole, epochs, stage0_epochs)
        return [whole, *changes, *chain.memory(whole)]

    def against(name: str, goal: float, size: str, *how: int) -> list[Comparison]:
        return [chain.against(name, goal, workflow(name, size), scratch, *how)]

    everything = {
        "no-op": lambda: [parts.no_op(scratch, 15 if full else 5)],
        "start": lambda: [parts.start(scratch, 5)],
        "scaling": lambda: [parts.scaling(ingested(), scratch, 3)],
        "reading": lambda: [parts.reading(tables("competition") / "train.csv", scratch, 3)],
        "training": training,
        "small": lambda: against("small", 1.0, "demo", 5, 10, 5),
        "small, long": lambda: against("small, long", 1.5, "demo", 5, 50, 25),
        "middling": lambda: against("middling", 1.3, "middling", 5, 6, 3),
    }
    if full:
        everything["growth"] = lambda: growth.growth(scratch, (1, 2, 4, 8), 3)
        everything["cold"] = lambda: competition(2, 4, 2)
        everything["long"] = lambda: against("long", 1.7, "competition", 1, 12, 5)
        everything["busy"] = lambda: [
            chain.busy(workflow("busy", "competition"), tables("competition"), scratch, 1)
        ]
        everything["scores"] = lambda: [chain.matmuls(workflow("scores", "demo"), 5, 25)]
    return everything


def main() -> None:
    """Measure, print a line per comparison, and write both files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--full", action="store_true", help="at the competition's size as well, two hours"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these parts alone")
    parser.add_argument("--out", type=Path, default=Path("results"), metavar="DIRECTORY")
    options = parser.parse_args()
    machine = {
        "processor": f"{processor_model()}, {os.cpu_count()} cores",
        "system": platform.platform(terse=True),
        "Python": platform.python_version(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    found: list[Comparison] = []
    with tempfile.TemporaryDirectory() as directory:
        chosen = parts_of(Path(directory), options.full)
        if unknown := set(options.only or ()) - set(chosen):
            there = "there are" if options.full else "without --full there are"
            parser.error(f"no part {', '.join(sorted(unknown))}; {there} {', '.join(chosen)}")
        options.out.mkdir(parents=True, exist_ok=True)
        for name, measure in chosen.items():
            if options.only and name not in options.only:
                continue
            print(f"{name} ...", file=sys.stderr, flush=True)
            for one in measure():
                found.append(one)
                reached = {True: ", reached", False: ", NOT reached", None: ""}[one.reached]
                print(f"{one.name}: {summary(one.ratios, digits=3)} {one.ratio} ", end="")
                print(f"(goal: {one.goal}{reached})", flush=True)
            text = json.dumps(written(found, machine), indent=1)
            (options.out / "speed.json").write_text(f"{text}\n")
            (options.out / "speed.html").write_text(page(found, machine))


if __name__ == "__main__":
    main()
