"""Feature matrices between Parquet and memory, without a second copy."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS_AT_ONCE = 16
"""Columns that are written into the matrix together: float32 of a cache line."""


def read_matrix(paths: Sequence[Path]) -> np.ndarray:
    """Stack the float columns of Parquet tables with equal columns into one row-major matrix.

    Row groups are read one at a time, so the peak is the matrix and one row group.

    Returns
    -------
    (n, p) float32.
    """
    sources = [pq.ParquetFile(path) for path in paths]
    width = sources[0].metadata.num_columns
    matrix = np.empty((sum(s.metadata.num_rows for s in sources), width), np.float32)
    row = 0
    for source in sources:
        for group in range(source.num_row_groups):
            table = source.read_row_group(group, use_threads=False)
            columns = [column.to_numpy() for column in table.columns]
            for first in range(0, width, COLUMNS_AT_ONCE):
                block = np.array(columns[first : first + COLUMNS_AT_ONCE])
                matrix[row : row + table.num_rows, first : first + len(block)] = block.T
            row += table.num_rows
        source.close()
    return matrix


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """The columns of a small Parquet table without missing values, as arrays by name."""
    with pq.ParquetFile(path) as source:  # `read_table` would import what reads whole directories
        table = source.read(use_threads=False)
    return {name: table[name].to_numpy() for name in table.column_names}


def read_column(source: pq.ParquetFile, name: str) -> np.ndarray:
    """One column of a table without nulls."""
    return source.read(columns=[name], use_threads=False)[name].to_numpy()


def column_blocks(
    sources: Sequence[pq.ParquetFile], at_once: int
) -> Iterator[tuple[list[str], list[np.ndarray]]]:
    """Names and values, (n,) each, of so many columns at a time, the sources' rows in their order.

    Parameters
    ----------
    sources : tables with equal columns, without nulls.
    """
    names = sources[0].schema_arrow.names
    for start in range(0, len(names), at_once):
        block = names[start : start + at_once]
        tables = [part.read(columns=block, use_threads=False) for part in sources]
        columns = zip(*(table.columns for table in tables), strict=True)
        yield block, [np.concatenate([part.to_numpy() for part in parts]) for parts in columns]


def write_columns(path: Path, columns: dict[str, np.ndarray]) -> None:
    """Write arrays by name as a Parquet table."""
    pq.write_table(pa.table(columns), path, compression="zstd")


def probability_columns(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """(n, classes) probabilities as columns `p0`, `p1`, ..., classes in order."""
    return {f"p{c}": np.ascontiguousarray(column) for c, column in enumerate(probabilities.T)}


def read_probabilities(path: Path) -> np.ndarray:
    """The columns `p0`, `p1`, ... of a table as one (n, classes) float32 array."""
    return stacked_probabilities(read_columns(path))


def stacked_probabilities(columns: dict[str, np.ndarray]) -> np.ndarray:
    """The same of columns by name."""
    names = [f"p{c}" for c in range(len(columns)) if f"p{c}" in columns]
    return np.column_stack([columns[name] for name in names])
