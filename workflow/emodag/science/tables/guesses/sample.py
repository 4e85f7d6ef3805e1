"""The first rows of a table, by which columns are chosen to be read whole."""

import re
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from emodag.science.tables.csv_dialect import is_number
from emodag.science.tables.guesses.words import IDS, LABELS, NOTHING, PERSONS, is_time, rank
from emodag.science.tables.table import Block, Table, fault
from emodag.science.tables.text_columns import text_columns
from ledger.errors import InputError

_TOGETHER = 1 << 23
"""As many cells at most are looked at as text at a time."""

_READ = 64
"""As many columns at most are looked at in all rows."""

_MISSING = re.compile(rf"[^\w\s]{{1,3}}|#\w+(/\w+)?[!?]|{NOTHING}", re.I)
"""What people write for a cell that is missing."""


class Sample:
    """The first rows of some columns: which are text, and which numbers count or classify.

    Attributes
    ----------
    texts : columns of text.
    slips : columns of numbers with cells that are none.
    unreadable : columns of types that are neither.
    whole : how many distinct values columns of whole numbers have.
    """

    def __init__(self, table: Table, names: Sequence[str]) -> None:
        self._beginning, self._unreadable = _Beginning(table), table.unreadable
        self.texts: list[str] = []
        self.slips: dict[str, None] = {}
        self.unreadable: list[str] = []
        self.whole: dict[str, int] = {}
        rows = next((len(b.texts[names[0]]) for b in self._beginning.blocks([], names[:1])), 0)
        if not rows:
            raise fault(table.path, "has a header but no rows")
        self._together = _TOGETHER // rows
        if len(names) <= self._together:  # so that most tables are then read as numbers at once
            self.texts = text_columns(self._beginning, names)
        found = set(self.texts)
        self._look([name for name in names if name not in found])

    def _look(self, names: Sequence[str]) -> None:
        if not names:
            return
        try:
            for block in self._beginning.blocks(names, []):
                self._count(names, block.values)
            return
        except InputError:
            pass
        few = len(names) <= max(self._together, 1)
        if few and (found := set(text_columns(self._beginning, names))):
            self.texts += [name for name in names if name in found]
            self._look([name for name in names if name not in found])
        elif len(names) > 1:
            middle = len(names) // 2
            self._look(names[:middle])
            self._look(names[middle:])
        elif names[0] in self._unreadable:
            self.unreadable += names
        else:
            for _ in self._beginning.blocks([], names):  # else it is not UTF-8, and no slip
                self.slips[names[0]] = None

    def _count(self, names: Sequence[str], values: np.ndarray) -> None:
        whole = (np.isnan(values) | (values == np.trunc(values))).all(axis=0)
        whole &= ~np.isinf(values).any(axis=0) & ~np.isnan(values).all(axis=0)
        for at in np.flatnonzero(whole):
            column = values[:, at]
            self.whole[names[at]] = len(np.unique(column[~np.isnan(column)]))

    def cells_of_slips(self, special: Container[str]) -> dict[str, set[str]]:
        """The distinct cells, but missing ones, of slips that are not `special`."""
        found: dict[str, set[str]] = {name: set() for name in self.slips if name not in special}
        for name, cells in found.items():
            for block in self._beginning.blocks([], [name]):
                cells |= set(block.texts[name].to_pylist()) - {None, *self._beginning.missing}
        return found


def no_numbers(cells: Mapping[str, set[str]], decimal: str) -> tuple[list[str], dict[str, str]]:
    """Of columns' cells, what stands for a missing one, and by column the first that is no number.

    Where the latter has any, the former has none.
    """
    odd = {
        name: sorted(c for c in each if not is_number(c, decimal)) for name, each in cells.items()
    }
    spelt = sorted({cell for each in odd.values() for cell in each})
    if all(map(_MISSING.fullmatch, spelt)):
        return spelt, {}
    firsts = {
        n: next((c for c in each if not _MISSING.fullmatch(c)), "") for n, each in odd.items()
    }
    return [], {name: cell for name, cell in firsts.items() if cell}


class _Beginning:
    """A table of whose rows only the first block is read."""

    def __init__(self, table: Table) -> None:
        self._table, self.missing, self.numeric = table, table.missing, table.numeric

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        return islice(self._table.blocks(numbers, texts), 1)


def promising(sample: Sample, names: Sequence[str], lacking: Collection[str]) -> set[str]:
    """Columns that may be more than features, the likeliest so many."""
    called = [[n for n in names if rank(n, words) is not None] for words in (LABELS, PERSONS, IDS)]
    few = sorted(sample.whole, key=sample.whole.__getitem__)
    likely = [*names[-2:], *names[:2], *called[0], *called[1], *lacking, *called[2], *sample.texts]
    times = [*filter(is_time, names)]
    likely += [*times, *few]
    readable = {*sample.texts, *sample.whole, *times}.difference(sample.slips)
    # The first rows may tell nothing, as of a person called NA.
    readable.update(*called, lacking, names[-2:])
    readable.difference_update(sample.unreadable)
    return {*islice((name for name in dict.fromkeys(likely) if name in readable), _READ)}
