"""Quantile transform of a feature to a normal distribution, as scikit-learn's QuantileTransformer.

The fitted distribution function is a table of quantiles; a value is looked up in it by linear
interpolation and the share found is sent through the normal quantile function. Written out here
because a fold needs it without importing scikit-learn, a column at a time, and with a margin at the
bounds that can be chosen. Source followed: scikit-learn 1.8, ``preprocessing/_data.py`` and, for
the quantiles, NumPy's method "linear" (the seventh of Hyndman and Fan, 1996, "Sample quantiles in
statistical packages"). With ``resolution=1e-7`` the results are scikit-learn's to the last bit.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

BOUND = 1e-7
"""Share of the distribution that scikit-learn keeps off either end so that ndtri stays finite."""

CLIP_LOW = float(ndtri(BOUND - np.spacing(1.0)))
CLIP_HIGH = float(ndtri(1.0 - (BOUND - np.spacing(1.0))))
"""Least and greatest value the transform can give, about -5.2 and 5.2."""


def subsample_rows(rows: np.ndarray, *, size: int, seed: int) -> np.ndarray:
    """The rows that quantiles are estimated from.

    Parameters
    ----------
    rows : int, shape (n,), the rows of the fit in their order.
    size : rows to take at most; with n rows or fewer, `rows` is returned as it is.
    seed : of the legacy generator, whose `shuffle` is what scikit-learn's `resample` draws with.

    Returns
    -------
    ndarray, shape (min(n, size),).
    """
    if rows.size <= size:
        return rows
    order = np.arange(rows.size, dtype=np.int64)
    np.random.RandomState(seed).shuffle(order)
    return rows[order[:size]]


def reference_shares(n_quantiles: int) -> np.ndarray:
    """Evenly spaced shares from 0 to 1: float64, shape (n_quantiles,)."""
    return np.linspace(0.0, 1.0, n_quantiles, endpoint=True)


def fit_quantiles(sample: np.ndarray, *, count: int) -> np.ndarray:
    """Quantiles of one feature's observed values.

    Parameters
    ----------
    sample : float64, shape (n,); NaN is missing and ignored.
    count : how many quantiles are wanted, of evenly spaced shares.

    Returns
    -------
    ndarray of float64, shape (count,); non-decreasing; all NaN when nothing was observed.
    """
    ordered = np.sort(sample[~np.isnan(sample)])
    if ordered.size == 0:
        return np.full(count, np.nan)
    # By way of percent, as there: the detour rounds.
    position = (ordered.size - 1) * (reference_shares(count) * 100.0 / 100.0)
    before = np.minimum(np.floor(position).astype(np.int64), ordered.size - 1)
    after = np.minimum(before + 1, ordered.size - 1)
    weight = position - before
    low, high = ordered[before], ordered[after]
    step = high - low
    quantiles = np.where(weight >= 0.5, high - step * (1.0 - weight), low + step * weight)
    # Which of 0.0 and -0.0 sorts first is up to NumPy's kernel: keep one of them.
    return quantiles + 0.0


def transform(values: np.ndarray, quantiles: np.ndarray, *, resolution: float) -> np.ndarray:
    """Normal scores of one feature.

    Parameters
    ----------
    values : float64, shape (n,), finite or NaN.
    quantiles : float64, shape (q,), from `fit_quantiles` of the same feature.
    resolution : how near a bound, in the feature's own unit, a value must be to count as being at
        it. A value `x` is at the lower bound when ``x - resolution < quantiles[0]`` and at the
        upper when ``x + resolution > quantiles[-1]``. scikit-learn's 1e-7 sends a whole column of
        smaller range to the lower bound. With 0.0 the comparisons become ``x <= quantiles[0]`` and
        ``x >= quantiles[-1]``, so that ties at a bound stay there and no unit is too small.

    Returns
    -------
    ndarray of float64, shape (n,), within [CLIP_LOW, CLIP_HIGH]; a value at the lower bound gives
    CLIP_LOW, one at the upper CLIP_HIGH, and one at both (a constant column) CLIP_LOW. NaN stays
    NaN; all is NaN when `quantiles` is.
    """
    scores = np.full(values.shape, np.nan)
    if np.isnan(quantiles[0]):
        return scores
    observed = np.flatnonzero(~np.isnan(values))
    # Looking values up in ascending order is several times faster. Which of two equal values comes
    # first is of no consequence: each score depends on its own value only and returns to its row.
    observed = observed[np.argsort(values[observed])]
    x = values[observed]
    if resolution > 0.0:
        at_lower, at_upper = x - resolution < quantiles[0], x + resolution > quantiles[-1]
    else:
        at_lower, at_upper = x <= quantiles[0], x >= quantiles[-1]
    shares = _shares(x, quantiles)
    shares[at_upper] = 1.0
    shares[at_lower] = 0.0
    scores[observed] = np.clip(ndtri(shares), CLIP_LOW, CLIP_HIGH)
    return scores


def _shares(ascending: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Share of the distribution below each value.

    The mean of the interpolations from below and from above, which differ for a value that several
    quantiles are equal to.
    """
    references = reference_shares(len(quantiles))
    from_below = np.interp(ascending, quantiles, references)
    from_above = np.interp(-ascending[::-1], -quantiles[::-1], -references[::-1])[::-1]
    return 0.5 * (from_below - from_above)


def median(values: np.ndarray) -> float:
    """Median of the observed values of one feature, NaN when there are none."""
    observed = values[~np.isnan(values)]
    return float(np.median(observed)) if observed.size else float("nan")


def scale_column(
    values: np.ndarray,
    *,
    sample: np.ndarray,
    training: np.ndarray,
    count: int,
    resolution: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit one feature on some rows and transform all of them.

    Missing cells get the score of the training median, so that neither a held-out nor a test row
    moves what is imputed; 0.0, the middle of the scale, where no training row has a value.

    Parameters
    ----------
    values : float64, shape (n,), all rows; NaN is missing.
    sample : int, shape (m,), the rows that quantiles are estimated from, see `subsample_rows`.
    training : int, shape (t,), the training rows of the fit.
    count : how many quantiles.
    resolution : see `transform`.

    Returns
    -------
    scores : float32, shape (n,), without NaN; all 0.0 when no row of the sample has a value.
    quantiles : float64, shape (q,), all NaN in that case.
    """
    quantiles = fit_quantiles(values[sample], count=count)

    def centre() -> float:
        return median(values[training])

    return score_column(values, quantiles, centre=centre, resolution=resolution), quantiles


def score_column(
    values: np.ndarray,
    quantiles: np.ndarray,
    *,
    centre: Callable[[], float],
    resolution: float,
) -> np.ndarray:
    """Transform one feature by quantiles that are known; missing cells as in `scale_column`.

    Parameters
    ----------
    values : float64, shape (n,); NaN is missing.
    quantiles : float64, shape (q,), as `scale_column` returns them.
    centre : gives the training median; asked where a cell is missing.
    resolution : see `transform`.

    Returns
    -------
    float32, shape (n,), without NaN.
    """
    scores = transform(values, quantiles, resolution=resolution)
    missing = np.isnan(scores)
    if missing.any():
        imputed = transform(np.array([centre()]), quantiles, resolution=resolution)
        scores[missing] = np.nan_to_num(imputed[0], nan=0.0)
    return scores.astype(np.float32)
