"""Which columns are odd, for whom: gaps, far-out cells, long tails."""

from typing import NamedTuple

import numpy as np

FAR = 3.0
"""How many interquartile ranges beyond the quartiles a cell is far out (Tukey 1977)."""


class Oddities(NamedTuple):
    """What is odd in columns.

    Attributes
    ----------
    missing, far_out : (persons, columns) float64 shares of the person's rows.
    reach : (columns,) float64, range by interquartile range; 0 where the latter is 0 or unknown.
    """

    missing: np.ndarray
    far_out: np.ndarray
    reach: np.ndarray


def oddities(values: np.ndarray, person: np.ndarray, *, persons: int) -> Oddities:
    """What is odd in the columns of `values`.

    Parameters
    ----------
    values : (n, columns) float64, NaN where missing, no infinities.
    person : (n,) integer codes below `persons`, each of which occurs.
    """
    gaps = np.isnan(values)
    low, high, reach = (np.zeros(values.shape[1]) for _ in range(3))
    for at in np.flatnonzero(~gaps.all(axis=0)):
        column = values[~gaps[:, at], at]
        first, third = np.quantile(column, [0.25, 0.75])
        with np.errstate(over="ignore"):  # of values near the largest float64
            between = third - first
            low[at], high[at] = first - FAR * between, third + FAR * between
            if between > 0 and np.isfinite(between):
                reach[at] = column.max() / between - column.min() / between
    with np.errstate(invalid="ignore"):
        far = (values < low) | (values > high)
    return Oddities(*(_shares(cells, person, persons) for cells in (gaps, far)), reach)


def _shares(cells: np.ndarray, person: np.ndarray, persons: int) -> np.ndarray:
    """(persons, columns) mean of boolean cells over each person's rows."""
    sums = np.zeros((persons, cells.shape[1]))
    np.add.at(sums, person, cells)
    return sums / np.bincount(person, minlength=persons)[:, None]
