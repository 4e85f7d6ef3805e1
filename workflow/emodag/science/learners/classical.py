"""scikit-learn's models, on scaled features and one thread."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from emodag.science.learners.task import Task, Tick

STEPS = 1000
"""Iterations L-BFGS may take: scikit-learn's default of 100 does not do for many features."""


def svm(task: Task, settings: Mapping[str, Any], tick: Tick) -> np.ndarray:
    """A support vector machine with an RBF kernel (Cortes and Vapnik 1995).

    Its probabilities are the softmax of its decision values, one against the rest: their order is
    the machine's own, and they are not calibrated. Platt's scaling would need further folds, and
    its order may differ from the machine's.
    """
    from scipy.special import softmax
    from sklearn.svm import SVC
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        machine = SVC(**settings, kernel="rbf", class_weight="balanced", cache_size=500)
        machine.fit(task.train, task.labels)
        values = machine.decision_function(task.unseen)
    tick()
    if values.ndim == 1:  # two classes
        values = np.stack([-values, values], axis=1)
    return softmax(values, axis=1)


def logistic_regression(task: Task, settings: Mapping[str, Any], tick: Tick) -> np.ndarray:
    """Multinomial logistic regression with an L2 penalty, by L-BFGS."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    model = LogisticRegression(**settings, class_weight="balanced", max_iter=STEPS)
    with threadpool_limits(1):
        model.fit(task.train, task.labels)
        found = model.predict_proba(task.unseen)
    tick()
    return found
