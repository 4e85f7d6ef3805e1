"""Whether a confidence means what it says."""

from typing import NamedTuple

import numpy as np


class Reliability(NamedTuple):
    """Rows by confidence, in bins of equal width.

    Attributes
    ----------
    edges : (bins + 1,) float64.
    rows : (bins,) int64.
    confidence, accuracy : (bins,) float64 means, NaN in an empty bin.
    """

    edges: np.ndarray
    rows: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    def bin_of(self, confidence: np.ndarray) -> np.ndarray:
        """The bin of each confidence, of any shape."""
        return _bins(confidence, self.edges)


def reliability(confidence: np.ndarray, correct: np.ndarray, *, bins: int = 10) -> Reliability:
    """Mean confidence and accuracy of the rows in each bin of confidence.

    Bins are open to the left, as in Guo et al. (2017); the first one holds 0 too.

    Parameters
    ----------
    confidence : (n,) floats from 0 to 1, the highest class probability.
    correct : (n,) booleans, whether that class is the true one.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = _bins(confidence, edges)
    rows = np.bincount(place, minlength=bins)
    values = confidence.astype(np.float64)
    sums = [np.bincount(place, weights=of, minlength=bins) for of in (values, correct)]
    means = [
        np.divide(total, rows, out=np.full(bins, np.nan), where=rows > 0, dtype=np.float64)
        for total in sums
    ]
    return Reliability(edges, rows, *means)


def _bins(confidence: np.ndarray, edges: np.ndarray) -> np.ndarray:
    # In float64 on both sides: a float32 that prints as 0.9 may lie on either side of the edge.
    place = np.searchsorted(edges, confidence.astype(np.float64), side="left") - 1
    return np.clip(place, 0, len(edges) - 2)


def expected_calibration_error(found: Reliability) -> float:
    """Mean distance between confidence and accuracy, by rows (Naeini et al. 2015)."""
    gaps = np.nan_to_num(np.abs(found.confidence - found.accuracy))
    return float((found.rows * gaps).sum() / found.rows.sum())
