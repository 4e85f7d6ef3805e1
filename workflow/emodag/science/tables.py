"""What the readers of CSV and of Parquet share: blocks of rows, and faults that say where."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from emodag.errors import InputError

BLOCK_BYTES = 16 << 20
"""How much of a table, as text or as float64, is in memory at a time."""

MISSING = ("", "NaN", "nan", "NAN", "NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "None")
"""The spellings of a missing value, in a CSV's numbers and in anybody's labels, persons and ids."""

_NAMES_SHOWN = 5


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
    """A table in a file, as both readers offer it."""

    path: Path
    columns: tuple[str, ...]

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


def require_distinct(path: Path, columns: tuple[str, ...]) -> None:
    """Raise `InputError` if two columns have the same name, as either could be meant by it."""
    seen: dict[str, int] = {}
    for position, name in enumerate(columns, start=1):
        if name in seen:
            raise fault(
                path,
                f"columns {seen[name]} and {position} have the same name; "
                "rename or remove one of them",
                column=name,
            )
        seen[name] = position


def listed(names: list[str]) -> str:
    """The first few of `names`, quoted, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def first_cell(cells: np.ndarray) -> tuple[int, int] | None:
    """Row and column of the first true cell in reading order, or None."""
    rows = cells.any(axis=1)
    if not rows.any():
        return None
    row = int(rows.argmax())
    return row, int(cells[row].argmax())
