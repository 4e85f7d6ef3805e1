"""Confidence-based pseudo-labels and the class boost (report, section III.B)."""

import numpy as np


def boosted(probabilities: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Probabilities times one factor per class, not renormalised.

    Parameters
    ----------
    probabilities : (n, classes) floats.
    factors : (classes,) floats; 1 leaves a class alone.

    Returns
    -------
    (n, classes) in the dtype of `probabilities`: a float64 factor must not promote float32.
    """
    return probabilities * factors.astype(probabilities.dtype)


def select(
    probabilities: np.ndarray, *, threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows whose highest probability reaches the threshold.

    The comparison is made in the dtype of the probabilities, on both sides and in every NumPy: a
    float32 probability that prints as 0.90 reaches a threshold of 0.90, although the float32
    nearest to 0.9 is less than the float64 nearest to 0.9. Of equal highest probabilities the
    first class wins.

    Returns
    -------
    rows : (m,) int32, ascending.
    labels : (m,) int8.
    confidence : (m,) in the dtype of `probabilities`.
    """
    confidence = probabilities.max(axis=1)
    rows = np.flatnonzero(confidence >= np.full_like(confidence, threshold))
    labels = probabilities[rows].argmax(axis=1)
    return rows.astype(np.int32), labels.astype(np.int8), confidence[rows]
