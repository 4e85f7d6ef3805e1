"""What content addressing costs: a no-op, a hit, and hashing.

    .venv/bin/python -m benchmarks.cost [ROUNDS]

Everything is measured side by side in one run, interleaved, and given as median [least, most]; the
CPU times are those of the whole process, its children included.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.workflow.conftest import Project

from emodag.provenance.canonical import file_sha256
from emodag.provenance.digest import logical_digest

HERE = Path(__file__).resolve().parent

SHAPE = {"protocols": ["published", "nested"], "generations": 2, "folds": 5}
"""The default chain's: 58 jobs, 19 of which lead to a submission."""

NO_OP = ["-c2", "results/submission.csv"]


def cost(command: list[str], directory: Path, **variables: str) -> tuple[float, float]:
    """CPU and wall seconds of a command that must succeed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **variables},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def figures(values: list[float], unit: str = "s") -> str:
    """Median and spread."""
    return f"{median(values):.3f} {unit} [{min(values):.3f}, {max(values):.3f}]"


def no_op(project: Project, bare: Path, rounds: int) -> None:
    """`snakemake` with nothing to do, beside a bare DAG of the same shape."""
    snakemake = [sys.executable, "-m", "snakemake", *NO_OP]
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(cost([*snakemake, "--configfile", "small.yaml"], project.path))
        theirs.append(cost(snakemake, bare))
    for index, kind in enumerate(("CPU", "wall")):
        ratio = [a[index] / b[index] for a, b in zip(ours, theirs, strict=True)]
        print(f"no-op, {kind}: emodag {figures([a[index] for a in ours])}", end=", ")
        print(f"bare {figures([b[index] for b in theirs])}, ratio {figures(ratio, '')}")


def hit(project: Project, rounds: int) -> None:
    """One job of each stage whose result the store holds, run again."""
    variables = {"PYTHONPATH": str(project.path / "workflow")}
    start = [cost([sys.executable, "-c", "pass"], project.path)[0] for _ in range(rounds)]
    print(f"the interpreter alone, CPU: {figures(start)}")
    for job in ("local/table", "local/published/scaled/all", "local/published/seed1/gen1/fold0"):
        plan = Path("results/.plan", job.replace("/", "."), "plan.json")
        command = [sys.executable, "-m", "emodag", "run", str(plan)]
        taken = [cost(command, project.path, **variables)[0] for _ in range(rounds)]
        print(f"hit of {job}, CPU: {figures(taken)}")


def hashing(directory: Path, rounds: int) -> None:
    """Megabytes per second of CPU: sha256, and the logical digest of the same bytes as a table."""
    values = np.random.default_rng(1).normal(size=(28_000, 1_793)).astype(np.float32)
    path = directory / "matrix.parquet"
    pq.write_table(pa.table({f"f{j}": column for j, column in enumerate(values.T)}), path)
    raw = directory / "matrix.bin"
    raw.write_bytes(values.tobytes())
    work = {
        "sha256 of a file": lambda: file_sha256(raw),
        "reading the same as a Parquet table": lambda: pq.read_table(path, use_threads=False),
        "reading it for its logical digest": lambda: logical_digest(path),
    }
    speed: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, task in work.items():
            started = time.process_time()
            task()
            speed[name].append(values.nbytes / (time.process_time() - started) / 1e6)
    for name, found in speed.items():
        print(f"{name}, {values.nbytes / 1e6:.0f} MB: {figures(found, 'MB/s')}")


def main(rounds: int) -> None:
    """Make both workflows in a temporary directory, run them once, and measure."""
    with tempfile.TemporaryDirectory() as scratch:
        bare = Path(scratch, "bare")
        bare.mkdir()
        shutil.copy(HERE / "bare.smk", bare / "Snakefile")
        project = Project.create(
            Path(scratch, "project"), **SHAPE, training={"epochs": 1, "stage0_epochs": 1}
        )
        for table in ("train.csv", "test.csv"):
            shutil.copy(project.path / table, bare)
        print("running both workflows once ...")
        project.snakemake("results/submission.csv")
        cost([sys.executable, "-m", "snakemake", *NO_OP], bare)
        no_op(project, bare, rounds)
        hit(project, rounds)
        hashing(Path(scratch), rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
