"""Collect the cross-validated scores of every stage, generation and fold."""

import csv
import json
from pathlib import Path

import numpy as np

from emodag.science.folds import held_out
from emodag.science.tables.matrices import read_columns
from ledger.context import Context, Inputs, Params
from ledger.errors import UserError

COLUMNS = (
    "env",
    "protocol",
    "seed",
    "stage",
    "fold",
    "macro_f1",
    "macro_f1_last_epoch",
    "accuracy_last_epoch",
    "n_train",
    "n_pseudo",
    "n_valid",
)


class LeakageError(UserError):
    """A model that claims to be leak-free has seen the labels it is scored on."""


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `scores.csv`, one row per fit that held rows out.

    `macro_f1` is what the protocol reports: the best epoch's under `published`, the last epoch's
    under `nested`. The last epoch's weights are the ones used further.

    Parameters
    ----------
    inputs : `rows`, labels and persons; `folds`; and one role per entry of `fits`: its `fit.json`.
    params : `fits`, a list of objects with `role`, `leak_free`, and the first five columns.

    Raises
    ------
    LeakageError
        When a leak-free fit's lineage holds a person of its validation fold.
    """
    persons = read_columns(inputs["rows"])["person"]
    folds = read_columns(inputs["folds"])
    with (output / "scores.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        for entry in params["fits"]:
            if entry["leak_free"]:
                scored = np.unique(persons[held_out(folds, "group_fold", entry["fold"])])
                refuse_leaks(entry["role"], scored.tolist(), context.labels_seen[entry["role"]])
            facts = json.loads(inputs[entry["role"]].read_text())
            facts["accuracy_last_epoch"] = facts["accuracy"]
            writer.writerow({**entry, **facts})


def refuse_leaks(role: str, scored: list, seen: frozenset[str]) -> None:
    """Raise `LeakageError` if a model has seen labels of anybody whom it is scored on."""
    leaked = sorted(seen.intersection(map(str, scored)))
    if leaked:
        raise LeakageError(
            f"{role}: the model has seen labels of {', '.join(leaked)}, whom it is scored on. Its "
            "score is not leak-free and is not reported."
        )
