"""What is kept of a table's features, of which the others here tell what is suspicious.

It does not depend on how the file they came from is organised.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

_GOLDEN = 0x9E3779B97F4A7C15
"""2**64 over the golden ratio: its multiples modulo 2**64 are spread evenly and repeat nothing."""

COLUMNS_AT_ONCE = 64

ROUGH, _FINE = 500, 2000
"""Rows that all features, and then the suspicious ones, are looked at with."""

_SAMPLE_BYTES = 128 << 20
"""What they take at most: of a table with very many columns there are fewer rows."""

_NEIGHBOURED = 32
"""Features by which neighbouring rows are compared."""


@dataclass(frozen=True)
class Glance:
    """What is kept of a table of (n, p) features, which may be too large for memory.

    Attributes
    ----------
    digests : (n,) uint64, equal for rows that are equal as float32.
    empty : (n,) boolean, whether a row has no value at all but zeros, as of a sensor that is off.
    sample : (m,) the rows that `sampled` holds, in an order without a period.
    sampled : (m, p) float64.
    watched : (n, w) float64, some of the columns.
    """

    digests: np.ndarray
    empty: np.ndarray
    sample: np.ndarray
    sampled: np.ndarray
    watched: np.ndarray


def glance(path: Path) -> Glance:
    """Go once through a file of float64 features, a few columns of a row group at a time."""
    with pq.ParquetFile(path) as file:
        rows, width = file.metadata.num_rows, file.metadata.num_columns
        sample = sample_of(rows, width)
        watched = np.unique(np.linspace(0, width - 1, _NEIGHBOURED).astype(np.int64))
        digests, empty = np.zeros(rows, np.uint64), np.ones(rows, bool)
        chosen = np.empty((len(sample), width), order="F")
        seen = np.empty((rows, len(watched)))
        for rows_, columns, values in _blocks(file):
            # As float32, as one of two tables may have been saved so; -0.0 becomes 0.0.
            with np.errstate(over="ignore"):  # of artefacts such as 1e308
                bits = (values.astype(np.float32).astype(np.float64) + 0.0).view(np.uint64)
            weights = (2 * np.arange(columns.start, columns.stop, dtype=np.uint64) + 1) * np.uint64(
                _GOLDEN
            )
            mixed = (bits ^ (bits >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(32))) * weights[:, None]
            digests[rows_] += mixed.sum(axis=0, dtype=np.uint64)
            empty[rows_] &= (np.isnan(values) | (values == 0)).all(axis=0)
            inside = np.flatnonzero((sample >= rows_.start) & (sample < rows_.stop))
            chosen[inside, columns] = values[:, sample[inside] - rows_.start].T
            for at in np.flatnonzero((watched >= columns.start) & (watched < columns.stop)):
                seen[rows_, at] = values[watched[at] - columns.start]
    return Glance(digests, empty, sample, chosen, seen)


def sample_of(rows: int, features: int) -> np.ndarray:
    """(m,) the rows of a table that features are looked at with, in an order without a period."""
    order = np.argsort(np.arange(rows, dtype=np.uint64) * np.uint64(_GOLDEN), kind="stable")
    return order[: min(_FINE, _SAMPLE_BYTES // (8 * features))]


def _blocks(file: pq.ParquetFile) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Rows, columns, and their values of shape (columns, rows)."""
    names, first = file.schema_arrow.names, 0
    for group in range(file.num_row_groups):
        rows = slice(first, first + file.metadata.row_group(group).num_rows)
        for start in range(0, len(names), COLUMNS_AT_ONCE):
            columns = slice(start, min(start + COLUMNS_AT_ONCE, len(names)))
            table = file.read_row_group(group, columns=names[columns], use_threads=False)
            yield rows, columns, np.array([column.to_numpy() for column in table.columns])
        first = rows.stop
