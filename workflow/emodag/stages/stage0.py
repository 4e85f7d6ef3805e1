"""Train the paper's leaky baseline: one fold of a KFold that ignores who a row belongs to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.folds import held_out
from emodag.science.tables.matrices import read_columns
from emodag.stages.fitting import Rows, fit_and_write, randomness_of, read_features
from ledger.context import Context


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write the fit's files and `validation.parquet`.

    Parameters
    ----------
    inputs : `train` and `test`, scaled features; `rows`, labels and persons; `folds`; see also
        `randomness_of`.
    params : `seed`, `randomness`, `fold`, `kind`, `classes`, `model`, `training`.
    """
    rows = read_columns(inputs["rows"])
    labels = rows["label"]
    is_valid = held_out(read_columns(inputs["folds"]), params["kind"], params["fold"])
    train, valid = np.flatnonzero(~is_valid), np.flatnonzero(is_valid)
    # The epoch it reports is chosen on the held-out rows, so it has seen every label.
    context.saw_labels_of(rows["person"].tolist())
    with randomness_of(inputs, params, output, "stage0", 0, params["fold"]) as randomness:
        fit_and_write(
            read_features(inputs, context),
            Rows(train=train, train_labels=labels[train], valid=valid, valid_labels=labels[valid]),
            params,
            randomness,
            output,
            context,
            watches=True,
            reports_best_epoch=True,
        )
