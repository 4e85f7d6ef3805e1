"""Have the baselines vote on the rows that one fold holds out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.baselines.voting import hard_vote, soft_vote
from emodag.science.tables.matrices import read_columns, read_probabilities
from emodag.stages.baseline import write_fold
from ledger.context import Context

VOTES = {"soft_voting": soft_vote, "hard_voting": hard_vote}


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write what `emodag.stages.baseline` does, for a vote of several baselines.

    Parameters
    ----------
    inputs : `rows`, labels and persons; and one role per member: its `validation.parquet`.
    params : `baseline`, ``soft_voting`` or ``hard_voting``; `members`, the names of who votes.
    """
    labels = read_columns(inputs["rows"])["label"]
    paths = [inputs[member] for member in params["members"]]
    valid = read_columns(paths[0])["row"]
    voted = VOTES[params["baseline"]](np.stack([read_probabilities(path) for path in paths]))
    facts = {
        "baseline": params["baseline"],
        "members": params["members"],
        "n_pseudo": 0,
        "imbalance": "as each member",
    }
    write_fold(output, valid, labels[valid], voted, facts)
