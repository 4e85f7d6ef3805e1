"""Each person's features relative to that person: no label is used, and no other person."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from emodag.science.person_scaling import by_person, rows_by_person
from emodag.science.tables.feature_file import FeatureWriter
from emodag.science.tables.matrices import read_column, read_columns
from ledger.context import Context


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
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
    groups = rows_by_person(everybody)
    sources = [pq.ParquetFile(inputs[name]) for name in ("train", "test") if name in inputs]
    names, n_train = sources[0].schema_arrow.names, sources[0].metadata.num_rows
    columns = (np.concatenate([read_column(source, name) for source in sources]) for name in names)
    relative = partial(by_person, groups=groups, kind=params["kind"])
    values = np.empty((len(everybody), len(names)), order="F")
    with ThreadPoolExecutor(context.workers) as workers:
        for at, column in enumerate(workers.map(relative, columns)):
            values[:, at] = column
    for name, rows in (("train", values[:n_train]), ("test", values[n_train:])):
        if name in inputs:
            with FeatureWriter(output / f"{name}.parquet", names) as writer:
                writer.add(rows)


def persons_of_rows(inputs: Mapping[str, Path]) -> np.ndarray:
    """Of whom each row is: training rows, then those of the test table, then unlabelled ones.

    Parameters
    ----------
    inputs : `rows`, `test_rows` and `unlabelled`, see `run`.

    Returns
    -------
    (n,) int64, a number for each person.
    """
    of = {
        role: [(role if role == "test_rows" else "", person) for person in _column(inputs[role])]
        for role in ("rows", "test_rows", "unlabelled")
        if role in inputs
    }
    known = {}
    return np.array([known.setdefault(who, len(known)) for part in of.values() for who in part])


def _column(path: Path) -> list:
    return read_columns(path)["person"].tolist()
