"""A cross-validated score in a few figures, with what people alone make it vary by."""

from typing import NamedTuple

import numpy as np

from emodag.science.scores.class_scores import confusion_by_group, macro_f1_of
from emodag.science.scores.resampling import estimate


class Summary(NamedTuple):
    """The scores of one model under one scheme.

    Attributes
    ----------
    macro_f1 : mean over folds; `sd` is the folds' standard deviation.
    low, high : the ends of its 95 % interval over persons, see
        `emodag.science.scores.resampling`.
    pooled : macro-F1 of all held-out rows at once.
    """

    macro_f1: float
    sd: float
    low: float
    high: float
    pooled: float
    accuracy: float


def fold_confusions(
    labels: np.ndarray,
    predicted: np.ndarray,
    fold: np.ndarray,
    person: np.ndarray,
    *,
    folds: int,
    classes: int,
) -> np.ndarray:
    """Confusion matrices by fold and person.

    Parameters
    ----------
    labels, predicted : (n,) integer codes below `classes`.
    fold, person : (n,) the fold that held each row out, and the code of whose row it is, from 0 on.

    Returns
    -------
    (folds, persons, classes, classes) int64.
    """
    persons = int(person.max()) + 1
    counts = confusion_by_group(
        labels,
        predicted,
        fold.astype(np.int64) * persons + person,
        groups=folds * persons,
        classes=classes,
    )
    return counts.reshape(folds, persons, classes, classes)


def summary(counts: np.ndarray) -> Summary:
    """The figures of one model.

    Parameters
    ----------
    counts : (folds, persons, classes, classes), see `fold_confusions`.
    """
    low, high = estimate(counts[None]).interval
    by_fold = macro_f1_of(counts.sum(axis=1))
    whole = counts.sum(axis=(0, 1))
    return Summary(
        macro_f1=float(by_fold.mean()),
        sd=float(by_fold.std(ddof=1)),
        low=low,
        high=high,
        pooled=float(macro_f1_of(whole)),
        accuracy=float(np.trace(whole) / whole.sum()),
    )
