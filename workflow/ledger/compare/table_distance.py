"""How far apart two Parquet tables are, column by column.

It is some columns of a row group that are compared at a time, so no large table is held as a whole.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ledger.compare.contents import Packed, opened
from ledger.compare.distance import Distance, distance

AT_ONCE = 1 << 22
"""How many cells of each table a thread holds."""

UNPACKED_CELLS, UNPACKED_BYTES = 1 << 24, 1 << 26
"""A table out of a pack that says it is larger than this once unpacked is not read."""


@dataclass(frozen=True)
class Table:
    """A Parquet file with its metadata, which are slow to parse and shared by all readers."""

    file: Path | Packed
    metadata: pq.FileMetaData
    types: dict[str, pa.DataType]

    @classmethod
    def open(cls, file: Path | Packed) -> "Table":
        """Read a file's metadata.

        Raises
        ------
        ValueError
            When it is out of a pack, and too large once unpacked.
        """
        with pq.ParquetFile(_source(file)) as source:
            metadata, schema = source.metadata, source.schema_arrow
        if isinstance(file, Packed):
            groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
            chunks = [group.column(n) for group in groups for n in range(metadata.num_columns)]
            cells = sum(chunk.num_values for chunk in chunks)  # as many as Arrow reads
            size = sum(chunk.total_uncompressed_size for chunk in chunks)
            if cells > UNPACKED_CELLS or size > UNPACKED_BYTES:
                raise ValueError("it is too large once unpacked")
        return cls(file, metadata, {field.name: field.type for field in schema})

    def rows(self) -> list[int]:
        """Rows by row group."""
        return [self.metadata.row_group(n).num_rows for n in range(self.metadata.num_row_groups)]

    def read(self, groups: list[int], columns: list[str]) -> pa.Table:
        """Some columns of some row groups."""
        with pq.ParquetFile(_source(self.file), metadata=self.metadata) as source:
            return source.read_row_groups(groups, columns=columns, use_threads=False)


class Band(NamedTuple):
    """Rows that are row groups of their own in both files: how many, and the groups' numbers."""

    rows: int
    a: list[int]
    b: list[int]


def table_distances(a: Table, b: Table) -> dict[str, Distance]:
    """The distance by column of two tables with equally many rows."""
    names = [name for name in a.types if name in b.types]
    found = dict.fromkeys(names, Distance())

    jobs = []
    for band in _bands(a.rows(), b.rows()):
        width = max(AT_ONCE // max(band.rows, 1), 1)
        jobs += [(band, names[at : at + width]) for at in range(0, len(names), width)]

    def compare(job: tuple[Band, list[str]]) -> dict[str, Distance]:
        band, part = job
        left, right = a.read(band.a, part), b.read(band.b, part)
        return {name: column_distance(left[name], right[name]) for name in part}

    with ThreadPoolExecutor() as pool:
        for part in pool.map(compare, jobs):
            for name, apart in part.items():
                found[name] += apart
    return found


def column_distance(a: pa.ChunkedArray, b: pa.ChunkedArray) -> Distance:
    """The distance of two columns, where a missing value differs from every other."""
    a, b = (x.cast(x.type.value_type) if pa.types.is_dictionary(x.type) else x for x in (a, b))
    if not (a.null_count or b.null_count):
        return distance(_values(a), _values(b))
    missing = [pc.is_null(x) for x in (a, b)]
    one, there = pc.xor(*missing), pc.invert(pc.or_(*missing))
    both = distance(*(_values(x.filter(there)) for x in (a, b)))
    differing = pc.sum(one).as_py() or 0
    cells = len(a) - both.cells
    return both + Distance(cells=cells, differing=differing, incomparable=differing)


def _source(file: Path | Packed) -> Path | BinaryIO:
    """What Arrow is to read; it opens a file on the disk itself, to read with several threads."""
    return opened(file) if isinstance(file, Packed) else file


def _values(column: pa.ChunkedArray):
    return column.combine_chunks().to_numpy(zero_copy_only=False)


def _bands(a: list[int], b: list[int]) -> list[Band]:
    """The row groups in pairs, or all in one where the files are divided differently."""
    if a == b:
        return [Band(rows, [n], [n]) for n, rows in enumerate(a)]
    return [Band(sum(a), list(range(len(a))), list(range(len(b))))]
