"""Have variants vote: on the rows that each has held out, and on the test rows."""

import json
from pathlib import Path

import numpy as np

from emodag.science.tables.matrices import (
    probability_columns,
    read_columns,
    read_probabilities,
    write_columns,
)
from emodag.science.voting import hard_vote, hill_climbing, soft_vote
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write what `emodag.stages.held_out` does, of the vote, and `weights.json`.

    Weights that are found on labels are found for each fold on the persons of all others, so those
    whom a vote is scored on have no say in it; the test rows get weights found on everybody.

    Parameters
    ----------
    inputs : `rows`, labels and persons; `<member>/held_out` and, with a test table,
        `<member>/answers`.
    params : `members`, names of variants; `weights`, ``equal``, ``vote`` or ``hill_climbing``;
        `folds` in a repeat.
    """
    rows, names = read_columns(inputs["rows"]), params["members"]
    tables = [inputs[f"{name}/held_out"] for name in names]
    about = {name: read_columns(tables[0])[name] for name in ("seed", "fold", "row")}
    members = np.stack(list(map(read_probabilities, tables)))
    weights: dict[str, dict[str, float]] = {}

    def voted(what: str, asked: np.ndarray, learnt: np.ndarray) -> np.ndarray:
        """The vote on (members, n, classes) `asked`, weighed by the held-out rows `learnt`."""
        each = np.full(len(names), 1 / len(names))
        if params["weights"] == "hill_climbing":
            each = hill_climbing(members[:, learnt], rows["label"][about["row"][learnt]])
        weights[what] = dict(zip(names, each.tolist(), strict=True))
        return hard_vote(asked) if params["weights"] == "vote" else soft_vote(asked, each)

    found = np.empty(members.shape[1:], np.float32)
    for seed in np.unique(about["seed"]).tolist():
        of_seed = about["seed"] == seed
        for fold in np.unique(about["fold"]).tolist():
            at = of_seed & (about["fold"] == fold)
            # The other folds of its repeat: each other person, once.
            repeat = about["fold"] // params["folds"] == fold // params["folds"]
            others = of_seed & repeat & (about["fold"] != fold)
            found[at] = voted(f"seed {seed}, fold {fold}", members[:, at], others)
    write_columns(output / "held_out.parquet", {**about, **probability_columns(found)})
    if f"{names[0]}/answers" in inputs:
        tests = [inputs[f"{name}/answers"] for name in names]
        of_test = read_columns(tests[0])["seed"]
        tested = np.stack(list(map(read_probabilities, tests)))
        answer = np.empty(tested.shape[1:], np.float32)
        for seed in np.unique(of_test).tolist():
            first = (about["seed"] == seed) & (about["fold"] < params["folds"])
            at = of_test == seed
            answer[at] = voted(f"seed {seed}, test", tested[:, at], first)
        write_columns(output / "answers.parquet", {"seed": of_test, **probability_columns(answer)})
    (output / "weights.json").write_text(json.dumps(weights, indent=1) + "\n")
    if params["weights"] == "hill_climbing":
        context.saw_labels_of(np.unique(rows["person"]).tolist())
