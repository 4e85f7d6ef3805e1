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
    labels = read_columns(inputs["rows"])["label"]
    tables = [inputs[f"{member}/held_out"] for member in params["members"]]
    about = {name: read_columns(tables[0])[name] for name in ("seed", "fold", "row")}
    members = np.stack([read_probabilities(table) for table in tables])
    found = np.empty(members.shape[1:], np.float32)
    weights: dict[str, dict[str, float]] = {}
    for seed in np.unique(about["seed"]).tolist():
        of_seed = about["seed"] == seed
        for fold in np.unique(about["fold"]).tolist():
            at = of_seed & (about["fold"] == fold)
            # The other folds of its repeat: each other person, once.
            repeat = about["fold"] // params["folds"] == fold // params["folds"]
            others = of_seed & repeat & (about["fold"] != fold)
            each = _weights(params, members[:, others], labels[about["row"][others]])
            found[at] = _vote(params, members[:, at], each)
            weights[f"seed {seed}, fold {fold}"] = _named(params, each)
    write_columns(output / "held_out.parquet", {**about, **probability_columns(found)})
    if f"{params['members'][0]}/answers" in inputs:
        tests = [inputs[f"{member}/answers"] for member in params["members"]]
        of_test, tested = (
            read_columns(tests[0])["seed"],
            np.stack(list(map(read_probabilities, tests))),
        )
        answer = np.empty(tested.shape[1:], np.float32)
        for seed in np.unique(of_test).tolist():
            first = (about["seed"] == seed) & (about["fold"] < params["folds"])
            each = _weights(params, members[:, first], labels[about["row"][first]])
            at = of_test == seed
            answer[at] = _vote(params, tested[:, at], each)
            weights[f"seed {seed}, test"] = _named(params, each)
        write_columns(output / "answers.parquet", {"seed": of_test, **probability_columns(answer)})
    text = json.dumps(weights, indent=1)
    (output / "weights.json").write_text(text + "\n")
    if params["weights"] == "hill_climbing":
        context.saw_labels_of(np.unique(read_columns(inputs["rows"])["person"]).tolist())


def _weights(params: Params, members: np.ndarray, labels: np.ndarray) -> np.ndarray:
    if params["weights"] == "hill_climbing":
        return hill_climbing(members, labels)
    return np.full(len(members), 1 / len(members))


def _vote(params: Params, members: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return hard_vote(members) if params["weights"] == "vote" else soft_vote(members, weights)


def _named(params: Params, weights: np.ndarray) -> dict[str, float]:
    return dict(zip(params["members"], weights.tolist(), strict=True))
