"""Reading CSV in blocks: pyarrow converts, and Python's csv module finds the cell it stopped at."""

import csv
import gzip
import io
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from emodag.errors import InputError
from emodag.files import open_regular
from emodag.science.pandas_decimals import read_decimals
from emodag.science.tables import BLOCK_BYTES, MISSING, Block, fault, first_cell, require_distinct

_LONGEST_RECORD = 16 * BLOCK_BYTES
_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan(?:\(\w*\))?)", re.I | re.A
)
_LITERAL_INFINITY = r"(?i)^\s*[+-]?inf(?:inity)?\s*$"
_SIGNATURES = (
    (b"PAR1", "is a Parquet file; give it the suffix .parquet"),
    (b"\x1f\x8b", "is compressed with gzip; give it the suffix .csv.gz"),
    (b"PK\x03\x04", "is a zip archive or an Excel workbook; unpack it, or export it as CSV"),
    (b"\xff\xfe", "is UTF-16 text; save it again as UTF-8"),
    (b"\xfe\xff", "is UTF-16 text; save it again as UTF-8"),
)


class CsvTable:
    """A comma-separated file in UTF-8 with one header line, plain or compressed with gzip.

    Quoted cells, CRLF, a byte-order mark and blank lines (skipped; in a table of one column a blank
    line is a missing value) are read. A number is the float64 nearest to what is written, or, where
    `decimals` is "pandas", what pandas takes for it. Opening reads the header only.

    Raises `InputError`, here and while blocks are read, for anything that is not such a table.
    """

    def __init__(self, path: Path, *, decimals: str = "nearest") -> None:
        self.path, self._decimals = path, decimals
        header = self._read_header()
        self.columns = self._names_in(header)
        require_distinct(path, self.columns)
        self._header_bytes = len(header)
        self._first_line = header.count(b"\n") + 1
        self._block_rows: list[int] = []
        self._block_lines: list[int | None] = []

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        """Read the columns `numbers` as float64 and `texts` as strings; no other cell is converted.

        Raises
        ------
        InputError
            For a row with too few or too many cells, text where a number is due, a number beyond
            the range of float64 (an infinity spelt out is read), and bytes that are not UTF-8.
        """
        index = {name: str(position) for position, name in enumerate(self.columns)}
        types = {index[name]: pa.float64() for name in numbers}
        types |= {index[name]: pa.string() for name in texts}
        self._block_rows, self._block_lines = [], []
        row = 0
        for line, raw in self._records():
            try:
                table = self._convert(raw, types)
            except pa.ArrowInvalid as error:
                wanted = sorted((int(position), type_) for position, type_ in types.items())
                reason = " ".join(str(error).split())
                raise self._find_fault(raw, wanted, row, line, reason) from None
            if self._decimals == "pandas" and numbers:
                values = self._pandas(raw, [int(index[name]) for name in numbers])
            else:
                values = np.empty((table.num_rows, len(numbers)), order="F")
                for position, name in enumerate(numbers):
                    values[:, position] = table[index[name]].to_numpy()
            self._block_rows.append(row)
            plain = raw.count(b"\n") + (not raw.endswith(b"\n")) == table.num_rows
            self._block_lines.append(line if plain else None)
            self._refuse_overflow(raw, numbers, index, values, row)
            trimmed = {name: _trimmed(table[index[name]]) for name in texts}
            yield Block(first_row=row, values=values, texts=trimmed)
            row += table.num_rows

    def fault(self, message: str, *, column: str, row: int) -> InputError:
        """An `InputError` about a cell already read, `row` rows after the first."""
        block = bisect_right(self._block_rows, row) - 1
        first = self._block_lines[block]
        line = None if first is None else first + row - self._block_rows[block]
        return fault(self.path, message, column=column, row=row, line=line)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        with open_regular(self.path) as raw:
            if not self.path.name.lower().endswith(".gz"):
                yield raw
                return
            magic = raw.read(2)
            if magic and magic != b"\x1f\x8b":
                raise fault(
                    self.path, "is not compressed with gzip, as its suffix says; remove .gz"
                )
            raw.seek(0)
            with gzip.open(raw) as plain:
                yield plain

    def _read(self, file: BinaryIO, size: int) -> bytes:
        try:
            return file.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise fault(
                self.path, f"is damaged or cut short ({error}); copy or download it again"
            ) from None

    def _read_header(self) -> bytes:
        with self._open() as file:
            text = self._read(file, BLOCK_BYTES)
        if not text:
            raise fault(self.path, "is empty; expected a header and rows")
        for magic, what in _SIGNATURES:
            if text.startswith(magic):
                raise fault(self.path, what)
        if b"\0" in text:
            raise fault(self.path, "is binary; expected comma-separated text in UTF-8")
        end = _first_record(text)
        if end == BLOCK_BYTES or text.count(b'"', 0, end) % 2:
            raise fault(
                self.path,
                "the header does not end where expected; is a quotation mark left open in it?",
            )
        return text[:end]

    def _names_in(self, header: bytes) -> tuple[str, ...]:
        if b"\n" not in header and b"\r" in header.rstrip(b"\r"):
            raise fault(self.path, "its lines end with a lone carriage return; save it with LF")
        try:
            lines = io.StringIO(header.decode("utf-8-sig"), newline="")
        except UnicodeDecodeError:
            raise fault(
                self.path, "the header is not UTF-8; save the file again as UTF-8"
            ) from None
        records = [record for record in csv.reader(lines) if record]
        if not records:
            raise fault(self.path, "has no header; expected names of columns in the first line")
        return tuple(records[0])

    def _records(self) -> Iterator[tuple[int, bytes]]:
        """Whole records of about `BLOCK_BYTES` bytes, each with the line of its first."""
        with self._open() as file:
            self._read(file, self._header_bytes)
            line, rest = self._first_line, b""
            while chunk := self._read(file, BLOCK_BYTES):
                rest += chunk
                end = _last_record(rest)
                if len(rest) - end > _LONGEST_RECORD:
                    raise fault(
                        self.path,
                        f"a quotation mark opened after line {line} is not closed; close it",
                    )
                if rest[:end].strip():
                    yield line, rest[:end]
                line, rest = line + rest.count(b"\n", 0, end), rest[end:]
            if rest.strip():
                yield line, rest

    def _convert(self, text: bytes, types: dict[str, pa.DataType]) -> pa.Table:
        names = [str(position) for position in range(len(self.columns))]
        return pacsv.read_csv(
            pa.BufferReader(text),
            # One block, so that a record is never looked for across two.
            pacsv.ReadOptions(column_names=names, block_size=len(text) + 1),
            pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(names) > 1),
            pacsv.ConvertOptions(
                column_types=types, include_columns=list(types), null_values=list(MISSING)
            ),
        )

    def _pandas(self, text: bytes, columns: list[int]) -> np.ndarray:
        try:
            return read_decimals(text, columns)
        except ValueError as error:
            raise fault(self.path, f"pandas cannot read it ({error}); correct the cell") from None

    def _refuse_overflow(
        self,
        text: bytes,
        numbers: Sequence[str],
        index: dict[str, str],
        values: np.ndarray,
        first_row: int,
    ) -> None:
        """Tell 1e400, which pyarrow reads as infinite, from an infinity that is spelt out."""
        overflown = np.isinf(values)
        suspects = np.flatnonzero(overflown.any(axis=0))
        if not suspects.size:
            return
        written = self._convert(text, {index[numbers[column]]: pa.string() for column in suspects})
        for column in suspects:
            literal = pc.match_substring_regex(written[index[numbers[column]]], _LITERAL_INFINITY)
            # What is null here is NaN there, and neither is infinite.
            overflown[:, column] &= ~literal.fill_null(True).to_numpy()
        cell = first_cell(overflown)
        if cell is not None:
            row, column = cell
            found = written[index[numbers[column]]][row].as_py()
            raise self.fault(
                f"{found!r} is beyond the range of float64 (about 1.8e308); correct it, "
                "leave the cell empty if the value is unknown, or write inf if it is meant",
                column=numbers[column],
                row=first_row + row,
            )

    def _find_fault(
        self,
        text: bytes,
        wanted: list[tuple[int, pa.DataType]],
        row: int,
        line: int,
        reason: str,
    ) -> InputError:
        """Go through a block that pyarrow refused, cell by cell, to the first that is wrong."""
        # Undecodable bytes become lone surrogates, so that the rows before them can be counted.
        decoded = text.decode("utf-8", errors="surrogateescape")
        reader = csv.reader(io.StringIO(decoded, newline=""))
        start, width = row, len(self.columns)
        try:
            for record in reader:
                if not record:
                    row += width == 1
                    continue
                place = {"row": row, "line": line + reader.line_num - 1}
                if len(record) != width:
                    return fault(self.path, _ragged(record, self.columns), **place)
                for position, type_ in wanted:
                    problem = _cell_fault(record[position], number=type_ == pa.float64())
                    if problem:
                        column = self.columns[position]
                        return fault(self.path, problem, column=column, **place)
                row += 1
        except csv.Error as error:
            reason = f"{error}; is a quotation mark left open?"
        return fault(self.path, f"cannot be read after data row {start}: {reason}")


def _first_record(text: bytes) -> int:
    """Where the first record that is not blank ends; quoted line breaks do not end one."""
    start = end = 0
    while end < len(text):
        end = text.find(b"\n", end) + 1 or len(text)
        if text.count(b'"', start, end) % 2 == 0:
            if text[start:end].strip(b"\xef\xbb\xbf\r\n"):
                return end
            start = end
    return end


def _last_record(text: bytes) -> int:
    """Where the last whole record ends, going back over line breaks inside an open quotation."""
    end = text.rfind(b"\n") + 1
    quotes = text.count(b'"', 0, end)
    while quotes % 2:
        start = text.rfind(b"\n", 0, end - 1) + 1
        quotes -= text.count(b'"', start, end)
        end = start
    return end


def _trimmed(column: pa.ChunkedArray) -> pa.Array:
    return pc.utf8_trim_whitespace(column.combine_chunks())


def _ragged(record: list[str], columns: tuple[str, ...]) -> str:
    found = f"expected {len(columns)} cells as in the header, found {len(record)}"
    if len(record) > 1 and len(columns) == 1:
        return f"{found}; does the header lack its commas?"
    if len(record) == 1 and any(mark in record[0] for mark in ";\t|"):
        return f"{found}; the cells must be separated by commas"
    return f"{found}; complete or remove the row"


def _cell_fault(cell: str, *, number: bool) -> str | None:
    if any("\udc80" <= character <= "\udcff" for character in cell):
        return "holds bytes that are not UTF-8; save the file again as UTF-8"
    if not number or cell in MISSING or _NUMBER.fullmatch(cell.strip(" \t")):
        return None
    shown = cell if len(cell) <= 40 else cell[:40] + "..."
    hint = "; is a quotation mark left open?" if "\n" in cell else ""
    return (
        f"expected a number, found {shown!r}{hint}; correct it, "
        "or leave the cell empty if the value is missing"
    )
