"""Which columns of a table are indices that were saved along: names of rows, and never features.

Text keeps no note of an index that has a name, so what tells one is the same in all formats: where
it stands, what it is called, and what it holds.
"""

import re
from collections.abc import Container, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emodag.science.tables.joined_table import JoinedTable
from emodag.science.tables.row_facts import pointed
from emodag.science.tables.table import MISSING, RESET, Table, numbers_of
from ledger.errors import InputError

_FEWEST = 20
"""Rows from which on numbers are not all different, or in order, by chance."""

_SPREAD = 2
"""How many times as wide as the rows are many the numbers of an index in no order may be spread.

Of whole numbers that are spread five times as wide, twenty are all different by chance in 13 % of
tables; of those that are spread twice as wide, in 0.3 %."""

_MEASURED = re.compile(r"[+-]?[\d.,\s'\u2019]*\d\s*\D{0,4}")
"""What text looks like that is a number, perhaps with a unit."""


def saved_indices(
    table: Table, taken: Container[str], *, id: str | None = None, called: Sequence[str] = ()
) -> tuple[str, ...]:
    """The columns that are indices saved along, if they are none of `taken` and not `id`.

    One without a name, see `Table.index`. Then the first column with one, if it is text and no two
    rows have the same, or if in twenty rows or more its numbers go up from each row to the next, or
    are whole, all different, and spread at most twice as wide as the rows. A column `called` as an
    index of another table is, or as `reset_index` calls it, may have few rows and stand anywhere;
    the latter may count the rows anew from 0.

    Of several files as one table each has its own.
    """
    names = [name for name in table.columns if name not in taken]
    unnamed = [name for name in names if name == table.index]
    names = [name for name in names if name != table.index]
    sure = {*called, *RESET}
    likely = [name for at, name in enumerate(names) if at == 0 or name in sure]
    named = (name for name in likely if name != id and _is_index(table, name, name in sure))
    return (*(name for name in unnamed if name != id), *named)


def _is_index(table: Table, name: str, is_called_so: bool) -> bool:
    rows, is_text = 0, False
    for part in table.tables if isinstance(table, JoinedTable) else (table,):
        cells: list[pa.Array] = []
        try:
            for block in part.blocks([], [name]):
                cells.append(block.texts[name])
                if not _could_name_rows(part, name, cells[-1], is_wide=True):
                    return False  # nearly always, and soon
        except InputError:  # of which a run will tell, if it reads that column
            return False
        if not cells:
            return False
        whole = pa.concat_arrays(cells)
        if not _could_name_rows(part, name, whole, is_wide=is_called_so):
            return False
        rows += len(whole)
        is_text = numbers_of(pointed(part, whole), MISSING) is None
    return is_text or is_called_so or rows >= _FEWEST


def _could_name_rows(table: Table, name: str, cells: pa.Array, *, is_wide: bool) -> bool:
    """Whether a column of these cells could be an index, whose numbers may be far apart or not."""
    found = numbers_of(pointed(table, cells), MISSING)
    if found is None:
        if cells.null_count or any(map(_MEASURED.fullmatch, cells.to_pylist())):
            return False
        return pc.count_distinct(cells).as_py() == len(cells) > 1
    values, are_flags = found
    if are_flags is not False or np.isnan(values).any():
        return False
    with np.errstate(over="ignore", invalid="ignore"):  # of artefacts such as 1e308, infinities
        steps, spread = np.diff(values), np.ptp(values)
    are_whole = bool((values == np.round(values)).all())
    if name in RESET and are_whole and ((steps == 1) | (values[1:] == 0)).all():
        return True
    is_near = is_wide or spread <= _SPREAD * len(values)
    return bool((steps > 0).all()) or (
        are_whole and is_near and len(np.unique(values)) == len(values)
    )
