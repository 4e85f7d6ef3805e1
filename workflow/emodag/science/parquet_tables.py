"""Reading Parquet in blocks, whatever numeric types its columns have."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emodag.errors import InputError
from emodag.files import open_regular
from emodag.science.tables import BLOCK_BYTES, Block, fault, require_distinct

_EXACT = 2**53
"""Up to here every integer is a float64."""


class ParquetTable:
    """A Parquet file of columns without nesting. Opening reads the schema only.

    Raises `InputError`, here and while blocks are read, for anything that is not such a table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_regular(path) as file:
            magic = file.read(4)
        if not magic:
            raise fault(path, "is empty; expected a Parquet file")
        if magic != b"PAR1":
            raise fault(path, "is not a Parquet file, as its suffix says; give it the right suffix")
        try:
            with open_regular(path) as raw, pq.ParquetFile(raw) as file:
                schema = file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from None
        self.columns = tuple(schema.names)
        require_distinct(path, self.columns)
        self._types = dict(zip(schema.names, schema.types, strict=True))

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        """Read the columns `numbers` as float64 and `texts` as strings; no other column is read.

        Booleans, integers, floats of any width and decimals are numbers.

        Raises
        ------
        InputError
            For a column of another type, an integer that is no float64, and a damaged file.
        """
        for name in numbers:
            self._require(name, _is_number, "numbers")
        for name in texts:
            self._require(name, _is_text, "integers or strings")
        row = 0
        try:
            with open_regular(self.path) as raw, pq.ParquetFile(raw) as file:
                for group in range(file.num_row_groups):
                    yield from self._group_blocks(file, group, numbers, texts, row)
                    row += file.metadata.row_group(group).num_rows
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from None

    def fault(self, message: str, *, column: str, row: int) -> InputError:
        """An `InputError` about a cell, `row` rows after the first."""
        return fault(self.path, message, column=column, row=row)

    def _damaged(self, error: Exception) -> InputError:
        reason = " ".join(str(error).split()).rstrip(".")
        return fault(self.path, f"is damaged or cut short ({reason}); copy or download it again")

    def _group_blocks(
        self,
        file: pq.ParquetFile,
        group: int,
        numbers: Sequence[str],
        texts: Sequence[str],
        first_row: int,
    ) -> Iterator[Block]:
        # A few columns at a time: decoding a large row group at once takes three times its float64.
        rows = file.metadata.row_group(group).num_rows
        values = np.empty((rows, len(numbers)), order="F")
        step = max(1, BLOCK_BYTES // (8 * max(rows, 1)))
        for start in range(0, len(numbers), step):
            names = numbers[start : start + step]
            table = file.read_row_group(group, columns=list(names))
            for position, name in enumerate(names, start=start):
                values[:, position] = self._floats(name, _plain(table[name]), first_row)
        table = file.read_row_group(group, columns=list(texts))
        written = {name: _strings(_plain(table[name])) for name in texts}
        step = max(1, BLOCK_BYTES // (8 * max(len(numbers), 1)))
        for start in range(0, rows, step):
            yield Block(
                first_row=first_row + start,
                values=values[start : start + step],
                texts={name: text[start : start + step] for name, text in written.items()},
            )

    def _require(self, name: str, is_fit: Callable[[pa.DataType], bool], expected: str) -> None:
        type_ = self._types[name]
        plain = type_.value_type if pa.types.is_dictionary(type_) else type_
        if not is_fit(plain):
            raise fault(
                self.path,
                f"expected {expected}, found the type {type_}; convert it, "
                "or name it in data.ignore",
                column=name,
            )

    def _floats(self, name: str, column: pa.Array, first_row: int) -> np.ndarray:
        type_ = column.type
        if pa.types.is_null(type_):
            return np.full(len(column), np.nan)
        if pa.types.is_floating(type_):
            return column.to_numpy(zero_copy_only=False)
        if pa.types.is_decimal(type_):
            # Through text: pyarrow's own cast is off by one ulp in some cells.
            return column.cast(pa.string()).cast(pa.float64()).to_numpy(zero_copy_only=False)
        if pa.types.is_boolean(type_):
            column = column.cast(pa.uint8())
        integers = column.fill_null(0).to_numpy()
        self._refuse_inexact(name, integers, first_row)
        floats = integers.astype(np.float64)
        floats[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
        return floats

    def _refuse_inexact(self, name: str, integers: np.ndarray, first_row: int) -> None:
        beyond = integers > _EXACT
        if np.issubdtype(integers.dtype, np.signedinteger):
            beyond |= integers < -_EXACT
        for row in np.flatnonzero(beyond):
            exact = int(integers[row])
            if int(float(exact)) != exact:
                raise self.fault(
                    f"the integer {exact} does not fit a float64 exactly; "
                    "is this an id rather than a feature? Remove the column or round it",
                    column=name,
                    row=first_row + int(row),
                )


def _is_number(type_: pa.DataType) -> bool:
    kinds = pa.types
    return (
        kinds.is_null(type_)
        or kinds.is_boolean(type_)
        or kinds.is_integer(type_)
        or kinds.is_floating(type_)
        or kinds.is_decimal(type_)
    )


def _is_text(type_: pa.DataType) -> bool:
    kinds = pa.types
    return (
        _is_number(type_)
        or kinds.is_string(type_)
        or kinds.is_large_string(type_)
        or kinds.is_string_view(type_)
    )


def _plain(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined.dictionary_decode() if pa.types.is_dictionary(joined.type) else joined


def _strings(column: pa.Array) -> pa.Array:
    """As CSV would hold it: whole floats without a fraction, NaN as null."""
    type_ = column.type
    if pa.types.is_boolean(type_):
        column = column.cast(pa.uint8())
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return pa.array([_written(cell) for cell in column.to_pylist()], pa.string())
    return pc.utf8_trim_whitespace(column.cast(pa.string()))


def _written(cell: float | Decimal | None) -> str | None:
    if cell is None or cell != cell:
        return None
    return str(int(cell)) if cell % 1 == 0 else str(cell)
