"""Pieces of work to be measured, each in a process of its own.

    python -m benchmarks.speed.tasks NAME ARGUMENT ...

The last line printed is JSON: seconds of the work alone (wall, CPU), the process's peak memory in
MB, and what else was found.
"""

import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

QUANTILES = {"n_quantiles": 1000, "subsample": 10_000, "random_state": 42}
"""The configuration's defaults, and scikit-learn's for the latter two."""

MODEL = {
    "hidden": 512,
    "code": 128,
    "head": 128,
    "attention": True,
    "gate_ratio": 4,
    "dropout": 0.3,
}
TRAINING = {
    "learning_rate": 1e-3,
    "weight_decay": 1e-3,
    "mixup": 0.4,
    "reconstruction": 0.1,
    "drop_last": True,
    "schedule": None,
}
PLAIN = {"residual": False, "corruption": 0.0}
"""What the script's network lacks of the default one."""

WIDTH, ROWS = 1793, 6016
"""Features, and training rows of the step's measurement: 47 batches of 128."""


class Silent:
    """A stage's context that tells nobody."""

    device, workers = "cpu", 1

    def note(self, message: str) -> None: ...

    def warn(self, message: str) -> None: ...


def twin(directory: Path, size: str, windows: int = 0, features: int = 0) -> Callable[[], dict]:
    """Write a twin as CSV and Parquet, its numbers as short as float32 allows."""
    from dataclasses import replace

    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    from emodag.science.synthetic import SIZES
    from emodag.stages import synthesize

    chosen = SIZES[size]
    SIZES[size] = replace(
        chosen, windows=windows or chosen.windows, features=features or chosen.features
    )

    def work() -> dict:
        directory.mkdir(parents=True, exist_ok=True)
        synthesize.run({}, {"size": size, "seed": 0}, directory, Silent())
        rows = {}
        for name in ("train", "test"):
            table = pq.read_table(directory / f"{name}.parquet")
            rows[name] = table.num_rows
            short = [
                column.cast(pa.float32()) if column.type == pa.float64() else column
                for column in table.columns
            ]
            path = directory / f"{name}.csv"
            pyarrow.csv.write_csv(pa.table(short, names=table.column_names), path)
        return {"rows": rows, "features": table.num_columns - 1}

    return work


def read(path: Path, how: str) -> Callable[[], dict]:
    """Read a CSV's features as float64, with the workflow's reader or a library's.

    In whatever layout the reader has them; none is asked for a matrix.
    """
    names = path.open().readline().rstrip().replace('"', "").split(",")[1:-2]
    if how == "emodag":
        from emodag.science.tables.csv_tables import CsvTable

        def work() -> dict:
            table = CsvTable(path)
            blocks = table.blocks(names, [table.columns[0], *table.columns[-2:]])
            return digest(block.values for block in blocks)
    elif how == "pyarrow":
        import pyarrow as pa
        import pyarrow.csv

        def work() -> dict:
            numbers = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64()))
            table = pyarrow.csv.read_csv(path, convert_options=numbers)
            return digest(table[name].to_numpy() for name in names)
    else:
        import pandas as pd

        precision = "round_trip" if how == "pandas, exact" else None

        def work() -> dict:
            table = pd.read_csv(
                path,
                index_col=0,
                float_precision=precision,
                dtype=dict.fromkeys(names, np.float64),
            )
            return digest(table[name].to_numpy() for name in names)

    return work


def digest(parts: Iterable[np.ndarray]) -> dict:
    """The sum of all bits as integers, which no order of the cells moves; a tenth of a second."""
    return {"digest": sum(int(part.view(np.uint64).sum(dtype=np.uint64)) for part in parts) % 2**64}


def ingest(tables: Path, output: Path) -> Callable[[], dict]:
    """The stage on two CSV files."""
    from emodag.stages import ingest as stage

    output.mkdir(parents=True, exist_ok=True)
    params = {
        **{"label": None, "group": None, "id": None, "classes": ["0", "1", "2", "3"]},
        **{"decimals": "nearest", "separator": None, "decimal": None, "missing_values": []},
        **{"ignore": [], "test_group": None},
        **{"missing": "impute", "infinite": "missing"},
        **{"all_missing": "drop", "constant": "keep", "min_rows_per_person": 2},
    }
    inputs = {name: tables / f"{name}.csv" for name in ("train", "test")}
    return lambda: stage.run(inputs, params, output, Silent())


def scale(tables: Path, output: Path) -> Callable[[], dict]:
    """The stage on ingested tables."""
    from emodag.stages import scale as stage

    output.mkdir(parents=True, exist_ok=True)
    inputs = {name: tables / f"{name}.parquet" for name in ("train", "test")}
    params = {"fold": None, "resolution": 1e-7, **QUANTILES}
    return lambda: stage.run(inputs, params, output, Silent())


def quantiles(tables: Path, how: str, workers: int = 2) -> Callable[[], dict]:
    """Quantile scaling in memory: of columns, by as many workers, or of a matrix."""
    import pyarrow.parquet as pq

    parts = [pq.read_table(tables / f"{name}.parquet") for name in ("train", "test")]
    columns = [
        np.concatenate([part[name].to_numpy() for part in parts]) for name in parts[0].column_names
    ]
    rows = columns[0].size
    if how == "scikit-learn":
        from sklearn.preprocessing import QuantileTransformer

        x = np.column_stack(columns)
        transformer = QuantileTransformer(output_distribution="normal", **QUANTILES)

        def scaled() -> np.ndarray:
            return transformer.fit_transform(x).T
    else:
        from emodag.science.scaling import scale_column, subsample_rows

        def scaled() -> list[np.ndarray]:
            size, seed = QUANTILES["subsample"], QUANTILES["random_state"]
            settings = {
                "sample": subsample_rows(np.arange(rows), size=size, seed=seed),
                "training": np.arange(rows),
                "count": min(QUANTILES["n_quantiles"], rows),
                "resolution": 1e-7,
            }
            with ThreadPoolExecutor(workers) as pool:
                done = pool.map(partial(scale_column, **settings), columns)
                return [scores for scores, _ in done]

    def work() -> dict:
        work.scaled = scaled()
        return {"shape": [rows, len(columns)]}

    work.after = lambda: {
        "sha256": hashlib.sha256(np.asarray(work.scaled, np.float32).tobytes()).hexdigest()
    }
    return work


def step(how: str, batch: int = 128) -> Callable[[], dict]:
    """A pass over `ROWS` rows of standard normal numbers, on one thread.

    `how`: "script", the plain script's loop; "products", its products of matrices alone; "sgemm"
    or "product", as many operations in products of 2048 x 2048, by torch or by emodag; else a value
    of `training.matmul` for emodag's fit of the script's network, or "default" for that of its own.
    """
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((ROWS, WIDTH), dtype=np.float32), rng.integers(0, 4, ROWS)
    if how == "script":
        from tests.workflow import plain_script

        return lambda: plain_script.train(x, y, 1) and {}
    if how == "products":
        return _products(batch)
    if how in ("product", "sgemm"):
        return _sgemm(operations(batch) * (ROWS // batch), how)
    is_default = how == "default"
    extra = {"residual": True, "corruption": 0.1} if is_default else PLAIN
    return _fit(torch.from_numpy(x), y, extra, batch, "ordered" if is_default else how)


def fit(tables: Path) -> Callable[[], dict]:
    """One epoch of the default network on scaled tables, read from disk as a job does."""
    from emodag.stages.fitting import read_features

    inputs = {name: tables / f"{name}.parquet" for name in ("train", "test")}

    def work() -> dict:
        x = read_features(inputs, Silent())
        y = np.random.default_rng(0).integers(0, 4, len(x))
        return _fit(x, y, {"residual": True, "corruption": 0.1}, 128, "ordered")()

    return work


def _fit(x: Any, y: np.ndarray, extra: dict, batch: int, matmul: str) -> Callable[[], dict]:
    from emodag.science.fit.devices import prepared
    from emodag.science.fit.model import ModelSettings
    from emodag.science.fit.randomness import Derived
    from emodag.science.fit.training import FitSettings
    from emodag.science.fit.training import fit as train
    from emodag.science.seeds import generator

    prepared("cpu")

    def work() -> dict:
        network, _ = train(
            x,
            np.arange(len(x)),
            y,
            classes=4,
            model=ModelSettings(**MODEL, **extra, matmul=matmul),
            settings=FitSettings(epochs=1, batch=batch, **TRAINING),
            randomness=Derived(lambda purpose: generator(1, "speed", purpose)),
        )
        return {"parameters": sum(p.numel() for p in network.parameters())}

    return work


def layers() -> list[tuple[int, int, bool]]:
    """Inputs and outputs of the script's linear layers, and whether a gradient goes further back.

    The last of four outputs is left out.
    """
    hidden, code, head, gate = MODEL["hidden"], MODEL["code"], MODEL["head"], WIDTH // 4
    return [
        (WIDTH, gate, False),
        (gate, WIDTH, True),
        (WIDTH, hidden, True),
        (hidden, code, True),
        (code, hidden, True),
        (hidden, WIDTH, True),
        (code, head, True),
    ]


def operations(batch: int) -> int:
    """Floating-point operations in the matrix products of one step."""
    return 2 * batch * sum(i * o * (3 if back else 2) for i, o, back in layers())


def _products(batch: int) -> Callable[[], dict]:
    import torch

    sides = [(torch.randn(o, i), torch.randn(batch, i), torch.randn(batch, o), back)
             for i, o, back in layers()]  # fmt: skip
    made = [(torch.empty_like(g), torch.empty_like(w), torch.empty_like(a)) for w, a, g, _ in sides]

    def work() -> dict:
        for _ in range(ROWS // batch):
            for (weight, rows, slope, back), results in zip(sides, made, strict=True):
                ahead, change, before = results
                torch.mm(rows, weight.T, out=ahead)
                torch.mm(slope.T, rows, out=change)
                if back:
                    torch.mm(slope, weight, out=before)
        return {}

    return work


def _sgemm(wanted: int, how: str) -> Callable[[], dict]:
    import torch

    from emodag.science.fit.ordered import product

    a, b = (torch.randn(2048, 2048) for _ in range(2))
    multiply = torch.mm if how == "sgemm" else product
    times = round(wanted / (2 * 2048**3))

    def work() -> dict:
        for _ in range(times):
            multiply(a, b)
        return {"operations": times * 2 * 2048**3}

    return work


TASKS = {one.__name__: one for one in (twin, read, ingest, scale, quantiles, step, fit)}


def main(name: str, *arguments: str) -> None:
    """Prepare a task, do it, and print what it cost. `step` is done once before, to warm up."""
    given = [int(a) if a.isdigit() else Path(a) if "/" in a else a for a in arguments]
    work = TASKS[name](*given)
    if name == "step":
        work()
    wall, cpu = time.perf_counter(), time.process_time()
    found = work() or {}
    cost = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    # Not ru_maxrss, which begins with what the parent held.
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
    found |= getattr(work, "after", dict)()
    print(json.dumps({**cost, "peak": peak, **found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
