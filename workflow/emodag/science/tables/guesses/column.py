"""All cells of a column, and what they could be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emodag.science.tables.csv_dialect import is_number
from emodag.science.tables.row_facts import canonical_keys, missing_spellings
from emodag.science.tables.table import FALSE, TRUE, Table
from ledger.errors import InputError


@dataclass(frozen=True, eq=False)
class Column:
    """All cells of a column.

    Attributes
    ----------
    kind : "whole" numbers, "flags", other "text", or "fractions".
    values : the distinct ones as text, numbers by size; missing ones are none.
    codes : (rows,) positions in `values`, -1 where missing.
    gaps : how missing ones are spelt, but for empty cells.
    """

    name: str
    kind: str
    values: tuple[str, ...]
    codes: np.ndarray
    gaps: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many cells are missing."""
        return int((self.codes < 0).sum())

    @property
    def is_unique(self) -> bool:
        """Whether each row has a value that no other has, which could be its name."""
        return self.kind in ("whole", "text") and len(self.values) == len(self.codes)

    @property
    def is_grouping(self) -> bool:
        """Whether the values are few enough to be classes, or persons."""
        return self.kind != "fractions" and 2 <= len(self.values) <= len(self.codes) / 2

    @property
    def is_scale(self) -> bool:
        """Whether the values are a few numbers with decimals, as of a rating in half steps."""
        return self.kind == "fractions" and 2 <= len(self.values) <= min(FEW, len(self.codes) / 2)

    @property
    def stands_in_blocks(self) -> bool:
        """Whether rows of equal values follow each other."""
        return np.count_nonzero(np.diff(self.codes)) + 1 == len(self.values) and not self.missing

    def numbers(self) -> np.ndarray:
        """The cells as float64 of shape (rows,), NaN where missing; of numbers only."""
        return np.array([*map(float, self.values), np.nan])[self.codes]

    def agrees_with(self, other: "Column") -> bool:
        """Whether each value stands for one of the other's, and the other way round."""
        pairs = len(np.unique(np.column_stack([self.codes, other.codes]), axis=0))
        return pairs == len(np.unique(self.codes)) == len(np.unique(other.codes))


FEW = 10
"""So few whole numbers in turn, or with decimals, may be classes; more count, or measure."""


def read_columns(table: Table, names: Sequence[str], what: str = "value") -> dict[str, Column]:
    """All cells of some columns, in the order of the table's; `what` they are tells the gaps."""
    asked = set(names)
    names = [name for name in table.columns if name in asked]
    parts: dict[str, list[pa.Array]] = {name: [] for name in names}
    for block in table.blocks([], names):
        for name in names:
            parts[name].append(block.texts[name])
    return {name: _column(table, name, pa.concat_arrays(parts[name]), what) for name in names}


def _column(table: Table, name: str, text: pa.Array, what: str) -> Column:
    known = missing_spellings(table, text, what)
    is_gap = pc.is_in(text, pa.array(known, pa.string()))
    gaps = tuple(sorted({*pc.unique(text.filter(is_gap)).to_pylist()} - {"", None}))
    text = pc.if_else(is_gap, pa.scalar(None, text.type), text)
    encoded = text.dictionary_encode()
    spelt = encoded.dictionary.drop_null()
    kind = "text"
    try:
        keys = canonical_keys(table, name, spelt, "value")
        values = keys.to_numpy(zero_copy_only=False)
        if pa.types.is_int64(keys.type):
            kind = "whole"
        elif {*spelt.to_pylist()} <= {*TRUE, *FALSE}:
            kind = "flags"
        elif all("," in cell and is_number(cell, ",") for cell in spelt.to_pylist()):
            values, kind = _floats(spelt), "fractions"
    except InputError:
        values, kind = _floats(spelt), "fractions"
    if not len(values):
        return Column(name, "text", (), np.full(len(text), -1), gaps)
    distinct, places = np.unique(values, return_inverse=True)
    at = encoded.indices.fill_null(-1).to_numpy()
    codes = np.where(at < 0, -1, places[at])
    return Column(name, kind, tuple(map(str, distinct.tolist())), codes, gaps)


def _floats(cells: pa.Array) -> np.ndarray:
    return np.array([float(cell.replace(",", ".")) for cell in cells.to_pylist()])
