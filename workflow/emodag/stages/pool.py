"""The rows to predict: those of the test table, and unlabelled ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emodag.science.tables.feature_file import FeatureWriter
from emodag.science.tables.ingest import Layout
from emodag.science.tables.quality import ColumnTally
from emodag.science.tables.row_facts import (
    canonical_keys,
    is_missing,
    missing_spellings,
    persons,
)
from emodag.science.tables.table import Table, fault
from emodag.stages.reading import copy_features, ids_of_rows, require_rows
from emodag.stages.training_table import Training
from ledger.context import Context, Params
from ledger.errors import InputError


@dataclass(frozen=True)
class Pool:
    """What is kept of the rows to predict besides their features.

    Attributes
    ----------
    tallies : by table, `test` and `unlabelled`, if there are such rows.
    tested : whom the test table names; `tested_rows`, where it is known of each row, the rows of
        each.
    unlabelled : the person of each unlabelled row, None where there are none.
    written : how a table of unlabelled rows writes persons, each spelling once.
    """

    tallies: dict[str, ColumnTally]
    tested: set[object]
    tested_rows: dict[str, int]
    unlabelled: pa.Array | None
    written: pa.Array


def read_pool(
    tables: Mapping[str, Table],
    layouts: Mapping[str, Layout],
    train: Training,
    params: Params,
    staged: Path,
    context: Context,
) -> Pool:
    """Read the rows to predict, and write their features, if there are any."""
    tallies: dict[str, ColumnTally] = {}
    tested: set[object] = set()
    tested_rows: dict[str, int] = {}
    unlabelled, written = train.unlabelled, pa.array([], pa.string())
    if len(tables) == 1 and unlabelled is None:
        return Pool(tallies, tested, tested_rows, unlabelled, written)
    with FeatureWriter(staged / "test.parquet", train.features) as writer:
        copied = partial(copy_features, params=params, writer=writer, context=context)
        if "test" in tables:
            table, columns = tables["test"], layouts["test"]
            tally, texts = copied(table, Layout(columns.id, train.features))
            rows = {"id": ids_of_rows(table, columns.id, texts, tally.rows, params)}
            who = _test_persons(table, columns.group, tally.rows, params, context)
            if who is not None and not who.null_count:
                rows["person"], tested_rows = who, counted(who)
            elif who is not None and who.null_count < len(who):
                rows["known_person"] = who.cast(pa.string()).fill_null("")
            write_rows(staged / "test_rows.parquet", **rows)
            if who is not None and "test_blocks" not in params:
                tested = set(who.drop_null().to_pylist())
            tallies["test"] = tally
        if "unlabelled" in tables:
            table, group = tables["unlabelled"], layouts["unlabelled"].group
            found = Layout(None, train.features, group=group)
            tallies["unlabelled"], texts = copied(table, found)
            unlabelled = persons(table, group, texts[group])
            written = pc.unique(texts[group])
        elif unlabelled is not None:
            found = Layout(None, train.features)
            tallies["unlabelled"], _ = copied(
                tables["train"],
                found,
                wanted=lambda block: train.lacking[block.first_row :][: len(block.values)],
            )
    return Pool(tallies, tested, tested_rows, unlabelled, written)


def _test_persons(
    table: Table, column: str | None, rows: int, params: Params, context: Context
) -> pa.Array | None:
    """Of whom each row of the test table is, by its column or by `test_blocks`; None if unknown.

    Null where a cell is missing and nothing needs to know. Where the configuration has not named
    the column, it may then hold anything, so one that cannot be read is passed over.
    """
    needed = "needs_persons" in params
    if "test_blocks" in params:
        sizes = _block_sizes(table, column, rows, params["test_blocks"])
        if needed:
            require_rows(table, None, dict(enumerate(sizes)), context)
        return pa.array(np.repeat(np.arange(len(sizes)), sizes))
    if column is None and needed:
        raise fault(
            table.path,
            "scaling.person or training.adapt needs to know whose these rows are; name the column "
            "of persons in data.test_group, or give the rows of each person in data.test_blocks; "
            "where nobody knows, set scaling.person and training.adapt to none",
        )
    if column is None:
        return None
    try:
        text = pa.concat_arrays([block.texts[column] for block in table.blocks([], [column])])
        if needed:
            who = persons(table, column, text)
            require_rows(table, column, Counter(who.to_pylist()), context)
            return who
        there = pc.invert(is_missing(text, missing_spellings(table, text, "person")))
        found = canonical_keys(table, column, text.filter(there), "person")
        return pc.replace_with_mask(pa.nulls(len(text), found.type), there, found)
    except InputError:
        if needed or params["test_group"]:
            raise
        return None


def _block_sizes(
    table: Table, column: str | None, rows: int, blocks: int | Sequence[int]
) -> Sequence[int]:
    """The rows of each person who stands in a block, which add up to the table's."""
    if column is not None:
        raise fault(
            table.path,
            "tells whose each row is, and data.test_blocks does so, too; take data.test_blocks "
            "out of the configuration, or, if this is no name of files or folders, the column out "
            "of the table",
            column=column,
        )
    if isinstance(blocks, int):
        if rows % blocks:
            raise fault(
                table.path,
                f"data.test_blocks is {blocks:,} rows for each person, which do not divide the "
                f"table's {rows:,} rows; correct it, or list the rows of each person",
            )
        return [blocks] * (rows // blocks)
    if sum(blocks) != rows:
        raise fault(
            table.path,
            f"expected {sum(blocks):,} rows by data.test_blocks ({len(blocks)} persons), found "
            f"{rows:,}; correct data.test_blocks",
        )
    return blocks


def write_rows(path: Path, **columns: pa.Array | np.ndarray) -> None:
    """Write facts of rows, a column each."""
    pq.write_table(pa.table(columns), path, compression="zstd")


def counted(who: pa.Array) -> dict[str, int]:
    """The rows of each person, by the person as text."""
    return {str(each["values"]): each["counts"] for each in pc.value_counts(who).to_pylist()}
