"""Confidence-based pseudo-labels and the class boost (report, section III.B)."""

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


def reaches(confidence: np.ndarray, least: float) -> np.ndarray:
    """Which of `confidence`, (n,) floats, are at least `least`.

    The comparison is made in the dtype of the confidence, on both sides and in every NumPy: a
    float32 probability that prints as 0.90 reaches a threshold of 0.90, although the float32
    nearest to 0.9 is less than the float64 nearest to 0.9.
    """
    return confidence >= np.full_like(confidence, least)


def select(
    probabilities: np.ndarray, *, threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows whose highest probability reaches the threshold.

    Of equal highest probabilities the first class wins.

    Returns
    -------
    rows : (m,) int32, ascending.
    labels : (m,) int8, or as `code_dtype` says for many classes.
    confidence : (m,) in the dtype of `probabilities`.
    """
    confidence = probabilities.max(axis=1)
    rows = np.flatnonzero(reaches(confidence, threshold))
    labels = probabilities[rows].argmax(axis=1)
    codes = labels.astype(code_dtype(probabilities.shape[1]))
    return rows.astype(np.int32), codes, confidence[rows]
