"""A search for settings, within the training rows of one fold."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from emodag.science.baselines.catalogue import Baseline
from emodag.science.baselines.task import Task, fit_on_present, no_tick
from emodag.science.folds import group_folds, shuffled_folds
from emodag.science.scores.scoring import macro_f1

FOLDS = 3
"""Inner folds, or as many as there are persons."""


def inner_folds(persons: np.ndarray, scheme: str, *, seed: int) -> np.ndarray:
    """The inner fold of each training row, made as the scheme's outer folds are.

    Parameters
    ----------
    persons : (m,) whose rows they are.
    scheme : ``group_kfold`` keeps each person whole, ``kfold`` shuffles rows.

    Returns
    -------
    (m,) int16; all 0 where there is one person only, so nobody to hold out.
    """
    if scheme == "kfold":
        return shuffled_folds(len(persons), folds=FOLDS, seed=seed)
    known = len(np.unique(persons))
    return (
        group_folds(persons, folds=min(FOLDS, known))
        if known > 1
        else np.zeros(len(persons), np.int16)
    )


def search(
    baseline: Baseline,
    task: Task,
    folds: np.ndarray,
    fixed: Mapping[str, Any],
    *,
    trials: int,
    classes: int,
    on_trial: Callable[[float], None],
) -> dict[str, Any]:
    """The settings with the best mean macro-F1 over the inner folds, by Optuna's TPE.

    The first trial is that of the fixed settings, so what is found is no worse than they are by the
    measure that was searched for. The rows to predict are not looked at.

    Parameters
    ----------
    task : of the outer fold; `folds`, (m,) the inner fold of each of its training rows.
    fixed : settings that hold where a trial suggests none.
    on_trial : told each trial's score.

    Raises
    ------
    ModuleNotFoundError
        Where Optuna is not installed.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if folds.max() == 0:
        return dict(fixed)

    def score(settings: Mapping[str, Any]) -> float:
        found = [
            _score(baseline, task, folds == fold, settings, classes=classes)
            for fold in range(folds.max() + 1)
        ]
        on_trial(float(np.mean(found)))
        return float(np.mean(found))

    best, best_score = dict(fixed), score(fixed)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=task.seed)
    )
    for _ in range(trials - 1):
        trial = study.ask()
        settings = {**fixed, **baseline.space(trial)}
        value = score(settings)
        study.tell(trial, value)
        if value > best_score:
            best, best_score = settings, value
    return best


def _score(
    baseline: Baseline,
    task: Task,
    held_out: np.ndarray,
    settings: Mapping[str, Any],
    *,
    classes: int,
) -> float:
    inner = replace(
        task,
        train=task.train[~held_out],
        labels=task.labels[~held_out],
        unseen=task.train[held_out],
    )
    answer = fit_on_present(baseline.fit, inner, settings, no_tick, classes=classes)
    return macro_f1(task.labels[held_out], answer.probabilities.argmax(axis=1), classes=classes)
