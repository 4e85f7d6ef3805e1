"""Fit a model to compare with on one fold, and predict the rows that the fold holds out."""

import json
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.baselines.catalogue import CATALOGUE, Baseline
from emodag.science.baselines.features import scaled, unscaled
from emodag.science.baselines.search import inner_folds, search
from emodag.science.baselines.task import Task, fit_on_present
from emodag.science.folds import held_out
from emodag.science.scores.scoring import accuracy, macro_f1
from emodag.science.seeds import generator
from emodag.science.tables.matrices import probability_columns, read_columns, write_columns
from emodag.science.tables.pool import pool_rows
from ledger.context import Context
from ledger.errors import ConfigError

KINDS = {"kfold": "row_fold", "group_kfold": "group_fold"}
"""The kind of fold that each scheme goes by; see `emodag.science.folds.held_out`."""


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write `validation.parquet` (row and probabilities) and `fit.json` (scores and settings).

    Parameters
    ----------
    inputs : `train` and, if there is a pool, `test`, the tables of features; `rows`, labels and
        persons; `folds`; `unlabelled`, see `emodag.science.tables.pool.pool_rows`.
    params : `baseline`, its name; `scheme`, ``kfold`` or ``group_kfold``; `fold`; `classes`, how
        many; `seed`; `trials` of the search for settings, 0 for the fixed ones; `scaling`; for
        self-training also `threshold`.

    Raises
    ------
    ConfigError
        When the environment lacks the package of the model.
    """
    baseline = CATALOGUE[params["baseline"]]
    rows = read_columns(inputs["rows"])
    is_valid = held_out(read_columns(inputs["folds"]), KINDS[params["scheme"]], params["fold"])
    train, valid = np.flatnonzero(~is_valid), np.flatnonzero(is_valid)
    context.saw_labels_of(np.unique(rows["person"][train]).tolist())
    task = _task(baseline, inputs, params, rows["label"][train], train, valid)
    settings = {**baseline.settings, **{k: v for k, v in params.items() if k == "threshold"}}
    with _explained(params["baseline"], context):
        if params["trials"]:
            settings = _searched(baseline, task, rows["person"][train], settings, params, context)
        with context.progress(baseline.step_count(), "step") as bar:
            answer = fit_on_present(
                baseline.fit, task, settings, bar.update, classes=params["classes"]
            )
    write_fold(
        output,
        valid,
        rows["label"][valid],
        answer.probabilities,
        {
            "baseline": params["baseline"],
            "n_train": len(train),
            "n_pseudo": answer.pseudo,
            "imbalance": baseline.imbalance,
            "settings": settings,
        },
    )


def write_fold(
    output: Path,
    valid: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    facts: Mapping[str, Any],
) -> None:
    """Write what a fold's model leaves, its scores among the facts.

    Parameters
    ----------
    valid, labels : (v,) the held-out rows and their classes.
    probabilities : (v, classes) float32.
    """
    write_columns(
        output / "validation.parquet",
        {"row": valid.astype(np.int32), **probability_columns(probabilities)},
    )
    predicted = probabilities.argmax(axis=1)
    scores = {
        "n_valid": len(valid),
        "macro_f1": macro_f1(labels, predicted, classes=probabilities.shape[1]),
        "accuracy": accuracy(labels, predicted),
    }
    text = json.dumps({**facts, **scores}, sort_keys=True, indent=1)
    (output / "fit.json").write_text(text + "\n")


def _task(
    baseline: Baseline,
    inputs: Mapping[str, Path],
    params: Mapping[str, Any],
    labels: np.ndarray,
    train: np.ndarray,
    valid: np.ndarray,
) -> Task:
    """The fold's task: the labels in it are those of the training rows alone."""
    tables = [inputs[table] for table in ("train", "test") if table in inputs]
    x = scaled(tables, train, params["scaling"]) if baseline.is_scaled else unscaled(tables)
    purpose = (params["seed"], "baseline", params["baseline"], params["scheme"], params["fold"])
    labelled = len(train) + len(valid)
    return Task(
        train=x[train],
        labels=labels.astype(np.int64),
        unseen=x[valid],
        unlabelled=x[labelled + pool_rows(len(x) - labelled, inputs, params["fold"])],
        seed=int(generator(*purpose).integers(2**31)),
    )


def _searched(
    baseline: Baseline,
    task: Task,
    persons: np.ndarray,
    fixed: Mapping[str, Any],
    params: Mapping[str, Any],
    context: Context,
) -> dict[str, Any]:
    folds = inner_folds(persons, params["scheme"], seed=task.seed)
    with context.progress(params["trials"], "trial") as bar:
        return search(
            baseline,
            task,
            folds,
            fixed,
            trials=params["trials"],
            classes=params["classes"],
            on_trial=lambda score: bar.update(F1=score),
        )


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
            f"`baselines` holds {name!r}, which needs the package {error.name!r}, and the "
            "environment 'baselines' has none. Give `environments.baselines` the locks that "
            "config.yaml has for it, with `python: built`, or leave that baseline out."
        ) from None
    for line in sorted({str(each.message).partition("\n")[0] for each in caught}):
        context.warn(line)
