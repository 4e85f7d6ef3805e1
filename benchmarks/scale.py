"""How Snakemake's part grows with the run seeds: jobs, time to build the DAG, memory.

    .venv/bin/python -m benchmarks.scale [--contrast ENVIRONMENT] [SEEDS ...]

For each number of seeds, both protocols and the default chain: a dry run of everything in a fresh
directory and once more with the plans written, and a dry run of one target, which is about what a
job on a cluster spends before it starts. CPU seconds and the largest resident memory.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.cost import SHAPE
from tests.project import Project

ONE_TARGET = "results/local/folds/folds.parquet"


def dry_run(project: Project, *targets: str) -> tuple[int, float, float]:
    """Jobs, CPU seconds and peak memory in MB of a dry run."""
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "all"]
    process = subprocess.Popen(
        [*command, "--configfile", "small.yaml", "--", *targets],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(said)
    jobs = re.findall(r"^total +(\d+)", said, re.MULTILINE)
    return int(jobs[-1]), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(numbers: list[int], other: str | None) -> None:
    """Print a line per number of seeds.

    With an `other` environment the DAG also holds the first protocol in that one, with every seed,
    and the report that compares the two; for its yardstick, two seeds are run at least.
    """
    targets = ["all"]
    drift = {}
    if other:
        targets.append("results/drift.html")
        drift = {"drift": {"contrasts": [["local", other]], "seeds": [1, 2]}}
    print("seeds    jobs  DAG, first  DAG, again  peak memory    plans  one target")
    for seeds in numbers:
        with tempfile.TemporaryDirectory() as scratch:
            shape = {**SHAPE, **drift, "seeds": list(range(1, seeds + 1))}
            project = Project.create(Path(scratch) / "project", **shape)
            jobs, first, peak = dry_run(project, *targets)
            _, again, _ = dry_run(project, *targets)
            _, one, _ = dry_run(project, ONE_TARGET)
            plans = sum(p.stat().st_blocks * 512 for p in project.path.rglob("results/.plan/**/*"))
        print(
            f"{seeds:5} {jobs:7} {first:9.1f} s {again:9.1f} s {peak:9.0f} MB"
            f" {plans / 1e6:5.1f} MB {one:9.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Measure how Snakemake's part grows with the run seeds, by dry runs."
    )
    parser.add_argument(
        "seeds",
        nargs="*",
        type=int,
        default=[1, 10, 100, 1000],
        metavar="SEEDS",
        help="numbers of seeds; 1 10 100 1000 unless given (1000 takes ten minutes and 2 GB)",
    )
    parser.add_argument(
        "--contrast",
        metavar="ENVIRONMENT",
        help="compare the default environment with this one as well, in the same DAG",
    )
    options = parser.parse_args()
    main(options.seeds, options.contrast)
