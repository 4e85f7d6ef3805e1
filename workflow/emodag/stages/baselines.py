"""Collect the scores of the baselines under both schemes."""

import csv
import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from emodag.context import Context
from emodag.science.matrices import read_columns, read_probabilities
from emodag.science.person_scores import fold_confusions, summary
from emodag.stages.baseline import FOLD_COLUMNS
from emodag.stages.scores import LeakageError

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
    `macro_f1_high` the 95 % interval of a bootstrap over persons, `macro_f1_pooled` that of all
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
    person = np.unique(rows["person"], return_inverse=True)[1]
    with (output / "baselines.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for (name, scheme), fits in groupby(
            params["fits"], key=lambda fit: (fit["baseline"], fit["scheme"])
        ):
            fold = folds[FOLD_COLUMNS[scheme]]
            predicted = np.full(len(fold), -1, np.int64)
            facts = []
            for fit in fits:
                path = inputs[f"{fit['role']}/validation.parquet"]
                facts.append(json.loads(inputs[f"{fit['role']}/fit.json"].read_text()))
                if scheme == "group_kfold":
                    held_out = np.unique(rows["person"][fold == fit["fold"]])
                    _check(f"{fit['role']}/validation.parquet", held_out, context)
                predicted[read_columns(path)["row"]] = read_probabilities(path).argmax(axis=1)
            counts = fold_confusions(
                rows["label"],
                predicted,
                fold,
                person,
                folds=params["folds"],
                classes=params["classes"],
            )
            found = summary(counts)
            writer.writerow(
                {
                    "env": params["env"],
                    "seed": params["seed"],
                    "baseline": name,
                    "scheme": scheme,
                    "macro_f1": found.macro_f1,
                    "macro_f1_sd": found.sd,
                    "macro_f1_low": found.low,
                    "macro_f1_high": found.high,
                    "macro_f1_pooled": found.pooled,
                    "accuracy": found.accuracy,
                    "imbalance": facts[0]["imbalance"],
                    "n_pseudo": sum(each["n_pseudo"] for each in facts),
                }
            )


def _check(role: str, held_out: np.ndarray, context: Context) -> None:
    leaked = sorted(context.labels_seen[role].intersection(map(str, held_out.tolist())))
    if leaked:
        raise LeakageError(
            f"{role}: the model has seen labels of {', '.join(leaked)}, whom it is scored on."
        )
