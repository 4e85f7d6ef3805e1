"""scikit-learn's models, on scaled features and one thread."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from emodag.science.baselines.task import Answer, Task, Tick

SVM = {"C": 1.0, "gamma": "scale"}
"""scikit-learn's defaults; `scale` is 1 / (features x variance of their values)."""

LOGISTIC_REGRESSION = {"C": 1.0}
"""scikit-learn's default, an L2 penalty of 1 / (2 C)."""

STEPS = 1000
"""Iterations L-BFGS may take: scikit-learn's default of 100 does not do for many features."""

ROUNDS = 10
"""Rounds of self-training, scikit-learn's default."""


def svm(task: Task, settings: Mapping[str, Any], tick: Tick) -> Answer:
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
    return Answer(softmax(values, axis=1))


def logistic_regression(task: Task, settings: Mapping[str, Any], tick: Tick) -> Answer:
    """Multinomial logistic regression with an L2 penalty, by L-BFGS."""
    from threadpoolctl import threadpool_limits

    model = _regression(settings)
    with threadpool_limits(1):
        model.fit(task.train, task.labels)
        found = model.predict_proba(task.unseen)
    tick()
    return Answer(found)


def self_training(task: Task, settings: Mapping[str, Any], tick: Tick) -> Answer:
    """Logistic regression that goes on to learn from rows it is sure of (Yarowsky 1995).

    Parameters
    ----------
    settings : `threshold`, which a pseudo-label's confidence has to exceed; the others are those of
        `logistic_regression`.
    """
    from sklearn.semi_supervised import SelfTrainingClassifier
    from threadpoolctl import threadpool_limits

    own = {key: value for key, value in settings.items() if key != "threshold"}
    model = SelfTrainingClassifier(
        _regression(own), threshold=settings["threshold"], max_iter=ROUNDS
    )
    rows = np.concatenate([task.train, task.unlabelled])
    labels = np.concatenate([task.labels, np.full(len(task.unlabelled), -1)])
    with threadpool_limits(1):
        model.fit(rows, labels)
        found = model.predict_proba(task.unseen)
    tick()
    return Answer(found, int((model.labeled_iter_ > 0).sum()))


def _regression(settings: Mapping[str, Any]):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(**settings, class_weight="balanced", max_iter=STEPS)
