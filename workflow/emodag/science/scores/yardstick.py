"""How large a difference is beside what another run seed does, and how sure that is.

Scores of runs that differ in their seed alone are taken for draws from one normal distribution.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import chdtri, stdtrit

LEVEL = 0.95
"""The level of every interval."""


def spread(values: Sequence[float]) -> dict[str, Any]:
    """How far a score moves with the run seed.

    Parameters
    ----------
    values : the score of each of n >= 2 seeds.

    Returns
    -------
    `n`, `values`, `mean`; `sd`, the standard deviation (divisor n - 1), and `interval`, its
    chi-square interval; `two_runs`, what the absolute difference of two more runs that differ in
    the seed alone stays below with a probability of `LEVEL` (by Student's t, so that the
    uncertainty of `sd` is part of it).
    """
    n, sd = len(values), float(np.std(values, ddof=1))
    return {
        "n": n,
        "values": list(values),
        "mean": float(np.mean(values)),
        "sd": sd,
        "interval": sd_interval(sd, n=n),
        "two_runs": _t(n - 1, LEVEL) * math.sqrt(2) * sd,
    }


def effect(values: Sequence[float], yardstick: dict[str, Any]) -> dict[str, Any]:
    """How large an effect is, in itself and in standard deviations between seeds.

    Parameters
    ----------
    values : the difference of each of n pairs of runs.
    yardstick : what `spread` says of the same score.

    Returns
    -------
    `n`, `values`, `mean`; `interval`, the mean's by Student's t, None for a single pair; `in_sds`,
    mean by standard deviation, and `in_sds_interval`. The latter allows for the uncertainty of the
    standard deviation, and for that of the mean where there are several pairs: both then at a
    level that makes the two hold together with a probability of at least `LEVEL` (Bonferroni).
    Both are None where the seeds have no spread but the effect is not 0.
    """
    n, mean, sd = len(values), float(np.mean(values)), yardstick["sd"]
    found = {
        "n": n,
        "values": list(values),
        "mean": mean,
        "interval": mean_interval(values) if n > 1 else None,
    }
    if not any(values):
        return {**found, "in_sds": 0.0, "in_sds_interval": [0.0, 0.0]}
    if not sd:
        return {**found, "in_sds": None, "in_sds_interval": None}
    each = LEVEL if n == 1 else (1 + LEVEL) / 2
    low, high = (mean, mean) if n == 1 else mean_interval(values, level=each)
    least, most = sd_interval(sd, n=yardstick["n"], level=each)
    ends = [low / (least if low < 0 else most), high / (most if high < 0 else least)]
    return {**found, "in_sds": mean / sd, "in_sds_interval": ends}


def sd_interval(sd: float, *, n: int, level: float = LEVEL) -> list[float]:
    """The chi-square interval of a standard deviation estimated from n values."""
    tail, freedom = (1 - level) / 2, n - 1
    return [sd * math.sqrt(freedom / chdtri(freedom, share)) for share in (tail, 1 - tail)]


def mean_interval(values: Sequence[float], *, level: float = LEVEL) -> list[float]:
    """Student's interval of the mean of at least two values."""
    n, mean = len(values), float(np.mean(values))
    half = _t(n - 1, level) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return [mean - half, mean + half]


def _t(freedom: int, level: float) -> float:
    """Student's quantile that leaves `1 - level` outside of both tails."""
    return float(stdtrit(freedom, (1 + level) / 2))
