"""Reading CSV in blocks: pyarrow converts, and Python's csv module finds the cell it stopped at."""

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from emodag.science.tables.csv_dialect import (
    SEPARATORS,
    Dialect,
    decimal_of,
    header_hint,
    is_number,
    other_separator,
    second_header,
    separator_of,
)
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
    listed,
    no_number,
    numbers_of,
    require_distinct,
    times_wider,
    without_codes,
)
from ledger.disk.regular import open_regular
from ledger.errors import InputError

_LONGEST_RECORD = 16 * BLOCK_BYTES
_WIDE = 4096
"""With more columns threads would each take memory for all of them, and save little time."""

_SAMPLE_BYTES = 1 << 18
_INTEGER = r"^\s*[+-]?[0-9]+\s*$"
_COMPRESSED = {
    ".gz": ("gzip", b"\x1f\x8b"),
    ".xz": ("xz", b"\xfd7zXZ\0"),
    ".bz2": ("bzip2", b"BZh"),
    ".zst": ("zstd", b"\x28\xb5\x2f\xfd"),
    ".zip": ("zip", b"PK"),
}
"""What a suffix promises, and how such a file begins."""
_LONE_RETURN = (
    "a cell holds a lone carriage return, which ends the line; take it out, or write that cell in "
    "quotation marks"
)
_DAMAGE = (
    *(EOFError, OSError, RuntimeError, pa.ArrowException),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)
"""What reading a compressed file raises; a zip with a password, a `RuntimeError`."""


class _Chunk(NamedTuple):
    """Whole records as they are written, and the row and the line of the first of them."""

    raw: bytes
    row: int
    line: int


class CsvTable:
    """A file of separated cells in UTF-8 with one header line, plain or compressed.

    Quoted cells, CRLF, a byte-order mark and blank lines (skipped; in a table of one column a blank
    line is a missing value) are read. A number is the float64 nearest to what is written, or, where
    `decimals` is "pandas", what pandas takes for it. Opening reads the beginning only.

    Parameters
    ----------
    separator, decimal : str or None
        Between cells, and in numbers; None finds out from the first lines.
    missing : spellings of a missing value besides `MISSING`.

    Raises `InputError`, here and while blocks are read, for anything that is not such a table.
    """

    counted = False
    numeric = unreadable = frozenset()

    def __init__(
        self,
        path: Path,
        *,
        decimals: str = "nearest",
        separator: str | None = None,
        decimal: str | None = None,
        missing: Sequence[str] = (),
    ) -> None:
        self.path, self._decimals, self.missing = path, decimals, (*MISSING, *missing)
        header, sample = self._read_beginning()
        lines = self._decoded(header)
        self._refuse_preamble(lines, sample)
        separator = separator or separator_of(lines, sample)
        self._dialect = Dialect(separator, decimal or decimal_of(separator, sample))
        names = self._dialect.records(lines)
        if not names:
            raise fault(path, "has no header; expected names of columns in the first line")
        self.columns = tuple(names[0])
        self._keys = {name: str(position) for position, name in enumerate(self.columns)}
        blank = sum(not name.strip() for name in self.columns)
        if 2 * blank > len(self.columns) > 1:
            raise fault(
                path,
                f"its first line names {len(self.columns) - blank} of {len(self.columns)} columns; "
                "remove the lines before the names of the columns",
            )
        rows = self._dialect.records(sample)
        if second_header(len(self.columns), rows, self._dialect, self.missing):
            raise fault(
                path,
                "holds no number but the rows after it do; is it a row of units, or a second "
                "header? Keep one line of names and remove the other",
                row=0,
                line=lines.count("\n") + 1,
            )
        self.hint = header_hint(lines, sample, self._dialect)
        self.other_separator = other_separator(lines, sample, self._dialect)
        if len(self.columns) > 1 and not self.columns[-1].strip():
            raise fault(
                path,
                f"the header ends with a {self._dialect.name}, so that its last column has no "
                "name; remove it there, and where it ends the rows, or give the column a name",
            )
        require_distinct(path, self.columns, self.hint)
        self.index = self.columns[0] if SAVED_INDEX.fullmatch(self.columns[0]) else None
        self.notes, self.decimal = self._dialect.notes(), self._dialect.decimal
        self._header_bytes = len(header)
        self._first_line = header.count(b"\n") + 1
        self.flags: set[str] = set()
        self._block_rows: list[int] = []
        self._block_lines: list[int | None] = []

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        """Read the columns `numbers` as float64 and `texts` as strings; no other cell is converted.

        Raises
        ------
        InputError
            For a row with too few or too many cells, text where a number is due, booleans mixed
            with numbers, a number beyond the range of float64 (an infinity spelt out is read), an
            integer that is no float64, and bytes that are not UTF-8.
        """
        self._block_rows, self._block_lines = [], []
        # Whether a column holds booleans shows in its first cell that is not missing.
        self.flags.clear()
        undecided = np.arange(len(numbers))
        row = 0
        for line, raw in self._records():
            chunk = _Chunk(raw, row, line)
            table, values = self._numbers(chunk, numbers, texts, undecided)
            self._block_rows.append(row)
            plain = raw.count(b"\n") + (not raw.endswith(b"\n")) == table.num_rows
            self._block_lines.append(line if plain else None)
            self._refuse_inexact(chunk, numbers, values)
            without_codes(values, self.missing, self._dialect.decimal)
            undecided = undecided[np.isnan(values[:, undecided]).all(axis=0)]
            trimmed = {name: self._trimmed(table[self._keys[name]]) for name in texts}
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
        raw = open_regular(self.path)
        try:
            suffix = self.path.suffix.lower()
            if suffix not in _COMPRESSED:
                yield raw
                return
            kind, magic = _COMPRESSED[suffix]
            found = raw.read(len(magic))
            if found and found != magic:
                raise fault(
                    self.path,
                    f"is not compressed with {kind}, as its suffix says; remove {suffix}",
                )
            raw.seek(0)
            with self._unpacked(raw, suffix) as plain:
                yield plain
        finally:
            with suppress(OSError):  # of what was only read nothing can be lost
                raw.close()

    @contextmanager
    def _unpacked(self, raw: BinaryIO, suffix: str) -> Iterator[BinaryIO]:
        if suffix == ".zst":
            with pa.CompressedInputStream(raw, "zstd") as plain:
                yield plain
        elif suffix == ".zip":
            with self._noting_damage():
                archive = zipfile.ZipFile(raw)
                # macOS adds files of its own, and some whose names begin with a dot.
                names = [
                    name
                    for name in archive.namelist()
                    if not name.startswith("__MACOSX/") and name.rpartition("/")[2][:1] not in "."
                ]
            if len(names) != 1:
                raise fault(
                    self.path,
                    f"expected one table in the archive, found {len(names)} files "
                    f"({listed(names)}); unpack it and name the one you mean",
                )
            with self._noting_damage():
                plain = archive.open(names[0])
            with archive, plain:
                yield plain
        else:
            opened = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}[suffix]
            with opened(raw) as plain:
                yield plain

    @contextmanager
    def _noting_damage(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            raise fault(
                self.path, f"is damaged or cut short ({error}); copy or download it again"
            ) from None

    def _read(self, file: BinaryIO, size: int) -> bytes:
        parts = []
        with self._noting_damage():
            while size > 0 and (part := file.read(size)):
                parts.append(part)
                size -= len(part)
        return b"".join(parts)

    def _read_beginning(self) -> tuple[bytes, str]:
        """The header, and whole records after it: of `_SAMPLE_BYTES`, or a few of a wide table."""
        with self._open() as file:
            text = self._read(file, BLOCK_BYTES)
        if not text:
            raise fault(self.path, "is empty; expected a header and rows")
        if what := another_kind(text):
            if self.path.suffix.lower() in _COMPRESSED:
                what = "what is in it " + what.replace("give it", "unpack it and give it")
            raise fault(self.path, what)
        if b"\0" in text:
            raise fault(self.path, "is binary, or UTF-16; expected separated cells as UTF-8 text")
        end = _first_record(text)
        if end == BLOCK_BYTES or text.count(b'"', 0, end) % 2:
            raise fault(
                self.path,
                "the header does not end where expected; is a quotation mark left open in it?",
            )
        sample = text[end : end + max(_SAMPLE_BYTES, 8 * end)]
        ended = len(text) < BLOCK_BYTES and len(text) == end + len(sample)
        whole = sample if ended else sample[: _last_record(sample)]
        return text[:end], whole.decode("utf-8", errors="replace")

    def _decoded(self, header: bytes) -> str:
        if b"\n" not in header and b"\r" in header.rstrip(b"\r"):
            raise fault(self.path, "its lines end with a lone carriage return; save it with LF")
        try:
            return header.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise fault(
                self.path, "the header is not UTF-8; save the file again as UTF-8"
            ) from None

    def _refuse_preamble(self, header: str, sample: str) -> None:
        """Lines before the header: a note for Excel on the separator, or remarks after a #."""
        first = header.strip()
        if re.fullmatch(r'"?sep=.?"?', first):
            raise fault(
                self.path,
                f"its first line, {first!r}, tells Excel the separator; remove it, so that the "
                "names of the columns come first",
            )
        if not first.startswith("#"):
            return
        rest = sample.splitlines()
        after = next((line for line in rest if line.strip() and not line.startswith("#")), "")
        read = Dialect(separator_of(header, sample)).records
        is_shorter = len(read(first)[0]) < len((read(after) or [[]])[0])
        if is_shorter or any(line.startswith("#") for line in rest[:1]):
            raise fault(
                self.path,
                f"begins with a remark, {first[:40]!r}; remove the lines before the names of the "
                "columns",
            )

    def _records(self) -> Iterator[tuple[int, bytes]]:
        """Whole records of about `BLOCK_BYTES` bytes, or more, each with the line of its first."""
        with self._open() as file:
            self._read(file, self._header_bytes)
            line, rest = self._first_line, b""
            while chunk := self._read(file, BLOCK_BYTES * times_wider(len(self.columns))):
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

    def _numbers(
        self, chunk: _Chunk, numbers: Sequence[str], texts: Sequence[str], undecided: np.ndarray
    ) -> tuple[pa.Table, np.ndarray]:
        """The columns asked for, and those `numbers` as (rows, columns) float64."""
        keys, raw = self._keys, chunk.raw
        # Of no column at all, pyarrow would read every one.
        as_text = {keys[name]: pa.string() for name in (*texts, *numbers) or self.columns[:1]}
        open_ = {numbers[at] for at in undecided}
        written = set(self.flags)
        floats = {keys[name]: pa.float64() for name in numbers if name not in written}
        reason = "a cell is no number"
        try:
            table = self._convert(raw, as_text | floats)
        except pa.ArrowInvalid as error:
            reason = " ".join(str(error).split())
            try:
                # Booleans, or spellings of a missing value between spaces: slower, as text.
                table, written = self._convert(raw, as_text), set(numbers)
            except pa.ArrowInvalid:
                raise self._find_fault(chunk, numbers, texts, open_, reason) from None
        values = np.empty((table.num_rows, len(numbers)), order="F")
        for position, name in enumerate(numbers):
            column = table[keys[name]]
            if name not in written:
                values[:, position] = column.to_numpy()
                continue
            found = numbers_of(column.combine_chunks(), self.missing, self._dialect.decimal)
            if found and found[1] and name in open_:
                self.flags.add(name)
            if not found or found[1] not in (None, name in self.flags):
                raise self._find_fault(chunk, numbers, texts, open_, reason)
            values[:, position] = found[0]
        if self._decimals == "pandas" and numbers:
            values = self._pandas(raw, [int(keys[name]) for name in numbers])
        return table, values

    def _convert(self, text: bytes, types: dict[str, pa.DataType]) -> pa.Table:
        names = [str(position) for position in range(len(self.columns))]
        return pacsv.read_csv(
            pa.BufferReader(text),
            # One block, so that a record is never looked for across two.
            pacsv.ReadOptions(
                column_names=names,
                block_size=len(text) + 1,
                use_threads=len(types) < _WIDE,
            ),
            pacsv.ParseOptions(
                delimiter=self._dialect.separator,
                newlines_in_values=True,
                ignore_empty_lines=len(names) > 1,
            ),
            pacsv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=list(self.missing),
                decimal_point=self._dialect.decimal,
            ),
        )

    def _pandas(self, text: bytes, columns: list[int]) -> np.ndarray:
        """Columns as `pandas.read_csv` has them by default: (rows, len(columns)) float64.

        Its parser is fast rather than right: it misses the nearest float64 by an ulp in a quarter
        of cells of 17 digits. Most of that is lost in float32, but not all of it.
        """
        import pandas as pd

        try:
            frame = pd.read_csv(
                io.BytesIO(text),
                header=None,
                usecols=columns,
                na_values=list(self.missing),
                sep=self._dialect.separator,
                decimal=self._dialect.decimal,
            )
            return frame[columns].to_numpy(np.float64)
        except ValueError as error:  # of text where a number is due
            raise fault(self.path, f"pandas cannot read it ({error}); correct the cell") from None

    def _trimmed(self, column: pa.ChunkedArray) -> pa.Array:
        text = pc.utf8_trim_whitespace(column.combine_chunks())
        if self._dialect.decimal == ".":
            return text
        return pc.replace_substring_regex(text, r"^([+-]?\d+),(0+)$", r"\1.\2")

    def _refuse_inexact(self, chunk: _Chunk, numbers: Sequence[str], values: np.ndarray) -> None:
        """Tell 1e400, which is read as infinite, from an infinity that is spelt out.

        And integers that no float64 is, as they are refused in Parquet.
        """
        far = (values >= EXACT) | (values <= -EXACT)
        suspects = np.flatnonzero(far.any(axis=0))
        if not suspects.size:
            return
        keys = [self._keys[name] for name in numbers]
        written = self._convert(chunk.raw, {keys[column]: pa.string() for column in suspects})
        for column in suspects:
            whole = pc.match_substring_regex(written[keys[column]], _INTEGER)
            far[:, column] &= whole.fill_null(False).to_numpy() | np.isinf(values[:, column])
        for row in np.flatnonzero(far.any(axis=1)):
            for column in np.flatnonzero(far[row]):
                if problem := beyond_float64(written[keys[column]][int(row)].as_py()):
                    raise self.fault(problem, column=numbers[column], row=chunk.row + int(row))

    def _find_fault(
        self,
        chunk: _Chunk,
        numbers: Sequence[str],
        texts: Sequence[str],
        undecided: set[str],
        reason: str,
    ) -> InputError:
        """Go through a block that was refused, cell by cell, to the first that is wrong."""
        # Undecodable bytes become lone surrogates, so that the rows before them can be counted.
        decoded = chunk.raw.decode("utf-8", errors="surrogateescape")
        reader = self._dialect.reader(decoded)
        row, width = chunk.row, len(self.columns)
        numeric, wanted = set(numbers), {*numbers, *texts}
        places = [(at, name) for at, name in enumerate(self.columns) if name in wanted]
        try:
            for record in reader:
                if not record:
                    row += width == 1
                    continue
                place = {"row": row, "line": chunk.line + reader.line_num - 1}
                if len(record) != width:
                    lone = re.search("\r(?!\n)", decoded) and len(record) < width
                    problem = _LONE_RETURN if lone else self._ragged(record, row)
                    return fault(self.path, problem, row=row, line=None if lone else place["line"])
                if tuple(record) == self.columns:
                    problem = "repeats the header; were files joined? Remove such lines"
                    return fault(self.path, problem, **place)
                for at, name in places:
                    cell, number = record[at], name in numeric
                    if problem := self._cell_fault(cell, name, undecided, number=number):
                        return fault(self.path, problem, column=name, **place)
                row += 1
        except csv.Error as error:
            reason = f"{error}; is a quotation mark left open?"
        return fault(self.path, f"cannot be read after data row {chunk.row}: {reason}")

    def _ragged(self, record: list[str], row: int) -> str:
        width, name = len(self.columns), self._dialect.name
        found = f"expected {width} cells as in the header, found {len(record)}"
        if len(record) > 1 and width == 1:
            return f"{found}; does the header lack its {name}s?"
        if len(record) == 1 and self._dialect.separator in record[0]:
            return f"{found}; the line stands in quotation marks as a whole: remove those around it"
        if len(record) == 1 and any(mark in record[0] for mark in SEPARATORS):
            return f"{found}; the cells must be separated by {name}s, as in the header"
        if len(record) > width and not "".join(record[width:]).strip():
            return f"{found}: the row ends with a {name}; remove the {name}s that end the rows"
        if len(record) == width + 1 and row == 0:
            return (
                f"{found}; are the rows named, as R does it? "
                "Write the table again with row.names = FALSE, or give that column a name"
            )
        return f"{found}; complete or remove the row"

    def _cell_fault(self, cell: str, name: str, undecided: set[str], *, number: bool) -> str | None:
        if any("\udc80" <= character <= "\udcff" for character in cell):
            return "holds bytes that are not UTF-8; save the file again as UTF-8"
        text = cell.strip()
        if not number or text in self.missing or cell in self.missing:
            return None
        is_flag = text in (*TRUE, *FALSE)
        if is_flag and name in undecided:
            self.flags.add(name)
        undecided.discard(name)
        flags = name in self.flags
        if is_flag if flags else is_number(text, self._dialect.decimal):
            return None
        hint = "; is a quotation mark left open?" if "\n" in cell else ""
        if self._dialect.decimal == "." and is_number(text, ","):
            hint = "; if all decimals of the table are written so, set data.decimal: ','"
        return no_number(cell, flags=flags, hint=hint)


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
