"""Train generation 0 on labelled rows alone, and predict the test rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.folds import held_out
from emodag.science.tables.matrices import read_columns
from emodag.stages.fitting import (
    Rows,
    fit_and_write,
    randomness_of,
    read_features,
    write_test_probabilities,
)
from ledger.context import Context


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write the fit's files and `test.parquet`, the test rows' class probabilities.

    Parameters
    ----------
    inputs : `train` and `test`, scaled features; `rows`, labels and persons; with a fold, `folds`;
        see also `randomness_of`.
    params : `seed`, `randomness`; `fold`, whose training persons to learn from, or null for all
        labelled rows; `classes`, `model`, `training`.
    """
    rows = read_columns(inputs["rows"])
    labels, persons = rows["label"], rows["person"]
    train = np.arange(len(labels))
    if params["fold"] is not None:
        folds = read_columns(inputs["folds"])
        train = np.flatnonzero(~held_out(folds, "group_fold", params["fold"]))
    context.saw_labels_of(persons[train].tolist())
    x = read_features(inputs, context)
    with randomness_of(inputs, params, output, "teacher", 0, params["fold"]) as randomness:
        rows = Rows(train=train, train_labels=labels[train])
        network = fit_and_write(x, rows, params, randomness, output, context)
        write_test_probabilities(network, x, len(labels), randomness, output / "test.parquet")
