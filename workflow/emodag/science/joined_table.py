"""Several files as one table, such as one per person."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from emodag.errors import InputError
from emodag.science.tables import Block, Table, fault, listed


class JoinedTable:
    """The rows of several tables one after another; columns are matched by name.

    The columns' order is the first table's. An index saved along is no id, as each has its own.

    Raises `InputError` if a table has other columns than the first.
    """

    counted = False

    def __init__(self, tables: Sequence[Table]) -> None:
        first = tables[0]
        for table in tables[1:]:
            absent = [name for name in first.columns if name not in {*table.columns}]
            more = [name for name in table.columns if name not in {*first.columns}]
            if absent or more or table.index != first.index:
                lacks = f"lacks {listed(absent)}" if absent else ""
                has = f"also has {listed(more)}" if more else ""
                differs = " and ".join(part for part in (lacks, has) if part)
                raise fault(
                    table.path,
                    f"expected the columns of {first.path}; this table "
                    f"{differs or 'has another index'}; make the two agree{table.hint}",
                )
        self._tables = tuple(tables)
        self.path, self.columns, self.index = first.path, first.columns, first.index
        self.missing, self.hint = first.missing, first.hint
        notes = {note: None for table in tables for note in table.notes}
        self.notes = (f"with {len(tables) - 1} more files", *notes)
        self._first_rows: list[int] = []

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        """Read the columns of each table, one table after another.

        Raises
        ------
        InputError
            As the readers of the tables do.
        """
        self._first_rows, rows = [], 0
        for table in self._tables:
            self._first_rows.append(rows)
            read = 0
            for block in table.blocks(numbers, texts):
                read += len(block.values)
                yield replace(block, first_row=self._first_rows[-1] + block.first_row)
            rows += read

    def fault(self, message: str, *, column: str, row: int) -> InputError:
        """An `InputError` about a cell already read, by its row in the file that has it."""
        at = max(at for at, first in enumerate(self._first_rows) if first <= row)
        return self._tables[at].fault(message, column=column, row=row - self._first_rows[at])
