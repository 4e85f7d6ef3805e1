"""Train a student on labelled and pseudo-labelled rows; score it on the fold's held-out persons."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.folds import held_out
from emodag.science.pseudo_label import repeated
from emodag.science.seeds import generator
from emodag.science.tables.matrices import read_columns, stacked_probabilities
from emodag.stages.fitting import (
    Rows,
    fit_and_write,
    groups_of,
    randomness_of,
    read_features,
    write_test_probabilities,
)
from ledger.context import Context


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write the fit's files, `validation.parquet` and, where there is a pool, `test.parquet`.

    The paper's students halve their learning rate when the validation F1 stops rising and report
    their best epoch: they see the held-out labels, and the manifest says so. A leak-free student
    follows a fixed schedule and reports its last epoch.

    Parameters
    ----------
    inputs : `train` and `test`, scaled features; `rows`, labels and persons; `folds`;
        `pseudo_labels`, rows of the pool with labels and, if those are to be learned from, with
        probabilities; without a pool neither `test` nor these; see also `randomness_of` and
        `groups_of`.
    params : `seed`, `randomness`, `generation`, `fold` and its `kind`, `classes`, `model`,
        `training`; `control`, if labelled rows are to be learned again, as many as there are
        pseudo-labels, in place of these.
    """
    rows = read_columns(inputs["rows"])
    labels, persons = rows["label"], rows["person"]
    is_valid = held_out(read_columns(inputs["folds"]), params["kind"], params["fold"])
    train, valid = np.flatnonzero(~is_valid), np.flatnonzero(is_valid)
    watches_validation = "patience" in params["training"]["schedule"]
    context.saw_labels_of(persons[train].tolist())
    if watches_validation:
        context.saw_labels_of(persons[valid].tolist())
    x, groups = read_features(inputs, context), groups_of(inputs, params)
    name = ("student", params["generation"], params["fold"])
    pseudo = read_columns(inputs["pseudo_labels"]) if "pseudo_labels" in inputs else None
    if "control" in params:
        draws = generator(params["seed"], *name, "control")
        again = repeated(train, len(pseudo["row"]), draws)
        train, pseudo = np.concatenate([train, again]), None
    chosen = Rows(train=train, train_labels=labels[train], valid=valid, valid_labels=labels[valid])
    if pseudo is not None:
        chosen = replace(
            chosen,
            train=np.concatenate([train, len(labels) + pseudo["row"]]),
            train_labels=np.concatenate([labels[train], pseudo["label"]]),
            pseudo=len(pseudo["row"]),
            soft=stacked_probabilities(pseudo) if "p0" in pseudo else None,
        )
    with randomness_of(inputs, params, output, *name) as randomness:
        network = fit_and_write(
            x,
            replace(chosen, groups=groups),
            params,
            randomness,
            output,
            context,
            watches=True,
            reports_best_epoch=watches_validation,
        )
        if "test" in inputs:
            path = output / "test.parquet"
            write_test_probabilities(network, x, len(labels), groups, randomness, path)
