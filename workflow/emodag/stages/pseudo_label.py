"""Label the test rows that the previous generation is sure of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emodag.context import Context
from emodag.science import planted
from emodag.science.matrices import read_probabilities, write_columns
from emodag.science.pseudo_label import boosted, reaches, select


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write `pseudo_labels.parquet`: test row (int32), label (`code_dtype`), confidence (float32).

    Parameters
    ----------
    inputs : `probabilities` of the test rows, of the previous generation.
    params : `threshold`; `boost`, one factor per class, applied before the threshold;
        `planted`, if the comparison is to be that of `emodag.science.planted`.
    """
    probabilities = read_probabilities(inputs["probabilities"])
    row, label, confidence = select(
        boosted(probabilities, np.array(params["boost"], np.float64)),
        threshold=params["threshold"],
        reaches=planted.threshold if "planted" in params else reaches,
    )
    if len(row) == 0:
        context.warn(
            f"no test row reaches a confidence of {params['threshold']}; the next generation "
            "learns from labelled rows alone. Lower `pseudo_labels.threshold` to change that."
        )
    write_columns(
        output / "pseudo_labels.parquet", {"row": row, "label": label, "confidence": confidence}
    )
