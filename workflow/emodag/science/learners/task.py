"""What a learner is given: rows to learn from, and rows to predict, whose labels it cannot see."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from emodag.science.fit.targets import class_weights

Tick = Callable[[], None]
"""Told each step of a fit."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One fit.

    Attributes
    ----------
    train : (m, p) float32 features, scaled.
    labels : (m,) int64 class codes from 0 on, without gaps.
    unseen : (v, p) float32, the rows to predict.
    seed : of whatever the model draws.
    """

    train: np.ndarray
    labels: np.ndarray
    unseen: np.ndarray
    seed: int

    @property
    def classes(self) -> int:
        """How many classes the training rows hold."""
        return int(self.labels.max()) + 1

    @property
    def class_weights(self) -> np.ndarray:
        """(classes,) float64, see `emodag.science.fit.targets.class_weights`."""
        return class_weights(self.labels, classes=self.classes)

    @property
    def weights(self) -> np.ndarray:
        """(m,) float64, each row's class weight."""
        return self.class_weights[self.labels]


Fit = Callable[[Task, Mapping[str, Any], Tick], np.ndarray]
"""A learner: a fit of a task with settings; returns (v, classes) float probabilities."""


def fit_on_present(
    fit: Fit, task: Task, settings: Mapping[str, Any], tick: Tick, *, classes: int
) -> np.ndarray:
    """The answer of a fit with a column for every class, whichever the training rows hold.

    Parameters
    ----------
    task : whose labels may have gaps.

    Returns
    -------
    (v, classes) float32 probabilities; 0 for a class without training rows. Where the training rows
    hold one class only, or no feature that varies, nothing is fitted, which some libraries refuse:
    the classes there are then share alike, as balanced weights would have it.
    """
    present, codes = np.unique(task.labels, return_inverse=True)
    found = np.zeros((len(task.unseen), classes), np.float32)
    varies = np.fmin.reduce(task.train) < np.fmax.reduce(task.train)
    if len(present) == 1 or not varies.any():
        found[:, present] = 1 / len(present)
        return found
    facts = {**vars(task), "labels": codes.astype(np.int64)}
    found[:, present] = fit(Task(**facts), settings, tick)
    return found
