"""Raw tables in, typed and validated Parquet out, with a record of what was odd in them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emodag.science.tables.feature_file import FeatureWriter, select_columns
from emodag.science.tables.ingest import (
    Layout,
    ignored_columns,
    layout_of_test,
    layout_of_train,
    layout_of_unlabelled,
)
from emodag.science.tables.quality import ColumnTally
from emodag.science.tables.row_facts import (
    canonical_keys,
    is_missing,
    label_codes,
    lacks_label,
    missing_spellings,
    named_as_missing,
    numbers_written_twice,
    persons,
    persons_of_unlabelled,
)
from emodag.science.tables.suspicions.disguises import telling_features
from emodag.science.tables.suspicions.features import (
    beyond_everybody,
    coded_features,
    codes_for_missing,
    empty_in_test,
    extents,
    in_another_unit,
    magnitudes,
)
from emodag.science.tables.suspicions.glance import glance
from emodag.science.tables.suspicions.names import (
    called_as_missing,
    classes_alike,
    one_of_several_spellings,
    presumed_classes,
    same_persons,
)
from emodag.science.tables.suspicions.rows import (
    NOBODY,
    equal_neighbours,
    nearly_same_rows,
    same_rows,
)
from emodag.science.tables.table import RESET, Block, Table, fault, listed
from emodag.science.tables.text_columns import text_columns
from emodag.stages.reading import (
    copy_features,
    found_text,
    ids_of_rows,
    opened,
    require_rows,
)
from ledger.context import Context
from ledger.errors import ConfigError, InputError

_ADVICE = ", or set data.unlabelled to 'rows', by which students learn from such rows, too"
"""What may be meant by a training row without a label."""

_POLICIES = ("missing", "infinite", "all_missing", "constant")


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Read the tables and write them as float64 features and row facts.

    Writes `train.parquet` (features only, NaN where missing), `train_rows.parquet` (id, label as a
    class code, person) and `quality.json`, whose `warnings` tell what makes a score lie, see
    `emodag.science.tables.suspicions`. Where there is a pool also `test.parquet`, features of the
    test rows and then of the unlabelled ones, in the training table's order; `test_rows.parquet`
    (id, and person where it is known) for a test table, `unlabelled_rows.parquet` (person) for
    unlabelled rows. All of them or, on an error, none.

    Parameters
    ----------
    inputs : `train`; `test` and `unlabelled` if there are such tables; "train/00000" and so on
        where several files are one. Tables as `emodag.science.tables.ingest.open_table` reads them.
    params
        label, group, id : str or None
            Names of columns; see `emodag.science.tables.ingest.layout_of_train`.
        ignore : list of str
            Columns that are no features, by name or pattern.
        test_group : str or None
            The test table's person column, if it is not called `group`.
        classes : list of str
        decimals, separator, decimal, missing_values : see `emodag.science.tables.ingest.open_table`
        partitions : by input, the columns that the file's folders are called by, if any
        missing : "impute" (keep as NaN for later) or "error"
        infinite : "missing" (turn into NaN) or "error"
        all_missing : "drop" or "error", for columns without a finite value in training
        constant : "keep" or "drop", for columns of one finite value in training
        min_rows_per_person : int
        test_blocks : int or list of int, where the test table has no column of persons: the rows
            of each, one after the other
        needs_persons : True, where it must be known whose each row is, and who has too few
        unlabelled : "rows", where training rows without a label are unlabelled ones
        presumed : only where `label` is named and `classes` are the default's, which is told then
    context : told of what is odd. A second worker reads a block while the last one is written.

    Raises
    ------
    InputError
        If the data cannot be used.
    ConfigError
        If `label`, `group`, `id` and `ignore` contradict each other or the tables.
    """
    tables = {
        name: table
        for name in ("train", "test", "unlabelled")
        if (table := opened(inputs, name, params))
    }
    ignored = ignored_columns([*tables.values()], params["ignore"])
    for key in ("label", "group", "id"):
        if params[key] in params["ignore"]:
            raise ConfigError(
                f"data.ignore holds {params[key]!r}, which is data.{key}; take it out"
            )
    layouts = _layouts(tables, params, ignored)
    layout = layouts["train"]
    special = (layout.id, layout.label, layout.group)  # which no pattern can ignore
    reading = {name: _reading(tables[name], layouts[name], params) for name in tables}
    for name, told in reading.items():
        plain = len(tables[name].notes)
        for tell, notes in ((context.note, told[:plain]), (context.warn, told[plain:])):
            if notes:
                tell(f"{tables[name].path}: {'; '.join(notes)}")
    columns: dict[str, Any] = {}
    for name in [*tables][1:]:
        columns |= _told_columns(name, tables, layouts, params, ignored, context)
    with TemporaryDirectory(dir=output, prefix=".") as scratch:
        staged = Path(scratch)
        train = _read_train(tables, layout, params, staged, context)
        pool = _read_pool(tables, layouts, train, params, staged, context)
        who, others = _alike(train.persons, pool.unlabelled)
        if "needs_persons" in params:
            _require_rows(tables, layouts, who, others, context)
        _write_rows(staged / "train_rows.parquet", id=train.ids, label=train.codes, person=who)
        if others is not None:
            _write_rows(staged / "unlabelled_rows.parquet", person=others)
        warnings = _suspicions(train, pool, who, others, staged, params["classes"])
        if "presumed" in params:
            written = train.written["class"].to_pylist()
            warnings = presumed_classes(written, params["classes"]) + warnings
        for warning in warnings:
            context.warn(warning)
        tally, tallies = train.tally, {"train": train.tally, **pool.tallies}
        quality = {
            "warnings": warnings,
            "rows": {name: found.rows for name, found in tallies.items()},
            "features": len(train.features),
            "features_read": len(layout.features),
            "cells": {
                name: found.record(layout.features if name == "train" else train.features)
                for name, found in tallies.items()
            },
            "all_missing_columns": _names(layout, tally.all_missing()),
            "constant_columns": _names(layout, tally.constant()),
            "dropped_columns": _names(layout, ~train.kept),
            "duplicate_columns": [
                [layout.features[at] for at in group] for group in tally.duplicates(train.kept)
            ],
            "class_counts": train.class_counts,
            "rows_per_person": _counted(train.persons),
            "ignored_columns": sorted(ignored - {"", *special}),  # ""  may be in the metadata only
            **columns,
            "reading": reading,
            "policies": {name: params[name] for name in _POLICIES},
        }
        if pool.tested_rows:
            quality["test_rows_per_person"] = pool.tested_rows
        if pool.unlabelled is not None:
            quality["unlabelled_rows_per_person"] = _counted(pool.unlabelled)
        text = json.dumps(quality, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        (staged / "quality.json").write_text(text, encoding="utf-8", newline="\n")
        for file in sorted(staged.iterdir()):
            file.replace(output / file.name)


@dataclass(frozen=True)
class _Train:
    """What is kept of the training table besides its features.

    Attributes
    ----------
    lacking : boolean, of all rows, whether there is no label; `unlabelled` has their persons, None
        where each must have one. `ids`, `codes` and `persons` are of the others.
    kept : boolean, of the layout's features, whether they stay; `features` has their names.
    written : how classes and persons are written, each spelling once.
    """

    lacking: np.ndarray
    ids: pa.Array
    codes: np.ndarray
    persons: pa.Array
    unlabelled: pa.Array | None
    class_counts: dict[str, int]
    tally: ColumnTally
    kept: np.ndarray
    features: tuple[str, ...]
    written: dict[str, pa.Array]


@dataclass(frozen=True)
class _Pool:
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


def _layouts(
    tables: Mapping[str, Table], params: Mapping[str, Any], ignored: frozenset[str]
) -> dict[str, Layout]:
    """What the columns of each table are."""
    own = {name: params[name] for name in ("label", "group", "id")}
    found = {"train": layout_of_train(tables["train"], **own, ignored=ignored)}
    try:
        if "test" in tables:
            found["test"] = layout_of_test(
                tables["test"],
                found["train"],
                named=params["label"] is not None,
                id=params["id"],
                ignored=ignored,
                group=params["test_group"],
            )
        if "unlabelled" in tables:
            found["unlabelled"] = layout_of_unlabelled(
                tables["unlabelled"], found["train"], ignored=ignored
            )
    except InputError as error:
        # What is text would be the next complaint.
        if texts := text_columns(tables["train"], found["train"].features):
            raise InputError(f"{error}; {tables['train'].path}: {found_text(texts)}") from None
        raise
    return found


def _told_columns(
    name: str,
    tables: Mapping[str, Table],
    layouts: Mapping[str, Layout],
    params: Mapping[str, Any],
    ignored: frozenset[str],
    context: Context,
) -> dict[str, Any]:
    """Tell which columns of a table besides the training one are not read, or in another order."""
    table, layout = tables[name], layouts[name]
    others = {layout.group} if name == "test" else {layouts["train"].id, layout.group}
    read = {layout.id, *layout.indices, *layout.features, *others} | ignored
    unread = [column for column in table.columns if column not in read]
    if unread:
        context.warn(f"{table.path}: {listed(unread)} in the {name} table will not be read")
    reordered = layout.features != layouts["train"].features
    if reordered:
        order = f"features are ordered as in {tables['train'].path}, by name"
        context.warn(f"{table.path}: {order}")
    return {f"{name}_columns_ignored": unread, f"{name}_columns_reordered": reordered}


def _read_train(
    tables: Mapping[str, Table],
    layout: Layout,
    params: Mapping[str, Any],
    staged: Path,
    context: Context,
) -> _Train:
    """Read the training table, and write the features of its labelled rows."""
    table, label, classes = tables["train"], layout.label, params["classes"]
    is_mixed = params.get("unlabelled") == "rows"

    def labelled(block: Block) -> np.ndarray:
        return ~lacks_label(table, block.texts[label], classes)

    path = staged / "train.parquet"
    with FeatureWriter(path, layout.features) as writer:
        wanted = labelled if is_mixed else None
        tally, texts = copy_features(table, layout, params, writer, context, wanted)
    lacking = np.zeros(len(texts[label]), bool)
    if is_mixed:
        lacking = lacks_label(table, texts[label], classes)
        _require_both(table, label, lacking)
    with_label = pa.array(~lacking)
    advice = "" if is_mixed or "unlabelled" in tables else _ADVICE
    codes = label_codes(
        table,
        label,
        texts[label].filter(with_label),
        classes,
        rows=np.flatnonzero(~lacking),
        advice=advice,
    )
    class_counts = _count_classes(table, label, codes, classes)
    who = persons(table, layout.group, texts[layout.group], min_rows=params["min_rows_per_person"])
    kept = _kept(table, layout, tally, params, context)
    features = tuple(layout.features[at] for at in np.flatnonzero(kept))
    if len(features) < len(layout.features):
        whole = path.replace(staged / "whole.parquet")
        select_columns(whole, path, features)
        whole.unlink()
    return _Train(
        lacking=lacking,
        ids=ids_of_rows(table, layout.id, texts, len(lacking), params).filter(with_label),
        codes=codes,
        persons=who.filter(with_label),
        unlabelled=who.filter(pa.array(lacking)) if is_mixed else None,
        class_counts=class_counts,
        tally=tally,
        kept=kept,
        features=features,
        written={
            "class": pc.unique(texts[label].filter(with_label)),
            "person": pc.unique(texts[layout.group]),
        },
    )


def _require_both(table: Table, label: str, lacking: np.ndarray) -> None:
    if not lacking.any():
        raise fault(
            table.path,
            "data.unlabelled is 'rows', and every row has a label; set it to null",
            column=label,
        )
    if lacking.all():
        raise fault(
            table.path, "no row has a label, and there is nothing to learn from", column=label
        )


def _read_pool(
    tables: Mapping[str, Table],
    layouts: Mapping[str, Layout],
    train: _Train,
    params: Mapping[str, Any],
    staged: Path,
    context: Context,
) -> _Pool:
    """Read the rows to predict, and write their features, if there are any."""
    tallies: dict[str, ColumnTally] = {}
    tested: set[object] = set()
    tested_rows: dict[str, int] = {}
    unlabelled, written = train.unlabelled, pa.array([], pa.string())
    if len(tables) == 1 and unlabelled is None:
        return _Pool(tallies, tested, tested_rows, unlabelled, written)
    with FeatureWriter(staged / "test.parquet", train.features) as writer:
        copied = partial(copy_features, params=params, writer=writer, context=context)
        if "test" in tables:
            table, columns = tables["test"], layouts["test"]
            tally, texts = copied(table, Layout(columns.id, train.features))
            rows = {"id": ids_of_rows(table, columns.id, texts, tally.rows, params)}
            who = _test_persons(table, columns.group, tally.rows, params, context)
            if who is not None and not who.null_count:
                rows["person"], tested_rows = who, _counted(who)
            _write_rows(staged / "test_rows.parquet", **rows)
            if who is not None and "test_blocks" not in params:
                tested = set(who.drop_null().to_pylist())
            tallies["test"] = tally
        if "unlabelled" in tables:
            table, group = tables["unlabelled"], layouts["unlabelled"].group
            found = Layout(None, train.features, group=group)
            tallies["unlabelled"], texts = copied(table, found)
            unlabelled = persons_of_unlabelled(table, group, texts[group])
            written = pc.unique(texts[group])
        elif unlabelled is not None:
            found = Layout(None, train.features)
            tallies["unlabelled"], _ = copied(
                tables["train"],
                found,
                wanted=lambda block: train.lacking[block.first_row :][: len(block.values)],
            )
    return _Pool(tallies, tested, tested_rows, unlabelled, written)


def _test_persons(
    table: Table, column: str | None, rows: int, params: Mapping[str, Any], context: Context
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
            who = persons(table, column, text, min_rows=1)
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
            "out of the configuration, or this column out of the table",
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


def _require_rows(
    tables: Mapping[str, Table],
    layouts: Mapping[str, Layout],
    who: pa.Array,
    others: pa.Array | None,
    context: Context,
) -> None:
    """Refuse persons of too few rows, labelled and unlabelled ones together."""
    labelled, unlabelled = who.to_pylist(), [] if others is None else others.to_pylist()
    rows = Counter(labelled + unlabelled)
    elsewhere = "unlabelled" if "unlabelled" in tables else "train"
    strangers = {*unlabelled}.difference(labelled)
    for name, them in (("train", {*labelled}), (elsewhere, strangers)):
        counts = {person: count for person, count in rows.items() if person in them}
        if counts:
            require_rows(tables[name], layouts[name].group, counts, context)


def _suspicions(
    train: _Train,
    pool: _Pool,
    who: pa.Array,
    others: pa.Array | None,
    staged: Path,
    classes: Sequence[str],
) -> list[str]:
    """What makes a score lie, of rows whose persons are `who` and, without a label, `others`."""
    known = who.to_numpy(zero_copy_only=False)
    strangers = NOBODY if others is None else others.to_numpy(zero_copy_only=False)
    others_page, coded, sizes, reached, tested = None, {}, None, None, 0
    if pool.tallies:
        others_page = glance(staged / "test.parquet")
        coded = coded_features(others_page)
        tested = len(others_page.digests) - len(strangers)
        test = others_page.sampled[others_page.sample < tested]
        sizes, reached = magnitudes(test), extents(test)
        others_page = replace(others_page, sampled=others_page.sampled[:0].copy())
    page = glance(staged / "train.parquet")
    people = pa.concat_arrays([train.written["person"], pool.written])
    found = [
        *classes_alike(classes),
        *called_as_missing(named_as_missing(people)),
        *one_of_several_spellings(numbers_written_twice(people), "person"),
        *one_of_several_spellings(numbers_written_twice(train.written["class"]), "class"),
        *same_persons(known, pool.tested, strangers),
        *same_rows(page, others_page, known, strangers),
        *nearly_same_rows(page, others_page, known, tested),
        *telling_features(page, train.features, train.codes, known),
        *codes_for_missing([coded_features(page), coded], train.features),
    ]
    if "test" in pool.tallies:
        empty = np.flatnonzero(pool.tallies["test"].all_missing())
        found += empty_in_test([train.features[at] for at in empty])
        # Where the test table names nobody, each person has at most as many rows there as here.
        people = len(pool.tested) or tested // max(_counted(who).values())
        beyond = beyond_everybody(page.sampled, known[page.sample], reached, people)
        found += in_another_unit(magnitudes(page.sampled), sizes, beyond, train.features)
    return [*found, *equal_neighbours(page, known)]


def _alike(a: pa.Array, b: pa.Array | None) -> tuple[pa.Array, pa.Array | None]:
    """Persons of two tables in one type, that of text if they differ."""
    if b is None or a.type == b.type:
        return a, b
    return a.cast(pa.string()), b.cast(pa.string())


def _write_rows(path: Path, **columns: pa.Array | np.ndarray) -> None:
    pq.write_table(pa.table(columns), path, compression="zstd")


def _counted(who: pa.Array) -> dict[str, int]:
    return {str(each["values"]): each["counts"] for each in pc.value_counts(who).to_pylist()}


def count_persons(inputs: Mapping[str, Path], params: Mapping[str, Any]) -> int:
    """How many persons have rows with a label in the training table, told apart as `run` does.

    Parameters and errors are those of `run`; of the errors, those about the persons' column.
    """
    found = (opened(inputs, name, params) for name in ("train", "test", "unlabelled"))
    train, *others = filter(None, found)
    layout = layout_of_train(
        train,
        **{name: params[name] for name in ("label", "group", "id")},
        ignored=ignored_columns((train, *others), params["ignore"]),
    )
    blocks = [block.texts for block in train.blocks([], [layout.group, layout.label])]
    text, labels = (
        pa.concat_arrays([texts[name] for texts in blocks]) for name in (layout.group, layout.label)
    )
    who = persons(train, layout.group, text, min_rows=params["min_rows_per_person"])
    if params.get("unlabelled") == "rows":
        who = who.filter(pa.array(~lacks_label(train, labels, params["classes"])))
    return pc.count_distinct(who).as_py()


def _reading(table: Table, layout: Layout, params: Mapping[str, Any]) -> list[str]:
    """What was found out of how a table is written, in words; nothing of a plain one."""
    notes, named = list(table.notes), params["label"] is not None
    if not named and table.counted and layout.id is not None:
        notes.append(
            f"the first column, {layout.id!r}, is taken for the index, "
            "as the one of pandas only counts the rows"
        )
    for index in layout.indices:
        became = "taken for the rows' id" if layout.id == index else "not read"
        if index == table.index:
            shown = f"the index {index!r}" if index else "the first column, without a name,"
            notes.append(f"{shown} is {became}")
        else:
            way = "call it otherwise" if index in RESET else "let another column come first"
            notes.append(
                f"{index!r} looks like an index that was saved along, and is {became}; if it is a "
                f"feature, {way}"
            )
    return notes


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
            "or name in data.classes only those that there are",
            column=column,
        )
    return {name: int(count) for name, count in zip(classes, counts, strict=True)}


def _names(layout: Layout, chosen: np.ndarray) -> list[str]:
    return [layout.features[at] for at in np.flatnonzero(chosen)]
