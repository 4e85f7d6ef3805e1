"""Several files as one table, such as one per person, and what their folders' names say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from emodag.science.tables.table import SAVED_INDEX, Block, Table, fault, listed, numbers_of
from ledger.errors import InputError


class PartitionTable:
    """A table with columns of one value, such as the person, that its folders' names say.

    They come last, and are as if the file held them as text: whole numbers or names. A column that
    the file has, too, is the file's.
    """

    def __init__(self, table: Table, partition: Mapping[str, str | None]) -> None:
        self._table = table
        self._partition = {k: v for k, v in partition.items() if k not in table.columns}

    def __getattr__(self, name: str) -> Any:
        """What else a table has is that of the file."""
        return getattr(self._table, name)

    @property
    def said(self) -> tuple[str, ...]:
        """The columns that its folders say."""
        return (*self._partition,)

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the file, then those that its folders say."""
        return (*self._table.columns, *self._partition)

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        """Read the columns `numbers` as float64 and `texts` as strings, in order of rows.

        Raises
        ------
        InputError
            As the reader of the table does, and for a folder's name that is no number.
        """
        own = [at for at, name in enumerate(numbers) if name not in self._partition]
        read = [name for name in texts if name not in self._partition]
        for block in self._table.blocks([numbers[at] for at in own], read):
            rows, values = len(block.values), block.values
            if len(own) < len(numbers):
                values = np.empty((rows, len(numbers)), order="F")
                values[:, own] = block.values
                for at in set(range(len(numbers))).difference(own):
                    values[:, at] = self._number(numbers[at])
            said = {
                name: pa.array([self._partition[name]] * rows, pa.string())
                for name in texts
                if name in self._partition
            }
            yield replace(block, values=values, texts={**block.texts, **said})

    def _number(self, name: str) -> float:
        found = numbers_of(pa.array([self._partition[name]], pa.string()), self.missing)
        if found is None:
            raise fault(
                self.path,
                f"expected numbers, and its folder is called {name}={self._partition[name]}; "
                "name that column in data.ignore",
                column=name,
            )
        return float(found[0][0])


class JoinedTable:
    """The rows of several tables one after another; columns are matched by name.

    The columns' order is the first table's. An index saved along is no id, as each has its own; one
    without a name is left out where another table has none.

    Attributes
    ----------
    tables : those of the files, in their order.
    first_rows : the row at which each begins, after all were read.

    Raises `InputError` if a table has other columns than the first.
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        first = tables[0]
        if any(table.index == "" for table in tables):  # as other slices of one frame have it
            for table in tables:
                if table.counted:
                    table.show_index()
        own = {table.index for table in tables if table.index is not None}
        left_out = {
            name
            for name in own
            if SAVED_INDEX.fullmatch(name) and any(name not in table.columns for table in tables)
        }
        self.columns = tuple(name for name in first.columns if name not in left_out)
        known = left_out.union(self.columns)
        for table in tables[1:]:
            found = {*table.columns}
            absent = [name for name in self.columns if name not in found]
            more = [name for name in table.columns if name not in known]
            if absent or more:
                lacks = f"lacks {listed(absent)}" if absent else ""
                has = f"also has {listed(more)}" if more else ""
                differs = " and ".join(part for part in (lacks, has) if part)
                raise fault(
                    table.path,
                    f"expected the columns of {first.path}; this table {differs}; "
                    f"make the two agree{table.hint}",
                )
        self.index = next((name for name in self.columns if name in own), None)
        self.counted = bool(left_out) or any(table.counted for table in tables)
        self.tables = tuple(tables)
        self.path, self.missing, self.hint = first.path, first.missing, first.hint
        self.decimal = max((table.decimal for table in tables), key=".,".index)
        notes = {note: None for table in tables for note in table.notes}
        more = len(tables) - 1
        self.notes = (f"with {more} more file{'s' * (more > 1)}", *notes)
        self.numeric = frozenset.intersection(*(table.numeric for table in tables))
        self.unreadable = frozenset.union(*(table.unreadable for table in tables))
        self.flags: set[str] = set()
        self.first_rows: list[int] = []

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        """Read the columns of each table, one table after another.

        Raises
        ------
        InputError
            As the readers of the tables do, and where a column is numbers in one table and True
            and False in another.
        """
        self.first_rows, rows = [], 0
        self.flags.clear()
        known: dict[str, tuple[bool, Table]] = {}
        for table in self.tables:
            self.first_rows.append(rows)
            read, unseen = 0, np.arange(len(numbers))
            for block in table.blocks(numbers, texts):
                read += len(block.values)
                unseen = unseen[np.isnan(block.values[:, unseen]).all(axis=0)]
                yield replace(block, first_row=self.first_rows[-1] + block.first_row)
            rows += read
            for name in np.delete(np.array(numbers, object), unseen):
                are_flags, other = known.setdefault(name, (name in table.flags, table))
                if are_flags != (name in table.flags):
                    told = ("numbers", "True and False")[:: -1 if are_flags else 1]
                    problem = f"expected {told[0]}, as {other.path} has, found {told[1]}"
                    raise fault(
                        table.path, f"{problem}; write it one way in all files", column=name
                    )
            self.flags |= table.flags

    def fault(self, message: str, *, column: str, row: int) -> InputError:
        """An `InputError` about a cell already read, by its row in the file that has it."""
        at = max(at for at, first in enumerate(self.first_rows) if first <= row)
        return self.tables[at].fault(message, column=column, row=row - self.first_rows[at])
