"""How a table of text is written: what separates its cells, what its decimals have."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from emodag.science.tables.table import FALSE, NUMBER, TRUE

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""What may separate cells, and its name."""

_OTHER_MARKS = {" ": "space", "^": "caret", ":": "colon", "~": "tilde"}
_WITHIN_CELLS = "\"'+-._\r\n\0\ufeff"
_ROWS = 20
_NUMBER = re.compile(NUMBER)
_WHOLE = re.compile(r"[+-]?\d+|.*\d,\d+,.*").fullmatch
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+").fullmatch


@dataclass(frozen=True)
class Dialect:
    """What separates cells, and whole numbers from their decimals."""

    separator: str = ","
    decimal: str = "."

    @property
    def name(self) -> str:
        """The name of the separator, which takes an s in the plural."""
        return {**SEPARATORS, **_OTHER_MARKS}.get(self.separator, f"{self.separator!r} sign")

    def reader(self, text: str) -> Any:
        """A `csv.reader` of the text."""
        return csv.reader(io.StringIO(text, newline=""), delimiter=self.separator)

    def records(self, text: str) -> list[list[str]]:
        """The first few records that are not blank."""
        return list(islice(_sound(self.reader(text)), _ROWS))

    def notes(self) -> tuple[str, ...]:
        """What is worth telling: nothing of commas and points."""
        told = [f"cells are separated by {self.name}s"] if self.separator != "," else []
        told += ["decimals are written with a comma"] if self.decimal == "," else []
        return (" and ".join(told),) if told else ()


def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether a trimmed cell is a number, an infinity or NaN."""
    if decimal == ",":
        if "." in cell:
            return False
        cell = cell.replace(",", ".")
    return _NUMBER.fullmatch(cell) is not None


def separator_of(header: str, sample: str) -> str:
    """What separates the cells of a table, given its header and a few rows as text.

    The comma, unless another cuts header and rows into the same number of cells, at least two,
    and it does not.
    """
    widths = {}
    for mark in SEPARATORS:
        dialect = Dialect(mark)
        widths[mark] = [len(record) for record in dialect.records(header)[:1]]
        widths[mark] += [len(record) for record in dialect.records(sample)]
    fitting = [mark for mark, found in widths.items() if found[:1] > [1] and len({*found}) == 1]
    # Where rows are ragged, whatever fits most of them, or is in the header and in all of them.
    most = [mark for mark, found in widths.items() if found[:1] > [1] and _fits_most(found)]
    likely = [mark for mark, found in widths.items() if found and min(found) > 1]
    for marks in (fitting, most, likely):
        if marks:
            return "," if "," in marks else max(marks, key=lambda mark: widths[mark][0])
    return ","


def _fits_most(widths: Sequence[int]) -> bool:
    """Whether most rows are as wide as the header, which comes first."""
    return 2 * widths[1:].count(widths[0]) > len(widths) - 1


def decimal_of(separator: str, sample: str) -> str:
    """A comma where more columns of a sample have it in numbers than a point, else a point.

    A number such as 1,234 may be a thousand. It is evidence only where there is no other, and no
    column that has one has a whole number, too, as 960, or 1,234,567.
    """
    if separator == ",":
        return "."
    columns = {".": set(), ",": set()}
    thousands, whole = set(), set()
    for record in _sound(Dialect(separator).reader(sample)):
        for at, cell in enumerate(map(str.strip, record)):
            if _THOUSANDS(cell):
                thousands.add(at)
            if _WHOLE(cell):
                whole.add(at)
            for mark, found in columns.items():
                if mark in cell and is_number(cell, mark) and not _THOUSANDS(cell):
                    found.add(at)
    if any(columns.values()):
        return "," if len(columns[","]) > len(columns["."]) else "."
    return "," if thousands and not thousands & whole else "."


def other_separator(header: str, sample: str, dialect: Dialect) -> str | None:
    """What seems to separate the cells, where `dialect` finds a single name in the header.

    Any mark that cuts header and rows into the same number of cells, none of them without a name;
    of several the one that makes the most. None if there is none.
    """
    (names,) = dialect.records(header)[:1]
    widths = {}
    for mark in sorted({*names[0]}, reverse=True) if len(names) == 1 else ():
        if not mark.isalnum() and mark not in _WITHIN_CELLS:
            first, *rows = [*Dialect(mark).records(header)[:1], *Dialect(mark).records(sample)]
            if len(first) > 1 and all(map(str.strip, first)) and {*map(len, rows)} <= {len(first)}:
                widths[mark] = len(first)
    return max(widths, key=widths.__getitem__, default=None)


def header_hint(header: str, sample: str, dialect: Dialect) -> str:
    """The end of a complaint about names of columns: what the first line looks like, or ""."""
    (names,), rows = dialect.records(header)[:1], dialect.records(sample)
    if mark := other_separator(header, sample, dialect):
        then = f"Then set data.separator: {mark!r}" if mark.isascii() else "Write it with commas"
        return f"; are its cells separated by {Dialect(mark).name}s? {then}"
    if len(names) == 1 and any(
        mark in names[0] and len(Dialect(mark).records(header)[0]) == 1 for mark in SEPARATORS
    ):
        return "; whole lines of it stand in quotation marks: remove those around each line"
    if rows and all(len(r) > len(names) and not "".join(r[len(names) :]).strip() for r in rows):
        return f"; its rows end with a {dialect.name}, and its first line does not: remove it there"
    if any(_has_names_of_rows(each, header, sample) for each in (dialect, Dialect(" "))):
        return (
            "; its rows have one cell more: are they named, as R does it? "
            "Write the table again with row.names = FALSE, or give that column a name"
        )
    if 2 * sum(len(row) > len(names) for row in rows) > len(rows):
        return (
            "; lines below it have more cells: do other lines, such as a title, come before the "
            "names of the columns? Remove them"
        )
    words = {len(row[0].split()) if len(row) == 1 else 0 for row in [names, *rows]}
    if (len(words) == 1 and min(words) > 1) or (dialect.separator == " " and "" in names):
        return "; are its cells separated by several spaces? Write it with one mark between them"
    numeric = _numeric(len(names), rows, dialect)
    found = [names[at].strip() for at in numeric]
    # Whole numbers are what pandas calls the columns of a matrix.
    if not all(map(str.isdigit, found)) and all(is_number(n, dialect.decimal) for n in found):
        return "; its first line looks like data: does the table lack the names of its columns?"
    return ""


def _has_names_of_rows(dialect: Dialect, header: str, sample: str) -> bool:
    """Whether each row has one cell more than the header, as R writes it by default."""
    names, *rows = [*dialect.records(header)[:1], *dialect.records(sample)]
    return bool(rows) and len(names) > 1 and {*map(len, rows)} == {len(names) + 1}


def second_header(
    width: int, rows: Sequence[Sequence[str]], dialect: Dialect, missing: Sequence[str]
) -> bool:
    """Whether the first row has text, and no number, in columns that hold numbers below.

    In two of them or more, or in one with nothing beside it: else a single cell may be wrong.
    """
    if len(rows) < 2 or len(rows[0]) != width or width == 1:
        return False
    numeric = _numeric(width, rows[1:], dialect)
    cells = [cell for at in numeric if (cell := rows[0][at].strip()) not in missing]
    values = [cell in (*TRUE, *FALSE) or is_number(cell, dialect.decimal) for cell in cells]
    is_alone = sum(bool(cell.strip()) for cell in rows[0]) == 1
    return len(cells) > (0 if is_alone else 1) and not any(values)


def _numeric(width: int, rows: Iterable[Sequence[str]], dialect: Dialect) -> list[int]:
    """The columns whose cells are all numbers."""
    whole = [row for row in rows if len(row) == width]
    columns = range(width) if whole else ()
    return [
        at for at in columns if all(is_number(row[at].strip(), dialect.decimal) for row in whole)
    ]


def _sound(reader: Any) -> Iterable[list[str]]:
    """The records that are not blank, up to one that cannot be read."""
    try:
        yield from (record for record in reader if record)
    except csv.Error:
        return
