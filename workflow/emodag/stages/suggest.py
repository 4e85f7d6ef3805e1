"""Draw the trials of a round from the scores of those before."""

import json
from pathlib import Path

import numpy as np

from emodag.science.scores.resampling import estimate
from emodag.science.search import suggested
from emodag.science.tables.matrices import read_columns
from emodag.stages.held_out import held_out_counts
from ledger.context import Context, Inputs, Params
from ledger.errors import ConfigError


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `suggested.json`: `scores` of the trials before, by name, and `shares` of the next.

    Parameters
    ----------
    inputs : `rows`, labels and persons; of each trial before, by its name, the held-out rows.
    params : `before`, shares by trial; `choices`, `seed`, `round` and `trials` as
        `emodag.science.search.suggested` takes them; `seeds`; `folds` and `classes`, how many.

    Raises
    ------
    ConfigError
        When the environment lacks Optuna.
    """
    rows, before = read_columns(inputs["rows"]), params["before"]
    context.saw_labels_of(np.unique(rows["person"]).tolist())
    about = {name: params[name] for name in ("seeds", "folds", "classes")}
    scores = {n: estimate(held_out_counts(inputs[n], rows, **about)).value for n in before}
    try:
        shares = suggested(
            list(params["choices"].values()),
            np.array(list(before.values()), np.float64),
            np.array([scores[name] for name in before], np.float64),
            seed=params["seed"],
            number=params["round"],
            count=params["trials"],
        )
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"`search.sampler: tpe` needs the package {error.name!r}, and the environment "
            "'learners' has none. Give `environments.learners` the locks that config.yaml has for "
            "it, with `python: built`, or choose another sampler."
        ) from None
    found = {"scores": scores, "shares": shares.tolist()}
    (output / "suggested.json").write_text(json.dumps(found, indent=1) + "\n")
