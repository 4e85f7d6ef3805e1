"""How far apart two Parquet tables are, column by column.

A table is compared by chunks, one column of one row group. A chunk whose bytes on disk are the
same in both files holds the same values and is not decoded; so a single changed cell of a large
table is found in the time it takes to read the files.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ledger.compare.contents import Packed, opened
from ledger.compare.distance import Distance, distance

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
    """Rows that are row groups of their own in both files, and in each the groups' numbers."""

    rows: int
    a: list[int]
    b: list[int]


def table_distances(a: Table, b: Table) -> dict[str, Distance]:
    """The distance by column of two tables with equally many rows."""
    names = [name for name in a.types if name in b.types]
    found = dict.fromkeys(names, Distance())

    def compare(band: Band) -> dict[str, Distance]:
        same = set(_same_bytes(a, b, band, names))
        others = [name for name in names if name not in same]
        left, right = a.read(band.a, others), b.read(band.b, others)
        apart = {name: column_distance(left[name], right[name]) for name in others}
        return apart | dict.fromkeys(same, Distance(cells=band.rows))

    with ThreadPoolExecutor() as pool:
        for part in pool.map(compare, _bands(a.rows(), b.rows())):
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


def _same_bytes(a: Table, b: Table, band: Band, names: list[str]) -> Iterator[str]:
    """The columns that have one type and the same bytes on disk in a band."""
    if (len(band.a), len(band.b)) != (1, 1):
        return
    with opened(a.file) as left, opened(b.file) as right:
        extents = [_extents(x, groups[0]) for x, groups in ((a, band.a), (b, band.b))]
        for name in names:
            (start, size), (other, other_size) = (extent[name] for extent in extents)
            if size != other_size or a.types[name] != b.types[name]:
                continue
            left.seek(start)
            right.seek(other)
            if left.read(size) == right.read(size):
                yield name


def _extents(table: Table, group: int) -> dict[str, tuple[int, int]]:
    """Where each column's chunk begins in the file, and how long it is."""
    row_group = table.metadata.row_group(group)
    found = {}
    for number in range(row_group.num_columns):
        chunk = row_group.column(number)
        start = chunk.data_page_offset
        if chunk.dictionary_page_offset is not None:
            start = min(start, chunk.dictionary_page_offset)
        found[chunk.path_in_schema] = (start, chunk.total_compressed_size)
    return found
