"""Train generation 0 on labelled rows alone, predict the pool, and score it on a fold's persons."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.folds import held_out, parted
from emodag.science.tables.matrices import read_columns
from emodag.stages.fitting import (
    Rows,
    fit_and_write,
    groups_of,
    randomness_of,
    read_features,
    write_test_probabilities,
)
from ledger.context import Context


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write the fit's files and, where there is a pool, `test.parquet`, its class probabilities.

    Parameters
    ----------
    inputs : `train` and `test`, scaled features; `rows`, labels and persons; with a fold, `folds`;
        see also `randomness_of` and `groups_of`.
    params : `seed`, `randomness`; `fold`, whose rows to leave out, or null to learn from all, and
        its `kind`; `inner`, if others are to be left out and predicted as well, see `parted`;
        `classes`, `model`, `training`.
    """
    rows = read_columns(inputs["rows"])
    labels, persons = rows["label"], rows["person"]
    is_valid = np.zeros(len(labels), bool)
    if params["fold"] is not None:
        is_valid = held_out(read_columns(inputs["folds"]), params["kind"], params["fold"])
    train, valid = parted(persons, labels, is_valid, inner="inner" in params)
    context.saw_labels_of(persons[train].tolist())
    x, groups = read_features(inputs, context), groups_of(inputs, params)
    chosen = Rows(train=train, train_labels=labels[train], valid=valid, valid_labels=labels[valid])
    with randomness_of(inputs, params, output, "teacher", 0, params["fold"]) as randomness:
        network = fit_and_write(
            x,
            replace(chosen, groups=groups),
            params,
            randomness,
            output,
            context,
            watches=False,
        )
        if "test" in inputs:
            path = output / "test.parquet"
            write_test_probabilities(network, x, len(labels), groups, randomness, path)
