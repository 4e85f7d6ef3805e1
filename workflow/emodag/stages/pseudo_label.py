"""Label the rows of the pool that the previous generation is sure of."""

import json
from pathlib import Path

import numpy as np

from emodag.science.pseudo_label import aligned, boosted, class_thresholds, normalised, select
from emodag.science.tables.matrices import (
    probability_columns,
    read_columns,
    read_probabilities,
    write_columns,
)
from emodag.science.tables.pool import held_out_rows, pool_rows
from emodag.science.temperature import tempered
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `pseudo_labels.parquet`: pool row (int32), label (`code_dtype`), confidence (float32).

    With `soft` also the probability of each class (float32), of which the confidence is the
    highest.

    Parameters
    ----------
    inputs : `probabilities` of the pool's rows, of the previous generation; `unlabelled`, see
        `emodag.science.tables.pool.pool_rows`; `temperature`, if the probabilities are calibrated
        before all else; with `align`, `rows`, labels and persons, and with a fold `folds`.
    params : `select`, see `class_thresholds`, if not by the threshold; `threshold` or `share`,
        where it asks for one; `boost`, one factor per class, applied before that; `align`, if the
        mean is to be the shares of classes among labelled rows, see `aligned`; `fold`, the one
        whose held-out people's rows of the pool are to stay without, if there may be such, and
        whose held-out rows have no say in those shares; its `kind`, with `align`; `soft`.
    """
    probabilities = read_probabilities(inputs["probabilities"])
    rows = pool_rows(len(probabilities), inputs, params.get("fold"))
    found = probabilities[rows]
    if "temperature" in inputs:
        found = tempered(found, json.loads(inputs["temperature"].read_text())["temperature"])
    found = boosted(found, params["boost"])
    if "align" in params:
        found = aligned(found, _shares(found.shape[1], inputs, params, context))
    if "soft" in params:
        found = normalised(found)
    least = params.get("threshold")
    if "select" in params:
        least = class_thresholds(found, params["select"], params.get("share", least))
    at, label, confidence = select(found, threshold=least)
    row = rows[at].astype(np.int32)
    if len(row) == 0:
        context.warn(
            f"no row to predict reaches a confidence of {np.min(least)}; the next generation "
            "learns from labelled rows alone. Lower `pseudo_labels.threshold` to change that."
        )
    columns = {"row": row, "label": label, "confidence": confidence}
    if "soft" in params:
        columns |= probability_columns(found[at])
    write_columns(output / "pseudo_labels.parquet", columns)


def _shares(classes: int, inputs: Inputs, params: Params, context: Context) -> np.ndarray:
    """The share of each class among the labelled rows that the model has learned from."""
    rows = read_columns(inputs["rows"])
    learnt = ~held_out_rows(len(rows["label"]), inputs, params)
    context.saw_labels_of(np.unique(rows["person"][learnt]).tolist())
    return np.bincount(rows["label"][learnt], minlength=classes) / learnt.sum()
