"""Parquet files of float64 features, written a bounded number of rows at a time."""

import mmap
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_GROUP_BYTES = 32 << 20
_LEAST_ROWS, _MOST_ROWS = 1 << 11, 1 << 16


class FeatureWriter:
    """Collects rows from blocks of any size and writes row groups of one fixed size.

    That is 32 MiB; the more rows the narrower the table is, but between 2,048 and 65,536 of them.
    With fewer the pieces of columns, each of which costs time, grow with the columns' square.

    The file depends on the rows alone, not on how they were divided into blocks. Missing values are
    NaN; there are no nulls. Use it as a context manager: the file is whole once that is left
    without an exception.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        rows = min(_MOST_ROWS, max(_LEAST_ROWS, _GROUP_BYTES // (8 * len(names))))
        self._pending = _untouched(rows, len(names))
        self._used = 0
        self._schema = _schema(names)
        self._file = _writer(path, self._schema)

    def __enter__(self) -> "FeatureWriter":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._flush()
        self._file.close()

    def add(self, values: np.ndarray) -> None:
        """Append the rows of the float64 `values` of shape (rows, columns)."""
        start = 0
        while start < len(values):
            count = min(len(values) - start, len(self._pending) - self._used)
            self._pending[self._used : self._used + count] = values[start : start + count]
            self._used += count
            start += count
            if self._used == len(self._pending):
                self._flush()

    def _flush(self) -> None:
        if not self._used:
            return
        columns = [pa.array(column) for column in self._pending[: self._used].T]
        self._file.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._used = 0


def select_columns(source: Path, target: Path, names: Sequence[str]) -> None:
    """Copy the columns `names` of a feature file, one row group at a time."""
    with pq.ParquetFile(source) as file, _writer(target, _schema(names)) as copy:
        for group in range(file.num_row_groups):
            copy.write_table(file.read_row_group(group).select(list(names)))


def _untouched(rows: int, columns: int) -> np.ndarray:
    """(rows, columns) float64, column by column, of which what is never written takes no memory.

    NumPy asks for pages of 2 MiB, by which a wide table of few rows would take all of it.
    """
    memory = mmap.mmap(-1, 8 * rows * columns)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):  # Linux
        with suppress(OSError):
            memory.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(memory).reshape((rows, columns), order="F")


def _schema(names: Sequence[str]) -> pa.Schema:
    return pa.schema([pa.field(name, pa.float64(), nullable=False) for name in names])


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # Measured values rarely repeat: a dictionary would cost memory and save nothing.
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False)
