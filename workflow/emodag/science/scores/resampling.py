"""How sure a cross-validated score is: a bootstrap over people and run seeds.

People are the sample: windows of one person resemble each other, so resampling rows would make
every score look surer than it is. Seeds are drawn independently of people (Owen 2007, the
pigeonhole bootstrap), so that the interval covers both.
"""

import numpy as np

from emodag.science.scores.class_scores import macro_f1_of

LEVEL = 0.95
"""The level of the intervals."""


def draws(n: int, *, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """(replicates, n) int64: how often each of `n` is drawn when `n` are drawn with replacement."""
    return rng.multinomial(n, np.full(n, 1 / n), size=replicates)


def fold_means(counts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The cross-validated macro-F1, a mean over folds, of samples of people.

    A fold counts in proportion to how many of its people are in the sample: with everybody once,
    each counts the same, as in the report; with one person a fold, it is a mean over people.

    Parameters
    ----------
    counts : (folds, persons, classes, classes) confusion matrix of each person's rows in each fold.
    times : (samples, persons) how often each person is in a sample.

    Returns
    -------
    (samples,) float64.
    """
    total, weight = np.zeros(len(times)), np.zeros(len(times))
    for fold in counts:
        inside = fold.any(axis=(1, 2))
        drawn = times[:, inside]
        summed = np.tensordot(drawn, fold[inside], axes=1)
        share = drawn.sum(axis=1) / inside.sum()
        total += share * np.nan_to_num(macro_f1_of(summed))
        weight += share
    return total / weight


def percentiles(values: np.ndarray) -> list[float]:
    """The percentile interval of bootstrap replicates, (replicates,) floats."""
    return np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()


def over_seeds(scores: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(replicates,) mean over the seeds drawn.

    Parameters
    ----------
    scores : (seeds, replicates) score of each seed for each sample of people.
    times : (replicates, seeds) how often each seed is drawn.
    """
    return (scores.T * times).sum(axis=1) / times.sum(axis=1)
