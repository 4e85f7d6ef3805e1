"""Confidence-based pseudo-labels and the class boost (the paper, section III.B)."""

from collections.abc import Sequence

import numpy as np

from emodag.science.tables.class_codes import code_dtype


def boosted(probabilities: np.ndarray, factors: Sequence[float]) -> np.ndarray:
    """Probabilities times one factor per class, not renormalised.

    Parameters
    ----------
    probabilities : (n, classes) floats.
    factors : one per class; 1 leaves a class alone.

    Returns
    -------
    (n, classes) in the dtype of `probabilities`: a float64 factor must not promote float32.
    """
    return probabilities * np.array(factors, np.float64).astype(probabilities.dtype)


def decided(probabilities: np.ndarray, boost: Sequence[float]) -> np.ndarray:
    """The class that a submission says of each row, (n,) int64; of equal ones the first wins.

    Parameters
    ----------
    probabilities : (n, classes) floats.
    boost : one factor per class, see `boosted`.
    """
    return boosted(probabilities, boost).argmax(axis=1)


def reaches(confidence: np.ndarray, least: float | np.ndarray) -> np.ndarray:
    """Which of `confidence`, (n,) floats, are at least `least`, one for all or (n,) floats.

    The comparison is made in the dtype of the confidence, on both sides and in every NumPy: a
    float32 probability that prints as 0.90 reaches a threshold of 0.90, although the float32
    nearest to 0.9 is less than the float64 nearest to 0.9.
    """
    return confidence >= np.full_like(confidence, least)


def select(
    probabilities: np.ndarray, *, threshold: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows whose highest probability reaches the threshold of its class.

    Of equal highest probabilities the first class wins.

    Parameters
    ----------
    probabilities : (n, classes) floats.
    threshold : one for all classes, or (classes,) floats, see `class_thresholds`.

    Returns
    -------
    rows : (m,) int32, ascending.
    labels : (m,) int8, or as `code_dtype` says for many classes.
    confidence : (m,) in the dtype of `probabilities`.
    """
    confidence, labels = probabilities.max(axis=1), probabilities.argmax(axis=1)
    classes = probabilities.shape[1]
    least = threshold if np.ndim(threshold) == 0 else threshold[labels]
    rows = np.flatnonzero(reaches(confidence, least))
    return rows.astype(np.int32), labels[rows].astype(code_dtype(classes)), confidence[rows]


def class_thresholds(probabilities: np.ndarray, rule: str, value: float = 0.0) -> np.ndarray:
    """The least confidence of a pseudo-label of each class, by what a pool's rows are taken for.

    Parameters
    ----------
    probabilities : (n, classes) floats.
    rule : a name in `RULES`.
    value : the `threshold` of "flexmatch", the `share` of "share".

    Returns
    -------
    (classes,) float64.
    """
    confidence, labels = probabilities.max(axis=1), probabilities.argmax(axis=1)
    return RULES[rule](probabilities, confidence, labels, value)


def _flexmatch(probabilities, confidence, labels, value):
    """Lower where fewer rows reach the threshold (FlexMatch, Zhang et al. 2021)."""
    sure = np.bincount(labels[reaches(confidence, value)], minlength=probabilities.shape[1])
    learnt = sure / max(sure.max(), len(labels) - sure.sum(), 1)
    return learnt / (2 - learnt) * value


def _freematch(probabilities, confidence, labels, value):
    """The mean confidence, lower where a class is (FreeMatch, Wang et al. 2023)."""
    if not len(labels):
        return np.zeros(probabilities.shape[1])
    mean = probabilities.mean(axis=0, dtype=np.float64)
    return mean / mean.max() * confidence.mean(dtype=np.float64)


def _share(probabilities, confidence, labels, value):
    """The confidence of the last of the surest share of a class's rows (CBST, Zou et al. 2018)."""
    least = np.zeros(probabilities.shape[1])
    for label in np.unique(labels):
        sure = np.sort(confidence[labels == label])
        least[label] = sure[-max(1, round(value * len(sure)))]
    return least


RULES = {
    "flexmatch": _flexmatch,
    "freematch": _freematch,
    "share": _share,
}
"""How rows are chosen other than by one threshold, by the names that the configuration gives it."""

CLOSE = 1e-6
"""How near the mean of aligned probabilities must come to the shares asked for."""

STEPS = 1000
"""How often it is tried; a few dozen do, but where a class has next to no probability."""


def aligned(probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Probabilities whose mean is near the `shares` of classes.

    Each class is given a factor, shares over mean, and rows are normalised (distribution alignment,
    Berthelot et al. 2020), again and again until the mean is the shares.

    Parameters
    ----------
    probabilities : (n, classes) floats.
    shares : (classes,) floats, of sum 1.

    Returns
    -------
    (n, classes) in the dtype of `probabilities`. Of a class without a share nothing is left; a row
    that is sure of such a class alone is 0.
    """
    given, found = probabilities.astype(np.float64), probabilities.astype(np.float64)
    factors = np.ones(len(shares))
    for _ in range(STEPS if len(given) else 0):
        mean = found.mean(axis=0)
        if np.abs(mean - shares).max() < CLOSE:
            break
        factors *= np.divide(shares, mean, out=np.zeros(len(shares)), where=mean > 0)
        found = normalised(given * factors)
    return found.astype(probabilities.dtype)


def repeated(rows: np.ndarray, count: int, draws: np.random.Generator) -> np.ndarray:
    """As many of some rows again, each as often as any other, but for a rest drawn at random.

    Parameters
    ----------
    rows : (n,) row numbers, one at least.

    Returns
    -------
    (count,) row numbers.
    """
    times, rest = divmod(count, len(rows))
    return np.concatenate([np.tile(rows, times), draws.permutation(rows)[:rest]])


def normalised(probabilities: np.ndarray) -> np.ndarray:
    """Rows, (n, classes) floats, over their sums; a row of zeros stays."""
    totals = probabilities.sum(axis=1, keepdims=True)
    return np.divide(probabilities, totals, out=np.zeros_like(probabilities), where=totals > 0)
