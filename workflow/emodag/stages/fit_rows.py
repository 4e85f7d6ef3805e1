"""The rows of a fit, whatever is fitted: those it learns from, and what it says of others."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.folds import parted
from emodag.science.pseudo_label import repeated
from emodag.science.scores.scoring import held_out_scores
from emodag.science.seeds import generator
from emodag.science.tables.matrices import (
    probability_columns,
    read_columns,
    stacked_probabilities,
    write_columns,
)
from emodag.science.tables.pool import held_out_rows
from ledger.context import Context, Inputs, Params


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Which rows of the matrix to train on and which to score, with their classes.

    Attributes
    ----------
    train, train_labels : (m,) row numbers and class codes.
    valid, valid_labels : the same for the held-out rows, of which there may be none.
    labelled : how many rows there are with a label; those of the pool follow them.
    pseudo : how many of the training rows carry pseudo-labels; they are the last ones.
    soft : (pseudo, classes) float32, the probabilities to learn from in their place, if any.
    """

    train: np.ndarray
    train_labels: np.ndarray
    valid: np.ndarray
    valid_labels: np.ndarray
    labelled: int
    pseudo: int = 0
    soft: np.ndarray | None = None


def rows_of_fit(
    inputs: Inputs,
    params: Params,
    context: Context,
    *fit: str | int | None,
    sees_held_out: bool = False,
) -> Rows:
    """The rows of the fit called `fit`; tells `context` whose labels it sees.

    Parameters
    ----------
    inputs : `rows`, labels and persons; with a fold, `folds`; for a student `pseudo_labels`, rows
        of the pool with labels and, if those are to be learned from, with probabilities.
    params : `fold`, whose rows to leave out, or null to learn from all, and its `kind`; `inner`, if
        others are to be left out and predicted as well, see `parted`; `control`, if labelled rows
        are to be learned again, as many as there are pseudo-labels, in place of these; `seed`.
    sees_held_out : whether the labels of the held-out rows have a say, too.
    """
    rows = read_columns(inputs["rows"])
    labels, persons = rows["label"], rows["person"]
    is_valid = held_out_rows(len(labels), inputs, params)
    train, valid = parted(persons, labels, is_valid, inner="inner" in params)
    context.saw_labels_of(np.unique(persons[train]).tolist())
    if sees_held_out:
        context.saw_labels_of(np.unique(persons[valid]).tolist())
    pseudo = read_columns(inputs["pseudo_labels"]) if "pseudo_labels" in inputs else None
    if "control" in params:
        draws = generator(params["seed"], *fit, "control")
        train = np.concatenate([train, repeated(train, len(pseudo["row"]), draws)])
        pseudo = None
    found = {"valid": valid, "valid_labels": labels[valid], "labelled": len(labels)}
    if pseudo is None:
        return Rows(train=train, train_labels=labels[train], **found)
    return Rows(
        train=np.concatenate([train, len(labels) + pseudo["row"]]),
        train_labels=np.concatenate([labels[train], pseudo["label"]]),
        pseudo=len(pseudo["row"]),
        soft=stacked_probabilities(pseudo) if "p0" in pseudo else None,
        **found,
    )


def write_held_out(output: Path, rows: Rows, said: np.ndarray, **facts: Any) -> None:
    """Write `validation.parquet`, rows and probabilities, and `fit.json`, counts and scores.

    Parameters
    ----------
    said : (v, classes) float32 probabilities of the held-out rows.
    facts : what else `fit.json` says, or says otherwise.
    """
    write_columns(
        output / "validation.parquet",
        {"row": rows.valid.astype(np.int32), **probability_columns(said)},
    )
    counts = {"n_train": len(rows.train) - rows.pseudo, "n_pseudo": rows.pseudo}
    facts = {**counts, **held_out_scores(rows.valid_labels, said), **facts}
    (output / "fit.json").write_text(json.dumps(facts, sort_keys=True, indent=1) + "\n")
