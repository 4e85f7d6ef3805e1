"""How Snakemake's part grows with the run seeds: jobs, time to build the DAG, memory.

    .venv/bin/python -m benchmarks.scale [SEEDS ...]

For each number of seeds, both protocols and the default chain: a dry run of everything in a fresh
directory and once more with the plans written, and a dry run of one target, which is about what a
job on a cluster spends before it starts. CPU seconds and the largest resident memory.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.cost import SHAPE
from tests.workflow.conftest import Project

EVERYTHING = ("--quiet", "all")
ONE_TARGET = (*EVERYTHING, "--", "results/local/folds/folds.parquet")


def dry_run(project: Project, *arguments: str) -> tuple[int, float, float]:
    """Jobs, CPU seconds and peak memory in MB of a dry run."""
    command = [sys.executable, "-m", "snakemake", "-n", "--configfile", "small.yaml", *arguments]
    process = subprocess.Popen(
        command, cwd=project.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(said)
    jobs = re.findall(r"^total +(\d+)", said, re.MULTILINE)
    return int(jobs[-1]), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(numbers: list[int]) -> None:
    """Print a line per number of seeds."""
    print("seeds    jobs  DAG, first  DAG, again  peak memory  plans  one target")
    for seeds in numbers:
        with tempfile.TemporaryDirectory() as scratch:
            shape = {**SHAPE, "seeds": list(range(1, seeds + 1))}
            project = Project.create(Path(scratch) / "project", **shape)
            jobs, first, peak = dry_run(project, *EVERYTHING)
            _, again, _ = dry_run(project, *EVERYTHING)
            _, one, _ = dry_run(project, *ONE_TARGET)
            plans = sum(p.stat().st_size for p in project.path.rglob("results/.plan/*/plan.json"))
        print(
            f"{seeds:5} {jobs:7} {first:9.1f} s {again:9.1f} s {peak:9.0f} MB"
            f" {plans / 1e6:3.1f} MB {one:9.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1, 10, 100, 1000])
