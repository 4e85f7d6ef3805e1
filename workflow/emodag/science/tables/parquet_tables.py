"""Reading Parquet and Feather in blocks, whatever types their columns have."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emodag.science.tables.table import (
    BLOCK_BYTES,
    EXACT,
    FALSE,
    MISSING,
    SAVED_INDEX,
    TRUE,
    Block,
    another_kind,
    beyond_float64,
    fault,
    inexact,
    no_number,
    numbers_of,
    require_distinct,
    times_wider,
    without_codes,
)
from ledger.disk.regular import open_regular
from ledger.errors import InputError

_DEFINED = ("pandas.period", "pandas.interval", "arrow.uuid")
"""Types defined on top of others that are text in CSV."""


class _Groups(Protocol):
    """An open file of columns, in groups of rows."""

    schema: pa.Schema
    rows: list[int]

    def read(self, group: int, columns: Sequence[str]) -> pa.Table: ...


class _Parquet:
    def __init__(self, file: pq.ParquetFile) -> None:
        self._file, self.schema = file, file.schema_arrow
        meta = file.metadata
        self.rows = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]

    def read(self, group: int, columns: Sequence[str]) -> pa.Table:
        return self._file.read_row_group(group, columns=list(columns))


class _Feather:
    def __init__(self, file: pa.RecordBatchFileReader) -> None:
        self.schema = file.schema
        self._batch = lru_cache(1)(file.get_batch)
        self._count = file.num_record_batches

    @cached_property
    def rows(self) -> list[int]:
        return [self._batch(group).num_rows for group in range(self._count)]

    def read(self, group: int, columns: Sequence[str]) -> pa.Table:
        return pa.Table.from_batches([self._batch(group)]).select(list(columns))


class ParquetTable:
    """A Parquet or Feather file of columns without nesting. Opening reads no column of Parquet.

    Its columns are those that pandas would write as CSV: an index comes first, each level of it,
    also one that is a range in pandas' metadata only, unless that merely counts the rows from 0.
    Without a name it is called "".

    Raises `InputError`, here and while blocks are read, for anything that is not such a table.
    """

    hint, other_separator, decimal = "", None, "."

    def __init__(self, path: Path, *, missing: Sequence[str] = ()) -> None:
        self.path, self.missing = path, (*MISSING, *missing)
        self._feather = path.name.lower().endswith(".feather")
        kind, expected = ("Feather", b"ARROW1") if self._feather else ("Parquet", b"PAR1")
        with open_regular(path) as file:
            beginning = file.read(64)
        if not beginning:
            raise fault(path, f"is empty; expected a {kind} file")
        if not beginning.startswith(expected):
            what = another_kind(beginning) or "give it the right suffix"
            raise fault(path, f"is not a {kind} file, as its suffix says; {what}")
        with self._open() as file:
            schema, rows = file.schema, sum(file.rows)
        levels = _index_levels(schema, rows)
        self._ranges = dict(level for level in levels if isinstance(level, tuple))
        stored = {level: _shown(schema, level) for level in levels if isinstance(level, str)}
        self._stored = {name: level for level, name in stored.items()}
        first = [stored[level] if isinstance(level, str) else level[0] for level in levels]
        self.columns = (*first, *(name for name in schema.names if name not in levels))
        require_distinct(path, self.columns)
        if _has_levels_of_names(schema):
            raise fault(
                path,
                f"its columns have names of several levels, such as {schema.names[0]}, as a CSV of "
                "two headers; keep one: frame.columns = frame.columns.map('_'.join).str.strip('_')",
            )
        likely = [*self.columns[:1], *filter("__index_level_0__".__eq__, self.columns)]
        self.index = next(filter(SAVED_INDEX.fullmatch, likely), None)
        self._rows, self.counted = rows, not levels and bool(_metadata(schema))
        self.flags: set[str] = set()
        self.notes = ()
        types = {field.name: _extension(field) or field.type for field in schema}
        self._types = types | {name: types[stored] for name, stored in self._stored.items()}
        self._types |= dict.fromkeys(self._ranges, pa.int64())
        self._by_arrow = _columns_of_arrow(schema)
        values = {name: _value_type(type_) for name, type_ in self._types.items()}
        self.numeric = frozenset(n for n, t in values.items() if _is_number(t))
        self.unreadable = frozenset(n for n, t in values.items() if not _is_text(t))

    def show_index(self) -> None:
        """Have an index that only counts the rows as a first column without a name, as CSV has."""
        if self.counted and "" not in self.columns:
            self.columns, self._ranges[""] = ("", *self.columns), range(self._rows)
            self._types[""], self.index, self.counted = pa.int64(), "", False

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        """Read the columns `numbers` as float64 and `texts` as strings; no other column is read.

        Booleans, integers, floats of any width, decimals, and strings that CSV would take for
        numbers, are numbers. Texts are what pandas would write as CSV.

        Raises
        ------
        InputError
            For a column of another type, a string that is no number, an integer that is no
            float64, and a damaged file.
        """
        for name in numbers:
            self._require(name, _is_number_or_written, "numbers", ", or name it in data.ignore")
        for name in texts:
            self._require(name, _is_text, "whole numbers or text, one in each row")
        row = 0
        self.flags.clear()
        self._are_flags: dict[str, bool] = {}
        if any(self._types[name] in _DEFINED for name in texts):
            # So that pyarrow reads what pandas has defined, and not what that is made of.
            import pandas.core.arrays.arrow.extension_types  # noqa: F401
        with self._open() as file:
            whole = {
                name: _in_whole(
                    [self._column(file, group, name) for group in range(len(file.rows))],
                    by_arrow=self._stored.get(name, name) in self._by_arrow,
                )
                for name in texts
                if self._types[name] in _DEFINED
                or pa.types.is_temporal(_value_type(self._types[name]))
            }
            for group, rows in enumerate(file.rows):
                written = {}
                for name in texts:
                    if name in whole:
                        written[name] = whole[name].slice(row, rows)
                    else:
                        written[name] = _strings(_plain(self._column(file, group, name)))
                yield from self._group_blocks(file, group, numbers, written, row)
                row += rows

    def _column(self, file: _Groups, group: int, name: str) -> pa.ChunkedArray:
        (column,) = self._columns(file, group, [name])
        return column

    def _columns(
        self, file: _Groups, group: int, names: Sequence[str]
    ) -> Iterator[pa.ChunkedArray]:
        """Some columns of a group, also those that are ranges in pandas' notes only."""
        stored = {name: self._stored.get(name, name) for name in names if name not in self._ranges}
        table = file.read(group, [*stored.values()])
        first = sum(file.rows[:group])
        for name in names:
            if name in stored:
                yield table[stored[name]]
            else:
                own = self._ranges[name][first : first + file.rows[group]]
                yield pa.chunked_array([pa.array(own, pa.int64())])

    def fault(self, message: str, *, column: str, row: int) -> InputError:
        """An `InputError` about a cell, `row` rows after the first."""
        return fault(self.path, message, column=column, row=row)

    def _damaged(self, error: Exception) -> InputError:
        reason = " ".join(str(error).split()).rstrip(".")
        return fault(self.path, f"is damaged or cut short ({reason}); copy or download it again")

    @contextmanager
    def _open(self) -> Iterator[_Groups]:
        try:
            with open_regular(self.path) as raw:
                if self._feather:
                    with pa.ipc.open_file(raw) as file:
                        yield _Feather(file)
                else:
                    with pq.ParquetFile(raw) as file:
                        yield _Parquet(file)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from None

    def _group_blocks(
        self,
        file: _Groups,
        group: int,
        numbers: Sequence[str],
        texts: dict[str, pa.Array],
        first_row: int,
    ) -> Iterator[Block]:
        # A few columns at a time: decoding a large row group at once takes three times its float64.
        rows = file.rows[group]
        values = np.empty((rows, len(numbers)), order="F")
        step = max(1, BLOCK_BYTES // (8 * max(rows, 1)))
        for start in range(0, len(numbers), step):
            names = numbers[start : start + step]
            columns = zip(names, self._columns(file, group, names), strict=True)
            for position, (name, column) in enumerate(columns, start=start):
                values[:, position] = self._floats(name, _plain(column), first_row)
        without_codes(values, self.missing)
        most = BLOCK_BYTES * times_wider(len(numbers))
        step = max(1, most // (8 * max(len(numbers), 1)))
        for start in range(0, rows, step):
            yield Block(
                first_row=first_row + start,
                values=values[start : start + step],
                texts={name: text[start : start + step] for name, text in texts.items()},
            )

    def _require(
        self, name: str, is_fit: Callable[[pa.DataType | str], bool], expected: str, or_: str = ""
    ) -> None:
        type_ = self._types[name]
        if not is_fit(_value_type(type_)):
            problem = f"expected {expected}, found the type {type_}; convert it{or_}"
            raise fault(self.path, problem, column=name)

    def _floats(self, name: str, column: pa.Array, first_row: int) -> np.ndarray:
        type_ = column.type
        if pa.types.is_null(type_):
            return np.full(len(column), np.nan)
        if pa.types.is_floating(type_):
            values = column.to_numpy(zero_copy_only=False)
            if values.dtype != np.float64:  # where -999.9 is another number
                values = values.copy()
                without_codes(values, self.missing)
            return values
        if pa.types.is_decimal(type_):
            # Through text: pyarrow's own cast is off by one ulp in some cells.
            text = column.cast(pa.string())
            values = text.cast(pa.float64()).to_numpy(zero_copy_only=False)
            self._refuse_beyond(name, text, values, first_row)
            return values
        if _is_string(type_):
            return self._written_numbers(name, column.cast(pa.string()), first_row)
        if pa.types.is_boolean(type_):
            self.flags.add(name)
            column = column.cast(pa.uint8())
        integers = column.fill_null(0).to_numpy()
        beyond = integers > EXACT
        if np.issubdtype(integers.dtype, np.signedinteger):
            beyond |= integers < -EXACT
        far = np.flatnonzero(beyond).tolist()
        self._refuse(name, ((row, inexact(int(integers[row]))) for row in far), first_row)
        floats = integers.astype(np.float64)
        floats[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
        return floats

    def _written_numbers(self, name: str, text: pa.Array, first_row: int) -> np.ndarray:
        found = numbers_of(text, self.missing)
        if found is not None:
            values, flags = found
            if flags is None or self._are_flags.setdefault(name, flags) == flags:
                self.flags.update([name] if flags else [])
                self._refuse_beyond(name, text, values, first_row)
                return values
        for row, cell in enumerate(text.to_pylist()):
            one = numbers_of(pa.array([cell], pa.string()), self.missing)
            if one is None or one[1] not in (None, self._are_flags.setdefault(name, False)):
                problem = no_number(cell, flags=self._are_flags.get(name, False))
                raise self.fault(problem, column=name, row=first_row + row)
        raise AssertionError("a cell that is no number was not found again")

    def _refuse_beyond(self, name: str, text: pa.Array, values: np.ndarray, first_row: int) -> None:
        """Raise what is wrong with the first number beyond `EXACT` as it is written."""
        far = np.flatnonzero(np.abs(values) >= EXACT).tolist()
        self._refuse(name, ((row, beyond_float64(text[row].as_py())) for row in far), first_row)

    def _refuse(
        self, name: str, problems: Iterable[tuple[int, str | None]], first_row: int
    ) -> None:
        """Raise the first problem of a column's cells, given with their rows."""
        for row, problem in problems:
            if problem:
                raise self.fault(problem, column=name, row=first_row + row)


def _index_levels(schema: pa.Schema, rows: int) -> list[str | tuple[str, range]]:
    """The levels of the pandas index that a file was written with: columns, or name and range.

    None for a range that merely counts the rows from 0, as each frame has it that was given none.
    """
    found: list[str | tuple[str, range]] = []
    for level in _metadata(schema):
        if isinstance(level, str) and level in schema.names and level not in found:
            found.append(level)
        elif isinstance(level, dict) and level.get("kind") == "range":
            try:
                counted = range(level["start"], level["stop"], level["step"])
                is_whole = len(counted) == rows  # a table that lost rows has what was before
                is_whole &= max(map(abs, (*counted[:1], *counted[-1:])), default=0) < 2**63
            except (KeyError, TypeError, ValueError, OverflowError):
                continue
            name = level.get("name")
            if is_whole and (name is not None or counted != range(rows)):
                found.append(("" if name is None else str(name), counted))
    return found


def _shown(schema: pa.Schema, level: str) -> str:
    """What a level of an index is called in the header of a CSV, "" without a name.

    One that is called as a column is, or has no name, is stored by its number.
    """
    if not re.fullmatch(r"__index_level_\d+__", level):
        return level
    noted = [each for each in _metadata(schema, "columns") if isinstance(each, dict)]
    name = next((each.get("name") for each in noted if each.get("field_name") == level), None)
    return "" if name is None else str(name)


def _has_levels_of_names(schema: pa.Schema) -> bool:
    """Whether columns are called by tuples; pandas notes each level, or, without an index, none."""
    noted = _metadata(schema, "columns") and len(_metadata(schema, "column_indexes")) != 1
    names = [name for name in schema.names if not SAVED_INDEX.fullmatch(name)]
    return bool(noted and names) and all(re.fullmatch(r"\(.+, .+\)", name) for name in names)


def _metadata(schema: pa.Schema, of: str = "index_columns") -> list[Any]:
    """What pandas noted of the index, or else; [] where it did not, or that is unreadable."""
    try:
        noted = schema.pandas_metadata
    except (ValueError, RecursionError):
        return []
    found = noted.get(of) if isinstance(noted, dict) else None
    return found if isinstance(found, list) else []


def _columns_of_arrow(schema: pa.Schema) -> frozenset[str]:
    """Columns that pandas had of the types of pyarrow, of which it writes times otherwise."""
    noted = [each for each in _metadata(schema, "columns") if isinstance(each, dict)]
    return frozenset(
        str(each.get("field_name"))
        for each in noted
        if str(each.get("numpy_type")).endswith("[pyarrow]")
    )


def _extension(field: pa.Field) -> str | None:
    """The name of a type that was defined elsewhere, such as pandas' periods; None of another.

    pyarrow reads what such types are made of where nobody has told it of them.
    """
    if isinstance(field.type, pa.BaseExtensionType):
        return field.type.extension_name
    name = (field.metadata or {}).get(b"ARROW:extension:name")
    return None if name is None else name.decode(errors="replace")


def _value_type(type_: pa.DataType | str) -> pa.DataType | str:
    is_encoded = not isinstance(type_, str) and pa.types.is_dictionary(type_)
    return type_.value_type if is_encoded else type_


def _is_number(type_: pa.DataType | str) -> bool:
    kinds = pa.types
    return not isinstance(type_, str) and (
        kinds.is_null(type_)
        or kinds.is_boolean(type_)
        or kinds.is_integer(type_)
        or kinds.is_floating(type_)
        or kinds.is_decimal(type_)
    )


def _is_string(type_: pa.DataType | str) -> bool:
    kinds = pa.types
    return not isinstance(type_, str) and (
        kinds.is_string(type_) or kinds.is_large_string(type_) or kinds.is_string_view(type_)
    )


def _is_bytes(type_: pa.DataType) -> bool:
    kinds = pa.types
    return (
        kinds.is_binary(type_)
        or kinds.is_large_binary(type_)
        or kinds.is_binary_view(type_)
        or kinds.is_fixed_size_binary(type_)
    )


def _is_number_or_written(type_: pa.DataType | str) -> bool:
    return _is_number(type_) or _is_string(type_)


def _is_text(type_: pa.DataType | str) -> bool:
    if isinstance(type_, str):
        return type_ in _DEFINED
    return _is_number(type_) or _is_string(type_) or _is_bytes(type_) or pa.types.is_temporal(type_)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined.dictionary_decode() if pa.types.is_dictionary(joined.type) else joined


def _in_whole(parts: Sequence[pa.ChunkedArray], *, by_arrow: bool) -> pa.Array:
    """A column of times, or of a type in `_DEFINED`, as pandas writes it: by all of its cells.

    Except where it has the types of pyarrow: then each cell is written by itself.
    """
    import pandas as pd

    column = pa.chunked_array([_plain(part) for part in parts]) if parts else pa.array([])
    is_uuid = column.type == pa.uuid()  # of which pandas would have the bytes
    if by_arrow:
        cells = pd.Series(column, dtype=pd.ArrowDtype(column.type))
    else:
        cells = pd.Series(column.to_pylist() if is_uuid else column.to_pandas(), dtype=None)
    lines = cells.to_csv(index=False, header=False, na_rep="NaT", sep="\x1f")  # so none is quoted
    return pa.array([None if cell == "NaT" else cell for cell in lines.splitlines()], pa.string())


def _strings(column: pa.Array) -> pa.Array:
    """As pandas writes them as CSV, NaN as null."""
    type_ = column.type
    if pa.types.is_boolean(type_):
        return pc.if_else(column, TRUE[0], FALSE[0])
    if pa.types.is_floating(type_):
        cells: Sequence[Any] = column.to_numpy(zero_copy_only=False)
        return pa.array([str(cell) if cell == cell else None for cell in cells], pa.string())
    if pa.types.is_decimal(type_) or _is_bytes(type_):
        cells = column.to_pylist()
        return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
    return pc.utf8_trim_whitespace(column.cast(pa.string()))
