"""Raw tables in, typed and validated Parquet out, with a record of what was odd in them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emodag.context import Context
from emodag.errors import ConfigError, InputError
from emodag.science.feature_file import FeatureWriter, select_columns
from emodag.science.ingest import (
    Layout,
    ignored_columns,
    layout_of_test,
    layout_of_train,
    open_table,
)
from emodag.science.joined_table import JoinedTable
from emodag.science.quality import ColumnTally
from emodag.science.row_facts import canonical_keys, label_codes, persons, row_ids
from emodag.science.suspicions import (
    empty_in_test,
    equal_neighbours,
    glance,
    same_persons,
    same_rows,
    telling_features,
)
from emodag.science.tables import Block, Table, fault, first_cell, listed
from emodag.science.text_columns import text_columns

_POLICIES = ("missing", "infinite", "all_missing", "constant")


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Read the `train` and `test` tables and write them as float64 features and row facts.

    Writes `train.parquet` and `test.parquet` (features only, NaN where missing, in the training
    table's order), `train_rows.parquet` (id, label as a class code, person), `test_rows.parquet`
    (id) and `quality.json`, whose `warnings` tell what makes a score lie, see
    `emodag.science.suspicions`; all of them or, on an error, none.

    Parameters
    ----------
    inputs : {"train", "test"}, or "train/00000" and so on where several files are one table
        Tables as `emodag.science.ingest.open_table` reads them.
    params
        label, group, id : str or None
            Names of columns; see `emodag.science.ingest.layout_of_train`.
        ignore : list of str
            Columns that are no features, by name or pattern.
        test_group : str or None
            The test table's person column, if it is not called `group`; for warnings only.
        classes : list of str
        decimals, separator, decimal, missing_values : see `emodag.science.ingest.open_table`
        missing : "impute" (keep as NaN for later) or "error"
        infinite : "missing" (turn into NaN) or "error"
        all_missing : "drop" or "error", for columns without a finite value in training
        constant : "keep" or "drop", for columns of one finite value in training
        min_rows_per_person : int
    context : told of what is odd. A second worker reads a block while the last one is written.

    Raises
    ------
    InputError
        If the data cannot be used.
    ConfigError
        If `label`, `group`, `id` and `ignore` contradict each other or the tables.
    """
    named = params["label"] is not None
    train, test = (opened(inputs, name, params) for name in ("train", "test"))
    own = {name: params[name] for name in ("label", "group", "id")}
    ignored = ignored_columns((train, test), params["ignore"])
    for key, name in own.items():
        if name in params["ignore"]:
            raise ConfigError(f"data.ignore holds {name!r}, which is data.{key}; take it out")
    layout = layout_of_train(train, **own, ignored=ignored)
    test_group = params["test_group"]
    test_columns = layout_of_test(
        test, layout, named=named, id=params["id"], ignored=ignored, group=test_group
    )
    reading = {
        "train": _reading(train, layout, params["id"], named),
        "test": _reading(test, test_columns, params["id"], named),
    }
    for table, notes in ((train, reading["train"]), (test, reading["test"])):
        if notes:
            context.warn(f"{table.path}: {'; '.join(notes)}")
    read = {test_columns.id, test.index, test_group, *test_columns.features} | ignored
    unread = [name for name in test.columns if name not in read]
    if unread:
        context.warn(f"{test.path}: {listed(unread)} in the test table will not be read")
    reordered = test_columns.features != layout.features
    if reordered:
        context.warn(f"{test.path}: features are ordered as in {train.path}, by name")
    with TemporaryDirectory(dir=output, prefix=".") as scratch:
        staged = Path(scratch)
        tally, texts = copy_features(train, layout, params, staged / "train.parquet", context)
        codes = label_codes(train, layout.label, texts[layout.label], params["classes"])
        class_counts = _count_classes(train, layout.label, codes, params["classes"])
        who = persons(
            train, layout.group, texts[layout.group], min_rows=params["min_rows_per_person"]
        )
        kept = _kept(train, layout, tally, params, context)
        features = [layout.features[at] for at in np.flatnonzero(kept)]
        if len(features) < len(layout.features):
            whole = (staged / "train.parquet").replace(staged / "whole.parquet")
            select_columns(whole, staged / "train.parquet", features)
            whole.unlink()
        rows = {"id": _ids(train, layout.id, texts, tally.rows), "label": codes, "person": who}
        pq.write_table(pa.table(rows), staged / "train_rows.parquet", compression="zstd")
        test_tally, test_texts = copy_features(
            test, Layout(test_columns.id, tuple(features)), params, staged / "test.parquet", context
        )
        rows = {"id": _ids(test, test_columns.id, test_texts, test_tally.rows)}
        pq.write_table(pa.table(rows), staged / "test_rows.parquet", compression="zstd")
        known = who.to_numpy(zero_copy_only=False)
        pages = [glance(staged / f"{name}.parquet") for name in ("train", "test")]
        warnings = [
            *same_persons(known, _persons_of_test(test, test_columns.group, test_group)),
            *same_rows(*pages, known),
            *telling_features(pages[0], features, codes, known),
            *empty_in_test([features[at] for at in np.flatnonzero(test_tally.all_missing())]),
            *equal_neighbours(pages[0], known),
        ]
        for warning in warnings:
            context.warn(warning)
        quality = {
            "warnings": warnings,
            "rows": {"train": tally.rows, "test": test_tally.rows},
            "features": len(features),
            "features_read": len(layout.features),
            "cells": {
                "train": tally.record(layout.features),
                "test": test_tally.record(features),
            },
            "all_missing_columns": _names(layout, tally.all_missing()),
            "constant_columns": _names(layout, tally.constant()),
            "dropped_columns": _names(layout, ~kept),
            "duplicate_columns": [
                [layout.features[at] for at in group] for group in tally.duplicates(kept)
            ],
            "class_counts": class_counts,
            "rows_per_person": {
                str(count["values"]): count["counts"] for count in pc.value_counts(who).to_pylist()
            },
            "ignored_columns": sorted(ignored),
            "test_columns_ignored": unread,
            "test_columns_reordered": reordered,
            "reading": reading,
            "policies": {name: params[name] for name in _POLICIES},
        }
        text = json.dumps(quality, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        (staged / "quality.json").write_text(text, encoding="utf-8", newline="\n")
        for file in sorted(staged.iterdir()):
            file.replace(output / file.name)


def opened(inputs: Mapping[str, Path], name: str, params: Mapping[str, Any]) -> Table:
    """The table in the file of a role, or in those of `name/00000` and so on."""
    tables = [
        open_table(
            inputs[role],
            decimals=params["decimals"],
            separator=params["separator"],
            decimal=params["decimal"],
            missing=params["missing_values"],
        )
        for role in sorted(inputs)
        if role.partition("/")[0] == name
    ]
    return tables[0] if len(tables) == 1 else JoinedTable(tables)


def _reading(table: Table, layout: Layout, id: str | None, named: bool) -> list[str]:
    """What was found out of how a table is written, in words; nothing of a plain one."""
    notes = list(table.notes)
    if not named and table.counted:
        notes.append(
            f"the first column, {layout.id!r}, is taken for the index, "
            "as the one of pandas only counts the rows"
        )
    if named and table.index is not None:
        shown = f"the index {table.index!r}" if table.index else "the first column, without a name,"
        if layout.id == table.index and id is None:
            notes.append(f"{shown} is taken for the rows' id")
        elif table.index not in (id, layout.label, layout.group):
            notes.append(f"{shown} is not read")
    return notes


def copy_features(
    table: Table, layout: Layout, params: Mapping[str, Any], path: Path, context: Context
) -> tuple[ColumnTally, dict[str, pa.Array]]:
    """Write the features of `table` to `path`; return their tally and the other columns."""
    names = [name for name in (layout.id, layout.label, layout.group) if name is not None]
    tally = ColumnTally(len(layout.features))
    texts: dict[str, list[pa.Array]] = {name: [] for name in names}
    with FeatureWriter(path, layout.features) as writer:
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
            writer.add(tally.add(block.values))
            for name in names:
                texts[name].append(block.texts[name])
    if not tally.rows:
        raise fault(table.path, "has a header but no rows")
    return tally, {name: pa.concat_arrays(parts) for name, parts in texts.items()}


def _explained(table: Table, features: Sequence[str], names: Sequence[str]) -> Iterator[Block]:
    """The blocks of the table; where cells are text that must be numbers, all such columns."""
    try:
        yield from table.blocks(features, names)
    except InputError:
        if found := text_columns(table, features):
            written = ", ".join(map(repr, found))
            raise fault(
                table.path,
                f"expected numbers, found text in {written}; leave out what is no feature, by "
                f"`data: {{ignore: [{written}]}}`, or write it as numbers",
            ) from None
        raise


def _one_ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """The same blocks, each read by another thread while the one before it is in use."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, blocks, None)
        while (block := following.result()) is not None:
            following = reader.submit(next, blocks, None)
            yield block


def _persons_of_test(test: Table, column: str | None, named: str | None) -> set[object]:
    """Whom the test table names in `column`, nobody where that is None.

    Where the configuration has not `named` the column, it may hold anything, so one that cannot be
    read is passed over.
    """
    if column is None:
        return set()
    try:
        text = pa.concat_arrays([block.texts[column] for block in test.blocks([], [column])])
        text = text.filter(pc.invert(pc.is_in(text, pa.array([None, *test.missing], pa.string()))))
        return set(canonical_keys(test, column, text, "person").to_pylist())
    except InputError:
        if named:
            raise
        return set()


def _kept(
    train: Table, layout: Layout, tally: ColumnTally, params: Mapping[str, Any], context: Context
) -> np.ndarray:
    """Which features stay, by the policies: a boolean array over the training features."""
    empty, constant = tally.all_missing(), tally.constant()
    if empty.any():
        names = listed(_names(layout, empty))
        if params["all_missing"] == "error":
            raise fault(
                train.path,
                f"no finite value in {int(empty.sum())} columns ({names}) and data.all_missing is "
                "'error'; remove the columns or relax that policy",
            )
        context.warn(f"{train.path}: dropped columns without a finite value: {names}")
    kept = ~empty
    if params["constant"] == "drop" and constant.any():
        context.warn(f"{train.path}: dropped constant columns: {listed(_names(layout, constant))}")
        kept &= ~constant
    if not kept.any():
        raise fault(train.path, "no feature columns are left after dropping")
    return kept


def _count_classes(
    train: Table, column: str, codes: np.ndarray, classes: Sequence[str]
) -> dict[str, int]:
    counts = np.bincount(codes, minlength=len(classes))
    absent = [classes[code] for code in np.flatnonzero(counts == 0)]
    if absent:
        raise fault(
            train.path,
            f"no training row has the class {listed(absent)}; add such rows, "
            "or take it out of data.classes",
            column=column,
        )
    return {name: int(count) for name, count in zip(classes, counts, strict=True)}


def _ids(table: Table, column: str | None, texts: Mapping[str, pa.Array], rows: int) -> pa.Array:
    if column is None:
        return pa.array(np.arange(rows, dtype=np.int64))
    return row_ids(table, column, texts[column])


def _names(layout: Layout, chosen: np.ndarray) -> list[str]:
    return [layout.features[at] for at in np.flatnonzero(chosen)]
