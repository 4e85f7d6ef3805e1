"""Raw tables in, typed and validated Parquet out, with a record of what was odd in them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emodag.science.tables.ingest import Layout, ignored_columns, layout_of_train
from emodag.science.tables.row_facts import (
    lacks_label,
    named_as_missing,
    numbers_written_twice,
    persons,
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
from emodag.science.tables.table import SAVED_INDEX, Table
from emodag.stages.columns import layouts_of, told_columns, told_reading
from emodag.stages.pool import Pool, counted, read_pool, write_rows
from emodag.stages.reading import opened, require_rows
from emodag.stages.training_table import Training, chosen_names, read_training
from ledger.context import Context, Inputs, Params
from ledger.errors import ConfigError

_POLICIES = ("missing", "infinite", "all_missing", "constant")


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Read the tables and write them as float64 features and row facts.

    Writes `train.parquet` (features only, NaN where missing), `train_rows.parquet` (id, label as a
    class code, person) and `quality.json`, whose `warnings` tell what makes a score lie, see
    `emodag.science.tables.suspicions`. Where there is a pool also `test.parquet`, features of the
    test rows and then of the unlabelled ones, in the training table's order; `test_rows.parquet`
    (id, and person where it is known; where it is of some, `known_person`, text, "" for the others)
    for a test table, `unlabelled_rows.parquet` (person) for
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
    layouts = layouts_of(tables, params, ignored)
    layout = layouts["train"]
    special = (layout.id, layout.label, layout.group)  # which no pattern can ignore
    reading = {name: told_reading(tables[name], layouts[name], params) for name in tables}
    for name, told in reading.items():
        plain = len(tables[name].notes)
        for tell, notes in ((context.note, told[:plain]), (context.warn, told[plain:])):
            if notes:
                tell(f"{tables[name].path}: {'; '.join(notes)}")
    columns: dict[str, Any] = {}
    for name in [*tables][1:]:
        columns |= told_columns(name, tables, layouts, ignored, context)
    with TemporaryDirectory(dir=output, prefix=".") as scratch:
        staged = Path(scratch)
        train = read_training(tables, layout, params, staged, context)
        pool = read_pool(tables, layouts, train, params, staged, context)
        who, others = _alike(train.persons, pool.unlabelled)
        if "needs_persons" in params:
            _require_rows(tables, layouts, who, others, context)
        write_rows(staged / "train_rows.parquet", id=train.ids, label=train.codes, person=who)
        if others is not None:
            write_rows(staged / "unlabelled_rows.parquet", person=others)
        warnings = _suspicions(train, pool, who, others, staged, params["classes"])
        if "presumed" in params:
            written = train.written["class"].to_pylist()
            warnings = presumed_classes(written, params["classes"]) + warnings
        for warning in warnings:
            context.warn(warning)
        tally, tallies = train.tally, {"train": train.tally, **pool.tallies}
        saved = {name for known in layouts.values() for name in known.indices}
        indices = sorted(name for name in saved if not SAVED_INDEX.fullmatch(name))
        quality = {
            "warnings": warnings,
            "rows": {name: found.rows for name, found in tallies.items()},
            "features": len(train.features),
            "features_read": len(layout.features),
            "cells": {
                name: found.record(layout.features if name == "train" else train.features)
                for name, found in tallies.items()
            },
            "all_missing_columns": chosen_names(layout, tally.all_missing()),
            "constant_columns": chosen_names(layout, tally.constant()),
            "dropped_columns": chosen_names(layout, ~train.kept),
            "duplicate_columns": [
                [layout.features[at] for at in group] for group in tally.duplicates(train.kept)
            ],
            "class_counts": train.class_counts,
            "rows_per_person": counted(train.persons),
            "ignored_columns": sorted(ignored - {"", *special}),  # ""  may be in the metadata only
            **columns,
            **({"indices": indices} if indices else {}),
            "reading": reading,
            "policies": {name: params[name] for name in _POLICIES},
        }
        if pool.tested_rows:
            quality["test_rows_per_person"] = pool.tested_rows
        if pool.unlabelled is not None:
            quality["unlabelled_rows_per_person"] = counted(pool.unlabelled)
        text = json.dumps(quality, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        (staged / "quality.json").write_text(text, encoding="utf-8", newline="\n")
        for file in sorted(staged.iterdir()):
            file.replace(output / file.name)


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
    train: Training,
    pool: Pool,
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
        people = len(pool.tested) or tested // max(counted(who).values())
        beyond = beyond_everybody(page.sampled, known[page.sample], reached, people)
        found += in_another_unit(magnitudes(page.sampled), sizes, beyond, train.features)
    return [*found, *equal_neighbours(page, known)]


def _alike(a: pa.Array, b: pa.Array | None) -> tuple[pa.Array, pa.Array | None]:
    """Persons of two tables in one type, that of text if they differ."""
    if b is None or a.type == b.type:
        return a, b
    return a.cast(pa.string()), b.cast(pa.string())


def count_persons(inputs: Inputs, params: Params) -> int:
    """How many persons have rows with a label in the training table, told apart as `run` does.

    Parameters and errors are those of `run`; of the errors, those about the persons' column.
    """
    found = (opened(inputs, name, params) for name in ("train", "test", "unlabelled"))
    train, *others = filter(None, found)
    layout = layout_of_train(train, params, ignored_columns((train, *others), params["ignore"]))
    blocks = [block.texts for block in train.blocks([], [layout.group, layout.label])]
    text, labels = (
        pa.concat_arrays([texts[name] for texts in blocks]) for name in (layout.group, layout.label)
    )
    who = persons(train, layout.group, text, min_rows=params["min_rows_per_person"])
    if params.get("unlabelled") == "rows":
        who = who.filter(pa.array(~lacks_label(train, labels, params["classes"])))
    return pc.count_distinct(who).as_py()
