"""Calibration of class probabilities by one number (Guo et al. 2017)."""

import numpy as np
from scipy.special import softmax

LEAST, MOST = 0.5, 10.0
"""Between these a temperature is looked for: rows that are all right, or by luck, have none."""

DIGITS = 6
"""Decimals of a temperature, so that the last bit of a logarithm does not move it."""


def fitted_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float | None:
    """The temperature by which the true classes of some rows get the least mean -log probability.

    That is convex in 1 / temperature, so its slope is 0 in one place.

    Parameters
    ----------
    probabilities : (n, classes) floats, of rows that the model has not learned from.
    labels : (n,) class codes.

    Returns
    -------
    Above 1 where the model is too sure of itself; None where it does not lie between `LEAST` and
    `MOST`, as of too few rows, or of equal probabilities.
    """
    from scipy.optimize import brentq  # which takes longer to import than pseudo-labels to choose

    logits = _logits(probabilities)
    true = logits[np.arange(len(labels)), labels].mean()

    def slope(inverse: float) -> float:
        return float((softmax(inverse * logits, axis=1) * logits).sum(axis=1).mean() - true)

    low, high = 1 / MOST, 1 / LEAST
    if not slope(low) < 0 < slope(high):
        return None
    return round(1 / brentq(slope, low, high, xtol=1e-12), DIGITS)


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities with their logarithms over a temperature, in their own dtype.

    Parameters
    ----------
    probabilities : (n, classes) floats; the most probable class stays that.
    """
    return softmax(_logits(probabilities) / temperature, axis=1).astype(probabilities.dtype)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    """(n, classes) float64 logarithms, of 0 that of the least float32 that is not."""
    least = np.finfo(np.float32).tiny
    return np.log(np.maximum(probabilities.astype(np.float64), least))
