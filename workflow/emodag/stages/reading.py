"""What the stages that read raw tables share: a table is opened, and its features are copied."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from emodag.science.person_scaling import FEW, LEAST
from emodag.science.tables.feature_file import FeatureWriter
from emodag.science.tables.ingest import Layout, open_table
from emodag.science.tables.joined_table import JoinedTable, PartitionTable
from emodag.science.tables.quality import ColumnTally
from emodag.science.tables.row_facts import row_ids
from emodag.science.tables.table import Block, Table, fault, first_cell
from emodag.science.tables.text_columns import text_columns
from ledger.context import Context, Inputs, Params
from ledger.errors import InputError


def opened(inputs: Inputs, name: str, params: Params) -> Table | None:
    """The table in the file of a role, or in those of `name/00000` and so on; None without any."""
    partitions, tables = params.get("partitions", {}), []
    for role in sorted(inputs):
        if role.partition("/")[0] == name:
            table = open_table(
                inputs[role],
                decimals=params["decimals"],
                separator=params["separator"],
                decimal=params["decimal"],
                missing=params["missing_values"],
            )
            said = partitions.get(role)
            if params["label"] is None and table.counted and table.index is None:
                table.show_index()  # which is the first column, as in text
            tables.append(PartitionTable(table, said) if said else table)
    return JoinedTable(tables) if len(tables) > 1 else next(iter(tables), None)


def copy_features(
    table: Table,
    layout: Layout,
    params: Params,
    writer: FeatureWriter,
    context: Context,
    wanted: Callable[[Block], np.ndarray] | None = None,
) -> tuple[ColumnTally, dict[str, pa.Array]]:
    """Write the features of `table`; return their tally and, of all rows, the other columns.

    `wanted` tells which rows of a block to write and count, which by default are all.
    """
    names = [name for name in (layout.id, layout.label, layout.group) if name is not None]
    tally = ColumnTally(len(layout.features))
    texts: dict[str, list[pa.Array]] = {name: [] for name in names}
    read = 0
    blocks = _explained(table, layout.features, names)
    for block in _one_ahead(blocks) if context.workers > 1 else blocks:
        for policy, is_odd in (("missing", np.isnan), ("infinite", np.isinf)):
            cell = first_cell(is_odd(block.values)) if params[policy] == "error" else None
            if cell is not None:
                raise table.fault(
                    f"the value is {policy} and data.{policy} is 'error'; "
                    "correct the cell or relax that policy",
                    column=layout.features[cell[1]],
                    row=block.first_row + cell[0],
                )
        read += len(block.values)
        writer.add(tally.add(block.values if wanted is None else block.values[wanted(block)]))
        for name in names:
            texts[name].append(block.texts[name])
    if not read:
        raise fault(table.path, "has a header but no rows")
    return tally, {name: pa.concat_arrays(parts) for name, parts in texts.items()}


def _explained(table: Table, features: Sequence[str], names: Sequence[str]) -> Iterator[Block]:
    """The blocks of the table; where cells are text that must be numbers, all such columns."""
    try:
        yield from table.blocks(features, names)
    except InputError:
        if found := text_columns(table, features):
            is_first = found[0] == table.columns[0]
            names = f"; {found[0]!r} may name the rows: then set data.id" if is_first else ""
            raise fault(table.path, f"{found_text(found)}{names}") from None
        raise


def found_text(columns: Sequence[str]) -> str:
    """What to say of columns that hold text and would be features."""
    written = ", ".join(map(repr, columns))
    return (
        f"expected numbers, found text in {written}; leave out what is no feature, by "
        f"`data: {{ignore: [{written}]}}`, or write it as numbers"
    )


def _one_ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """The same blocks, each read by another thread while the one before it is in use."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, blocks, None)
        while (block := following.result()) is not None:
            following = reader.submit(next, blocks, None)
            yield block


def ids_of_rows(
    table: Table,
    column: str | None,
    texts: Mapping[str, pa.Array],
    rows: int,
    params: Params,
) -> pa.Array:
    """The ids in a column of the copied table, numbers from 0 where that is None."""
    if column is None:
        return pa.array(np.arange(rows, dtype=np.int64))
    # The first column, if neither names nor pandas tell, may be a feature.
    is_sure = (params["label"], params["id"]) != (None, None) or column == table.index
    return row_ids(table, column, texts[column], is_sure=is_sure)


def require_rows(
    table: Table, column: str | None, rows: Mapping[object, int], context: Context
) -> None:
    """Refuse a person whose rows are too few to say what is usual for that person; warn of few.

    Parameters
    ----------
    column : where `table` names persons; None where `data.test_blocks` counts them, from 0.
    rows : how many each person has, of those who are in `table`.

    Raises
    ------
    InputError
        If one has fewer than `emodag.science.person_scaling.LEAST`.
    """
    fewest = min(rows, key=rows.__getitem__)
    name, cure = f"{fewest!r}", "leave those persons out"
    if column is None:
        name, cure = f"{fewest + 1} of data.test_blocks", "correct data.test_blocks"
    said = f"person {name} has {rows[fewest]} row{'s' * (rows[fewest] != 1)}"
    few, least = ([who for who in rows if rows[who] < bound] for bound in (FEW, LEAST))
    if least:
        raise fault(
            table.path,
            f"{said}, and scaling.person or training.adapt needs at least {LEAST} of each person "
            f"({len(least)} of {len(rows)} persons have fewer); {cure}, "
            "or set scaling.person and training.adapt to none",
            column=column,
        )
    if few:
        context.warn(
            f"{table.path}: {said}, and {len(few)} of {len(rows)} persons fewer than "
            f"{FEW}, from which scaling.person or training.adapt takes what is usual for a person; "
            "they must be in all states, as in training"
        )
