"""How fast the workflow is.

    .venv/bin/python -m benchmarks.speed [--full] [--only NAME ...] [--out DIRECTORY]

Measures, interleaved in one run, against a plain script that does the same (the one a replay is
compared with), scikit-learn, pandas, pyarrow, bare Snakemake and bare products of matrices. Without
`--full`: parts, and the whole chain on the demonstration's tables; about twelve minutes on two
cores. With it: the chain at the competition's size, once with more epochs (long), a busy
neighbour, growth, and the effect of other products of matrices on scores; about an hour and a half.
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

from emodag.provenance.fingerprint import processor_model


def parts_of(scratch: Path, full: bool) -> dict[str, Callable[[], list[Comparison]]]:
    """What can be measured, by name."""
    size = "competition" if full else "demo"

    def tables(size: str = size) -> Path:
        directory = scratch / f"tables-{size}"
        return directory if directory.exists() else chain.tables_of(scratch, size)

    def ingested() -> Path:
        parts.task("ingest", f"{tables('competition')}/", f"{scratch}/ingested/", directory=scratch)
        return scratch / "ingested"

    def workflow(name: str, size: str = size) -> chain.Workflow:
        return chain.Workflow(scratch / name, tables(size))

    def training() -> list[Comparison]:
        step, less = parts.training(scratch, 5 if full else 3)
        loaded = parts.imports(scratch, 3)
        seconds = median(cost.wall for cost in step.costs["emodag"]) / (parts.ROWS // 128)
        parts.share_of_imports(loaded, seconds)
        return [step, less, loaded]

    everything = {
        "no-op": lambda: [parts.no_op(scratch, 15 if full else 5)],
        "scaling": lambda: [parts.scaling(ingested(), scratch, 3 if full else 1)],
        "reading": lambda: [
            parts.reading(tables("competition") / "train.csv", scratch, 5 if full else 3)
        ],
        "training": training,
    }
    if full:
        everything["growth"] = lambda: growth.growth(scratch, (1, 2, 4, 8), 3)
    rounds, epochs, stage0_epochs = (2, 4, 2) if full else (3, 10, 4)
    everything["cold"] = lambda: chain.cold(
        workflow("cold"), tables(), scratch, rounds, epochs, stage0_epochs
    )
    if full:
        everything["long"] = lambda: [chain.long(workflow("long"), tables(), scratch, 12, 5)]
        everything["busy"] = lambda: [chain.busy(workflow("busy"), tables(), scratch, 1)]
        everything["scores"] = lambda: [chain.matmuls(workflow("scores", "demo"), 5, 25)]
    return everything


def main() -> None:
    """Measure, print a line per comparison, and write both files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--full", action="store_true", help="at the competition's size, an hour and a half"
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
