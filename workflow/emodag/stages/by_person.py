"""Each person's features relative to that person: no label is used, and no other person."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import numpy as np
import pyarrow.parquet as pq

from emodag.science.person_scaling import by_person, rows_by_person
from emodag.science.tables.feature_file import FeatureWriter
from emodag.science.tables.matrices import column_blocks, read_columns
from ledger.context import Context, Inputs, Params

COLUMNS_AT_ONCE, ROWS_AT_ONCE = 64, 2048
"""How much of the matrix is held at once; results do not depend on it."""


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `train.parquet` and, where there is a pool, `test.parquet`: float64, NaN where missing.

    Parameters
    ----------
    inputs : `train` and `test`, the features; `rows`, `test_rows` and `unlabelled`, the `person` of
        each row of the first, and of the second's, one above the other. A person's labelled and
        unlabelled rows belong together; the test table's persons are others.
    params : `kind`, see `emodag.science.person_scaling.by_person`.
    context : its workers go through features side by side.
    """
    everybody = persons_of_rows(inputs)
    relative = partial(by_person, groups=rows_by_person(everybody), kind=params["kind"])
    tables = {name: pq.ParquetFile(inputs[name]) for name in ("train", "test") if name in inputs}
    # What comes feature by feature is to be written row by row. In between it lies on the disk, in
    # a file that is gone once this process ends, however it does.
    with TemporaryFile(dir=output, buffering=0) as waiting:
        with ThreadPoolExecutor(context.workers) as workers:
            for _, columns in column_blocks([*tables.values()], COLUMNS_AT_ONCE):
                for column in workers.map(relative, columns):
                    column.tofile(waiting)
        first = 0
        for name, table in tables.items():
            rows, names = table.metadata.num_rows, table.schema_arrow.names
            with FeatureWriter(output / f"{name}.parquet", names) as writer:
                for start in range(first, first + rows, ROWS_AT_ONCE):
                    stop = min(start + ROWS_AT_ONCE, first + rows)
                    writer.add(_rows(waiting, start, stop, shape=(len(everybody), len(names))))
            first += rows


def _rows(columns: BinaryIO, start: int, stop: int, *, shape: tuple[int, int]) -> np.ndarray:
    """(stop - start, p) float64: some rows of an (n, p) matrix that a file holds by columns."""
    found = np.empty((stop - start, shape[1]), order="F")
    for at in range(shape[1]):
        columns.seek((at * shape[0] + start) * found.itemsize)
        found[:, at] = np.fromfile(columns, count=len(found))
    return found


def persons_of_rows(inputs: Inputs) -> np.ndarray:
    """Of whom each row is: training rows, then those of the test table, then unlabelled ones.

    Parameters
    ----------
    inputs : `rows`, `test_rows` and `unlabelled`, see `run`.

    Returns
    -------
    (n,) int64, a number for each person.
    """
    known: dict[tuple[bool, object], int] = {}
    return np.array(
        [
            known.setdefault((role == "test_rows", person), len(known))
            for role in ("rows", "test_rows", "unlabelled")
            if role in inputs
            for person in read_columns(inputs[role])["person"].tolist()
        ]
    )
