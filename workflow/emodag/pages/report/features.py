"""The features of a run: a sample of scaled rows, and what is odd in the table."""

import numpy as np
import pyarrow.parquet as pq

from emodag.pages.report.run import Run
from emodag.science.seeds import generator
from emodag.science.tables.matrices import column_blocks, read_column
from emodag.science.tables.oddities import Oddities, oddities

SAMPLE = 800
"""Training rows that are looked at where all would take too long."""

COLUMNS_AT_ONCE = 64
"""Columns that are held as float64 at once; results do not depend on it."""


def sampled(run: Run) -> np.ndarray:
    """(m,) row numbers of the sample, ascending; everybody's rows are as likely to be in it."""
    n = len(run.labels)
    if n <= SAMPLE:
        return np.arange(n)
    return np.sort(generator("report", "rows").choice(n, SAMPLE, replace=False))


def scaled_rows(run: Run, part: str) -> np.ndarray:
    """(m, p) float32: the sample's scaled features, as the models of a part see them."""
    look = run.params["look"]["protocol"]
    table = pq.ParquetFile(run.inputs[f"{look}/scaled/{part}/train.parquet"])
    rows, first, found = sampled(run), 0, []
    for number in range(table.num_row_groups):
        group = table.read_row_group(number, use_threads=False)
        last = first + group.num_rows
        chosen = group.take(rows[(first <= rows) & (rows < last)] - first)
        found.append(np.column_stack([values.to_numpy() for values in chosen.columns]))
        first = last
    return np.concatenate(found)


def odd_cells(run: Run) -> Oddities:
    """What is odd in the training table."""
    table = pq.ParquetFile(run.inputs["table/train.parquet"])
    found = [
        oddities(np.column_stack(values), run.person, persons=len(run.persons))
        for _, values in column_blocks([table], COLUMNS_AT_ONCE)
    ]
    return Oddities(*(np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True)))


def column(run: Run, role: str, name: str) -> np.ndarray:
    """One column of a table, as floats without the missing ones."""
    values = read_column(pq.ParquetFile(run.inputs[role]), name)
    return values[~np.isnan(values)]
