"""Decide once which fold holds each training row."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emodag.context import Context
from emodag.science.folds import (
    folds_of_others,
    group_folds,
    scikit_learn_group_folds,
    shuffled_folds,
)
from emodag.science.matrices import read_columns, write_columns

ASSIGNMENTS = {"stable": group_folds, "scikit_learn": scikit_learn_group_folds}


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write `folds.parquet`: columns `group_fold` and `row_fold`, int16, one row per training row.

    Where there are unlabelled rows, `unlabelled_folds.parquet` has the `group_fold` that holds out
    the person of each, -1 for persons without training rows, whom none does.

    Parameters
    ----------
    inputs : `rows`, the table of labels and persons; `unlabelled`, persons of unlabelled rows.
    params : `folds`, their number; `assignment`, who decides among persons of equal size;
        `shuffle_seed`, of the plain KFold; `classes`, their names.

    Raises
    ------
    InputError
        When there are fewer persons than folds.
    """
    rows = read_columns(inputs["rows"])
    folds = params["folds"]
    group = ASSIGNMENTS[params["assignment"]](rows["person"], folds=folds)
    for fold in range(folds):
        _warn_of_unseen_classes(rows, group != fold, params["classes"], fold, context)
    write_columns(
        output / "folds.parquet",
        {
            "group_fold": group,
            "row_fold": shuffled_folds(len(group), folds=folds, seed=params["shuffle_seed"]),
        },
    )
    if "unlabelled" in inputs:
        others = read_columns(inputs["unlabelled"])["person"]
        columns = {"group_fold": folds_of_others(others, rows["person"], group)}
        write_columns(output / "unlabelled_folds.parquet", columns)


def _warn_of_unseen_classes(
    rows: Mapping[str, np.ndarray],
    training: np.ndarray,
    classes: list[str],
    fold: int,
    context: Context,
) -> None:
    seen = set(rows["label"][training].tolist())
    for code, name in enumerate(classes):
        if code not in seen:
            persons = sorted(set(rows["person"][rows["label"] == code].tolist()))
            context.warn(
                f"fold {fold} trains without class {name!r}: all who show it "
                f"({', '.join(map(str, persons))}) are held out together"
            )
