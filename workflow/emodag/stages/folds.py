"""Decide once which fold holds each training row."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from emodag.science.folds import (
    folds_of_others,
    group_folds,
    held_out,
    other_group_folds,
    person_folds,
    scikit_learn_group_folds,
    shuffled_folds,
)
from emodag.science.tables.matrices import read_columns, write_columns
from emodag.science.tables.table import listed
from ledger.context import Context, Inputs, Params

ASSIGNMENTS = {
    "stable": group_folds,
    "scikit_learn": scikit_learn_group_folds,
    "persons": person_folds,
}


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `folds.parquet`: columns `group_fold` and `row_fold`, int16, one row per training row.

    Further repeats have columns of their own, see `emodag.science.folds`. Where whose they are may
    be known of rows without a label, `unlabelled_folds.parquet` has the `group_fold` that holds out
    the person of each, test rows first, -1 for those whom none does: unknown persons, and persons
    without training rows.

    Parameters
    ----------
    inputs : `rows`, the table of labels and persons; `test_rows`, facts of test rows that may name
        persons; `unlabelled`, persons of unlabelled rows.
    params : `folds`, their number; `assignment`, who decides among persons of equal size, or
        ``persons`` for one each; `shuffle_seed`, of the plain KFold, one more for each repeat;
        `classes`, their names; `repeats`, if there are several.

    Raises
    ------
    InputError
        When there are fewer persons than folds, or too few for so many repeats.
    """
    rows = read_columns(inputs["rows"])
    folds, repeats = params["folds"], params.get("repeats", 1)
    first = ASSIGNMENTS[params["assignment"]](rows["person"], folds=folds)
    groups = [first, *other_group_folds(rows["person"], first, repeats=repeats)]
    table = {}
    for repeat, group in enumerate(groups):
        shuffled = shuffled_folds(len(group), folds=folds, seed=params["shuffle_seed"] + repeat)
        which = f"_{repeat}" if repeat else ""
        table[f"group_fold{which}"] = group + np.int16(repeat * folds)
        table[f"row_fold{which}"] = shuffled + np.int16(repeat * folds)
    for fold in range(folds * repeats):
        training = ~held_out(table, "group_fold", fold)
        _warn_of_unseen_classes(rows, training, params["classes"], fold, context)
    write_columns(output / "folds.parquet", table)
    others = [read_columns(inputs[name]) for name in ("test_rows", "unlabelled") if name in inputs]
    if others:
        who, known = np.concatenate([_persons(each) for each in others]), _persons(rows)
        columns = {
            name: folds_of_others(who, known, group)
            for name, group in table.items()
            if name.startswith("group_fold")
        }
        write_columns(output / "unlabelled_folds.parquet", columns)


def _persons(rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """Each row's person as text, which numbers in one table and text in the other have in common.

    "" where nobody knows.
    """
    unknown = np.full(len(next(iter(rows.values()))), "")
    who = rows.get("person", rows.get("known_person", unknown))
    return np.array([*map(str, who.tolist())], object)


def _warn_of_unseen_classes(
    rows: Mapping[str, np.ndarray],
    training: np.ndarray,
    classes: list[str],
    fold: int,
    context: Context,
) -> None:
    seen = set(rows["label"][training].tolist())
    unseen = [code for code in range(len(classes)) if code not in seen]
    if len(unseen) == 1:
        persons = sorted(set(rows["person"][rows["label"] == unseen[0]].tolist()))
        context.warn(
            f"fold {fold} trains without class {classes[unseen[0]]!r}: all who show it "
            f"({', '.join(map(str, persons))}) are held out together"
        )
    elif unseen:
        names = listed([classes[code] for code in unseen])
        context.warn(
            f"fold {fold} trains without {len(unseen)} classes ({names}): all who show one of them "
            "are held out together"
        )
