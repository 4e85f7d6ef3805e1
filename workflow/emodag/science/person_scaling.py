"""Features relative to the person they are of: no label is used, only whose rows they are.

What differs between persons, such as a resting heart rate, is taken out, and what differs between a
person's states stays. That helps as far as the mixture of states in a person's rows resembles that
of the other persons; the first minutes of a recording alone have another one.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

MAD_OF_NORMAL = 1.482602218505602
"""A normal distribution's standard deviation over its median absolute deviation."""

MEAN_AD_OF_NORMAL = 1.2533141373155003
"""The same over its mean absolute deviation."""

LEAST = 5
"""Fewer rows of a person say nothing of the person."""

FEW = 20
"""Fewer rows of a person are a small sample of their states."""

FAR = 1e300
"""Values beyond are taken for this one, so that no difference or sum of them overflows."""


def rows_by_person(persons: np.ndarray) -> list[np.ndarray]:
    """The rows of each person: of (n,) persons, arrays of row numbers that together are all."""
    _, codes, counts = np.unique(persons, return_inverse=True, return_counts=True)
    return np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])


def by_person(values: np.ndarray, groups: list[np.ndarray], *, kind: str) -> np.ndarray:
    """One feature, each person's rows among themselves.

    Parameters
    ----------
    values : float64, shape (n,), finite or NaN.
    groups : see `rows_by_person`.
    kind : "centre" takes off the person's median; "z" also divides by their spread, see `robust_z`;
        "rank" gives the normal score of the rank among the person's rows, see `rank_scores`.

    Returns
    -------
    float64, shape (n,); NaN stays NaN.
    """
    found = np.full_like(values, np.nan)
    for rows in groups:
        observed = rows[~np.isnan(values[rows])]
        if observed.size:
            found[observed] = KINDS[kind](np.clip(values[observed], -FAR, FAR))
    return found


def centred(x: np.ndarray) -> np.ndarray:
    """x - median(x): float64, shape (n,), of numbers within `FAR`."""
    return x - np.median(x)


def robust_z(x: np.ndarray) -> np.ndarray:
    """The modified z-score of Iglewicz and Hoaglin (1993, "How to detect and handle outliers").

    The spread is the median absolute deviation or, where more than half of the values are equal,
    the mean absolute deviation; a constant gives 0.
    """
    difference = centred(x)
    spread = MAD_OF_NORMAL * np.median(np.abs(difference))
    if spread == 0:
        # Sorted, since the last bit of a sum depends on the order of its terms.
        spread = MEAN_AD_OF_NORMAL * np.sum(np.sort(np.abs(difference)) / len(x))
    if spread == 0:
        return np.zeros_like(x)
    with np.errstate(over="ignore"):
        return np.clip(difference / spread, -FAR, FAR)


def rank_scores(x: np.ndarray) -> np.ndarray:
    """Normal scores of (rank - 1/2) / n; equal values share the mean of their ranks."""
    _, group, counts = np.unique(x, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    return ndtri(middle[group] / len(x))


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "centre": centred,
    "z": robust_z,
    "rank": rank_scores,
}
