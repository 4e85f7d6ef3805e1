"""Fit another learner than the network on labelled and pseudo-labelled rows, and score it."""

import json
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.folds import held_out, parted
from emodag.science.learners.catalogue import CATALOGUE
from emodag.science.learners.task import Task, fit_on_present
from emodag.science.pseudo_label import repeated
from emodag.science.scores.scoring import held_out_scores
from emodag.science.seeds import generator
from emodag.science.tables.matrices import (
    probability_columns,
    read_columns,
    read_matrix,
    write_columns,
)
from ledger.context import Context
from ledger.errors import ConfigError


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write `validation.parquet`, `fit.json` and, where there is a pool, `test.parquet`.

    The first has row and probabilities of the rows that the fold holds out, none without a fold.

    Parameters
    ----------
    inputs : `train` and `test`, scaled features; `rows`, labels and persons; with a fold, `folds`;
        for a student `pseudo_labels`, rows of the pool with labels; without a pool no `test`.
    params : `learner`, its name, and `settings`; `stage`, in whose place it is; `seed`;
        `generation` of a student, and `control`, see the student; `fold`, whose rows to leave out,
        or null to learn from all, and its `kind`; `inner`, see the teacher; `classes`, how many.

    Raises
    ------
    ConfigError
        When the environment lacks the package of the learner.
    """
    learner, rows = CATALOGUE[params["learner"]], read_columns(inputs["rows"])
    labels = rows["label"]
    is_valid = np.zeros(len(labels), bool)
    if params["fold"] is not None:
        is_valid = held_out(read_columns(inputs["folds"]), params["kind"], params["fold"])
    train, valid = parted(rows["person"], labels, is_valid, inner="inner" in params)
    context.saw_labels_of(np.unique(rows["person"][train]).tolist())
    x = read_matrix([inputs[table] for table in ("train", "test") if table in inputs])
    purpose = (params["stage"], params.get("generation", 0), params["fold"], params["learner"])
    pseudo = read_columns(inputs["pseudo_labels"]) if "pseudo_labels" in inputs else None
    if "control" in params:
        draws = generator(params["seed"], *purpose, "control")
        again = repeated(train, len(pseudo["row"]), draws)
        train, pseudo = np.concatenate([train, again]), None
    learnt, codes = train, labels[train]
    if pseudo is not None:
        learnt = np.concatenate([train, len(labels) + pseudo["row"]])
        codes = np.concatenate([codes, pseudo["label"]])
    task = Task(
        train=x[learnt],
        labels=codes.astype(np.int64),
        unseen=np.concatenate([x[valid], x[len(labels) :]]),
        seed=int(generator(params["seed"], *purpose).integers(2**31)),
    )
    steps = params["settings"][learner.steps] if learner.steps else 1
    with _explained(params["learner"], context), context.progress(steps, "step") as bar:
        found = fit_on_present(
            learner.fit, task, params["settings"], bar.update, classes=params["classes"]
        )
    scored = found[: len(valid)]
    write_columns(
        output / "validation.parquet",
        {"row": valid.astype(np.int32), **probability_columns(scored)},
    )
    facts = {"learner": params["learner"], "n_train": len(train)}
    facts |= {"n_pseudo": len(learnt) - len(train), **held_out_scores(labels[valid], scored)}
    (output / "fit.json").write_text(json.dumps(facts, sort_keys=True, indent=1) + "\n")
    if "test" in inputs:
        write_columns(output / "test.parquet", probability_columns(found[len(valid) :]))


@contextmanager
def _explained(name: str, context: Context):
    """A missing package as an error that says what to do, and warnings as the project's own."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("ignore")  # what libraries tell those who program with them
            warnings.simplefilter("always", UserWarning)
            yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"`learner: {name}` needs the package {error.name!r}, and the environment 'learners' "
            "has none. Give `environments.learners` the locks that config.yaml has for it, with "
            "`python: built`, or choose another learner."
        ) from None
    for line in sorted({str(each.message).partition("\n")[0] for each in caught}):
        context.warn(line)
