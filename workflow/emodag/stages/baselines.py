"""Collect the scores of the baselines under both schemes."""

import csv
import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.folds import held_out
from emodag.science.scores.person_scores import fold_confusions, summary
from emodag.science.tables.matrices import read_columns, read_probabilities
from emodag.stages.scores import LeakageError
from ledger.context import Context

COLUMNS = (
    "env",
    "seed",
    "baseline",
    "scheme",
    "macro_f1",
    "macro_f1_sd",
    "macro_f1_low",
    "macro_f1_high",
    "macro_f1_pooled",
    "accuracy",
    "imbalance",
    "n_pseudo",
)


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write `baselines.csv`, a row per baseline and scheme.

    `macro_f1` is the mean over folds, `macro_f1_sd` their standard deviation, `macro_f1_low` and
    `macro_f1_high` the ends of its 95 % interval over persons, `macro_f1_pooled` that of all
    rows at once; `accuracy` is of all rows, `n_pseudo` summed over folds. What a model took differs
    between two runs of the same computation, so it is left to `python -m emodag cost`.

    Parameters
    ----------
    inputs : `rows`, labels and persons; `folds`; and for each entry of `fits` its
        `validation.parquet` and `fit.json`, by its role.
    params : `env`, `seed`, `classes` and `folds`, how many; `fits`, a list of objects with `role`,
        `baseline`, `scheme` and `fold`, folds of one model in a row.

    Raises
    ------
    LeakageError
        When a model has seen labels of a person whom ``group_kfold`` scores it on.
    """
    rows, folds = read_columns(inputs["rows"]), read_columns(inputs["folds"])
    with (output / "baselines.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for (name, scheme), found in groupby(
            params["fits"], key=lambda fit: (fit["baseline"], fit["scheme"])
        ):
            fits = list(found)
            if scheme == "group_kfold":
                for fit in fits:
                    scored = held_out(folds, "group_fold", fit["fold"])
                    _check(fit["role"], rows["person"][scored], context)
            facts = [json.loads(inputs[f"{fit['role']}/fit.json"].read_text()) for fit in fits]
            about = {"env": params["env"], "seed": params["seed"], "baseline": name}
            about |= {"scheme": scheme, "imbalance": facts[0]["imbalance"]}
            about["n_pseudo"] = sum(each["n_pseudo"] for each in facts)
            writer.writerow(about | _scores(inputs, params, rows, fits))


def _scores(
    inputs: Mapping[str, Path],
    params: Mapping[str, Any],
    rows: Mapping[str, np.ndarray],
    fits: Sequence[Mapping[str, Any]],
) -> dict[str, float]:
    """The scores of one model under one scheme, on the rows that its fits held out."""
    paths = [inputs[f"{fit['role']}/validation.parquet"] for fit in fits]
    held = [read_columns(path)["row"] for path in paths]
    fold = np.repeat([fit["fold"] for fit in fits], [len(part) for part in held])
    predicted = np.concatenate([read_probabilities(path).argmax(axis=1) for path in paths])
    row, person = np.concatenate(held), np.unique(rows["person"], return_inverse=True)[1]
    sizes = {"folds": params["folds"], "classes": params["classes"]}
    found = summary(fold_confusions(rows["label"][row], predicted, fold, person[row], **sizes))
    return {
        "macro_f1": found.macro_f1,
        "macro_f1_sd": found.sd,
        "macro_f1_low": found.low,
        "macro_f1_high": found.high,
        "macro_f1_pooled": found.pooled,
        "accuracy": found.accuracy,
    }


def _check(role: str, persons: np.ndarray, context: Context) -> None:
    """Make sure that a model has seen no label of those it is scored on, a person for each row."""
    seen = context.labels_seen[f"{role}/validation.parquet"]
    leaked = sorted(seen.intersection(map(str, np.unique(persons).tolist())))
    if leaked:
        raise LeakageError(
            f"{role}: the model has seen labels of {', '.join(leaked)}, whom it is scored on."
        )
