"""Label the rows of the pool that the previous generation is sure of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.pseudo_label import boosted, select
from emodag.science.tables.matrices import read_probabilities, write_columns
from emodag.science.tables.pool import pool_rows
from ledger.context import Context


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write `pseudo_labels.parquet`: pool row (int32), label (`code_dtype`), confidence (float32).

    Parameters
    ----------
    inputs : `probabilities` of the pool's rows, of the previous generation; `unlabelled`, see
        `emodag.science.tables.pool.pool_rows`.
    params : `threshold`; `boost`, one factor per class, applied before the threshold; `fold`, the
        one whose held-out people's unlabelled rows are to stay without, if there are such rows.
    """
    probabilities = read_probabilities(inputs["probabilities"])
    rows = pool_rows(len(probabilities), inputs, params.get("fold"))
    at, label, confidence = select(
        boosted(probabilities[rows], params["boost"]),
        threshold=params["threshold"],
    )
    row = rows[at].astype(np.int32)
    if len(row) == 0:
        context.warn(
            f"no row to predict reaches a confidence of {params['threshold']}; the next generation "
            "learns from labelled rows alone. Lower `pseudo_labels.threshold` to change that."
        )
    write_columns(
        output / "pseudo_labels.parquet", {"row": row, "label": label, "confidence": confidence}
    )
