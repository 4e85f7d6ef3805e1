"""What the readers of CSV and of Parquet share: blocks of rows, and faults that say where."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.errors import InputError

BLOCK_BYTES = 16 << 20
"""How much of a table, as text or as float64, is in memory at a time."""

MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NAN", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""The spellings of a missing value: those of `pandas.read_csv`, and NAN."""

TRUE, FALSE = ("True", "TRUE", "true"), ("False", "FALSE", "false")
"""The spellings of a boolean; as numbers they are 1 and 0."""

SAVED_INDEX = re.compile(r"|Unnamed: \d+(\.\d+)?|__index_level_\d+__")
"""What pandas calls the column of an index without a name."""

RESET = ("index", "level_0")
"""What `reset_index` of pandas calls the column of such an index."""

MINUS = "\u2212"
"""The minus sign of print, which no number in a table may have."""

EXACT = 2**53
"""Up to here every integer is a float64."""

NUMBER = (
    r"(?i)[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?"
    r"|inf(?:inity)?|nan(?:\([a-z0-9_]*\))?)"
)
"""A number with a decimal point, an infinity or NaN, for `re` and pyarrow alike."""

_SIGNATURES = (
    (b"PAR1", "is a Parquet file; give it the suffix .parquet"),
    (b"ARROW1", "is a Feather file; give it the suffix .feather"),
    (b"FEA1", "is a Feather file of version 1; write it again"),
    (b"\x1f\x8b", "is compressed with gzip; give it the suffix .csv.gz"),
    (b"\xfd7zXZ", "is compressed with xz; give it the suffix .csv.xz"),
    (b"BZh", "is compressed with bzip2; give it the suffix .csv.bz2"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd; give it the suffix .csv.zst"),
    (
        b"PK\x03\x04",
        "is a zip archive or an Excel workbook; give it the suffix .csv.zip, or export it as CSV",
    ),
    (b"\xff\xfe", "is UTF-16 text; save it again as UTF-8"),
    (b"\xfe\xff", "is UTF-16 text; save it again as UTF-8"),
    *((tag, "is JSON; write the table as CSV") for tag in (b"[{", b'{"', b"[\n", b"{\n")),
    *((tag, "is an ARFF file; write the table as CSV") for tag in (b"@relation", b"@RELATION")),
    (b"version https://git-lfs", "only points to a file that Git LFS keeps; run `git lfs pull`"),
    *(
        (tag, "is a web page, perhaps one with an error; download the table itself")
        for tag in (b"<!doctype", b"<!DOCTYPE", b"<html", b"<HTML", b"<table")
    ),
)
_NAMES_SHOWN = 5
_INTEGER = re.compile(r"[+-]?[0-9]+")
_CODE = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?", re.I | re.A)
_INFINITY = re.compile(r"[+-]?inf(?:inity)?", re.I)


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a table."""

    first_row: int
    """Rows of the table before this block."""
    values: np.ndarray
    """Float64 of shape (rows, numeric columns asked for), column by column; NaN where missing."""
    texts: dict[str, pa.Array]
    """The other columns asked for, as trimmed strings; null where the file has none."""


class Table(Protocol):
    """A table in a file, as all readers offer it."""

    path: Path
    columns: tuple[str, ...]
    """Names of the columns, that of a pandas index first."""
    index: str | None
    """Which of them is an index that was saved along, if any."""
    counted: bool
    """Whether it is a pandas frame's that had an index, one that only counts the rows.

    If so, the table has a method `show_index`, which makes that a column as well."""
    missing: tuple[str, ...]
    """The spellings of a missing value, `MISSING` first."""
    decimal: str
    """What numbers in text have before their decimals: "." or ","."""
    numeric: frozenset[str]
    """Columns whose type leaves nothing but numbers and booleans."""
    unreadable: frozenset[str]
    """Columns whose type leaves neither numbers nor text."""
    flags: set[str]
    """Of the numbers that were read last, those that are written as booleans."""
    notes: tuple[str, ...]
    """What of the way it is read should be told."""
    other_separator: str | None
    """What seems to separate the cells of a text whose header is a single name; None if nothing."""
    hint: str
    """What may be wrong with the names of the columns, to end a complaint about them; or ""."""

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        """Read the columns `numbers` as float64 and `texts` as strings, in order of rows."""

    def fault(self, message: str, *, column: str, row: int) -> InputError:
        """An `InputError` about a cell already read, `row` rows after the first."""


def fault(
    path: Path,
    message: str,
    *,
    column: str | None = None,
    row: int | None = None,
    line: int | None = None,
) -> InputError:
    """An `InputError` that opens with the place of the fault.

    `row` counts the rows before the one at fault; it is shown counted from 1 after the header.
    `line` is the line of the file, counted from 1, where it is known.
    """
    place = [str(path)]
    if column is not None:
        place.append(f"column {column!r}")
    if row is not None:
        place.append(f"data row {row + 1}" + (f" (line {line})" if line is not None else ""))
    return InputError(f"{', '.join(place)}: {message}")


def times_wider(columns: int) -> int:
    """How many times `BLOCK_BYTES` is in memory of a table with very many columns.

    Each column of each block costs time, so small blocks would cost the columns' square.
    """
    return min(max(columns >> 14, 1), 4)


def another_kind(beginning: bytes) -> str | None:
    """What a file that begins so is, where that is no text of separated cells."""
    found = (what for magic, what in _SIGNATURES if beginning.startswith(magic))
    return next(found, None)


def no_number(cell: str, *, flags: bool, hint: str = "") -> str:
    """What to say of a cell that is no number, or, where those before are `flags`, no boolean."""
    shown = cell if len(cell) <= 40 else cell[:40] + "..."
    expected = "True or False, as in the rows before" if flags else "a number"
    text = cell.strip()
    if re.fullmatch(NUMBER, text.replace(",", ".")) if flags else text in (*TRUE, *FALSE):
        hint = "; the column mixes True and False with numbers: write it one way"
    if MINUS in cell:
        hint = "; its minus sign is U+2212, as in print: write -"
    return (
        f"expected {expected}, found {shown!r}{hint}; correct it, or leave the cell empty if "
        "the value is missing (data.missing_values adds spellings of that)"
    )


def require_distinct(path: Path, columns: tuple[str, ...], hint: str = "") -> None:
    """Raise `InputError` if columns have the same name, as each could be meant by it."""
    places: dict[str, list[int]] = {}
    for position, name in enumerate(columns, start=1):
        places.setdefault(name, []).append(position)
    shared = [(name, found) for name, found in places.items() if len(found) > 1]
    if shared:
        told = "; ".join(
            f"columns {', '.join(map(str, found[:-1]))} and {found[-1]} have the same name {name!r}"
            for name, found in shared
        )
        raise fault(path, f"{told}; rename or remove all but one of each{hint}")


def numbers_of(
    text: pa.Array, missing: Sequence[str], decimal: str = "."
) -> tuple[np.ndarray, bool | None] | None:
    """Numbers, or booleans as 1 and 0, that are written as text.

    Parameters
    ----------
    text : (rows,) strings, null where missing.
    missing : what else is a missing value.
    decimal : "." or ",".

    Returns
    -------
    (rows,) float64, NaN where missing, and whether they are booleans, None where all are missing;
    or None if some cell is neither, or booleans and numbers are mixed.
    """
    text = pc.utf8_trim_whitespace(text)
    text = pc.if_else(pc.is_in(text, pa.array(missing)), pa.scalar(None, text.type), text)
    if text.null_count == len(text):
        return np.full(len(text), np.nan), None
    is_true = pc.is_in(text, pa.array(TRUE))
    flags = pc.or_(is_true, pc.is_in(text, pa.array(FALSE)))
    if pc.sum(flags).as_py() == len(text) - text.null_count:
        values = is_true.to_numpy(zero_copy_only=False).astype(np.float64)
        values[text.is_null().to_numpy(zero_copy_only=False)] = np.nan
        return values, True
    if decimal == ",":
        if pc.any(pc.match_substring(text, ".")).as_py():
            return None
        text = pc.replace_substring(text, ",", ".")
    try:
        return text.cast(pa.float64()).to_numpy(zero_copy_only=False), False
    except pa.ArrowInvalid:
        return None


def without_codes(values: np.ndarray, missing: Sequence[str], decimal: str = ".") -> None:
    """Make NaN, in place, of the numbers that stand for a missing value, such as -999.

    Readers leave out spellings as such, but a number can be written in several ways, or not at all.
    """
    written = (text.replace(decimal, ".") for text in missing)
    codes = [float(text) for text in written if _CODE.fullmatch(text)]
    if codes:
        values[np.isin(values, np.array(codes, values.dtype))] = np.nan


def beyond_float64(cell: str) -> str | None:
    """What is wrong with a number beyond `EXACT` as it is written, None if nothing."""
    cell = cell.strip()
    if _INTEGER.fullmatch(cell) and len(cell) < 309:
        return inexact(int(cell))
    if _INFINITY.fullmatch(cell) or not np.isinf(float(cell.replace(",", "."))):
        return None
    return (
        f"{cell!r} is beyond the range of float64 (about 1.8e308); correct it, "
        "leave the cell empty if the value is unknown, or write inf if it is meant"
    )


def inexact(integer: int) -> str | None:
    """What is wrong with an integer for a feature, None if it is a float64."""
    if int(float(integer)) == integer:
        return None
    return (
        f"the integer {integer} does not fit a float64 exactly; "
        "is this an id rather than a feature? Remove the column or round it"
    )


def listed(names: Iterable[str]) -> str:
    """The first few of `names`, quoted, and how many more there are."""
    return few(map(repr, names))


def few(texts: Iterable[str], between: str = ", ") -> str:
    """The first few of some texts, and how many more there are."""
    first = list(texts)
    more = len(first) - _NAMES_SHOWN
    return between.join(first[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def first_cell(cells: np.ndarray) -> tuple[int, int] | None:
    """Row and column of the first true cell in reading order, or None."""
    rows = cells.any(axis=1)
    if not rows.any():
        return None
    row = int(rows.argmax())
    return row, int(cells[row].argmax())
