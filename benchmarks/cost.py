"""What content addressing costs: a hit, and hashing. A no-op is among what `benchmarks.speed` does.

    .venv/bin/python -m benchmarks.cost [ROUNDS]

Everything is measured side by side in one run, interleaved, and given as median [least, most]; the
CPU times are those of the whole process, its children included.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.speed.measuring import run, summary
from tests.project import Project

from ledger.disk.canonical import file_sha256
from ledger.kinds.digest import logical_digest

SHAPE = {"protocols": ["published", "nested"], "generations": 2, "folds": 5}
"""The default chain's: 58 jobs, 19 of which lead to a submission."""


def hit(project: Project, rounds: int) -> None:
    """One job of each stage whose result the store holds, run again."""
    variables = {"PYTHONPATH": str(project.path / "workflow")}
    start = [run([sys.executable, "-c", "pass"], project.path).cpu for _ in range(rounds)]
    print(f"the interpreter alone, CPU: {summary(start, 's', 3)}")
    for job in ("local/table", "local/published/scaled/all", "local/published/seed1/gen1/fold0"):
        command = [sys.executable, "-m", "emodag", "run", f"results/{job}/manifest.json"]
        taken = [run(command, project.path, **variables).cpu for _ in range(rounds)]
        print(f"hit of {job}, CPU: {summary(taken, 's', 3)}")


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
        print(f"{name}, {values.nbytes / 1e6:.0f} MB: {summary(found, 'MB/s', 0)}")


def main(rounds: int) -> None:
    """Make the workflow in a temporary directory, run it once, and measure."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Project.create(
            Path(scratch, "project"), **SHAPE, training={"epochs": 1, "stage0_epochs": 1}
        )
        print("running the workflow once ...")
        project.snakemake("results/submission.csv")
        hit(project, rounds)
        hashing(Path(scratch), rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
