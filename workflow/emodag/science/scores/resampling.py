"""How sure a cross-validated score is: the jackknife over people and run seeds.

People are the sample: windows of one person resemble each other, so leaving out rows would make
every score look surer than it is. An interval is Student's about the score. Its variance is what
leaving out each person in turn shows (Tukey 1958; Efron & Tibshirani 1993, chapter 11), and its
degrees of freedom are one fewer than there are persons: with one person a fold it is the textbook's
interval of a mean over persons. Several seeds are crossed with people (Owen 2007), so their
variance is added; the degrees of freedom are then Satterthwaite's (1946).

In simulations the score to expect of ten new people, and the difference to expect of two models,
lay in the interval in 0.94 to 0.97 of 1,000 tables: with five folds, one person a fold, or one
fold; with classes that some persons lack; with one seed and with three. With six, 20 and 40 people
it was 0.93 to 0.97. The percentiles of a bootstrap come to 0.83 to 0.93 for six and to 0.88 to 0.94
for ten, those of BCa to as much or less. A unit test repeats that for ten.

Models are taken as they are: how far a score would move with other people to learn from is in no
interval that one cross-validation can give (Bengio & Grandvalet 2004).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from emodag.science.scores.class_scores import f1_sums, macro_f1_of_sums

LEVEL = 0.95
"""The level of the intervals."""

DIGITS = 12
"""Decimals to which scores are compared: beyond them they differ by rounding alone."""


class Estimate(NamedTuple):
    """A score, or a difference of scores, and what it is of less than the whole sample.

    Attributes
    ----------
    value : the score, a mean over seeds.
    without : (persons,) float64, the score without each person.
    by_seed : (seeds,) float64, the score of each seed.
    least : the lowest value there can be; the highest is 1.
    """

    value: float
    without: np.ndarray
    by_seed: np.ndarray
    least: float = 0.0

    def __sub__(self, other: "Estimate") -> "Estimate":
        """How much higher this one is, of the same people and seeds."""
        pairs = zip(self[:3], other[:3], strict=True)
        return Estimate(*(mine - theirs for mine, theirs in pairs), least=-1.0)

    @property
    def interval(self) -> list[float]:
        """The ends of the 95 % interval over people and seeds; NaN for a single person.

        A single seed has no spread, so the interval is then over people alone.
        """
        persons, seeds = len(self.without), len(self.by_seed)
        if persons == 1:
            return [float("nan")] * 2
        variances = [(persons - 1) ** 2 / persons * float(np.var(self.without, ddof=1))]
        freedoms = [persons - 1]
        if seeds > 1:
            variances.append(float(np.var(self.by_seed, ddof=1)) / seeds)
            freedoms.append(seeds - 1)
        variance = sum(variances)
        if variance == 0:
            return [self.value] * 2
        shares = [each / variance for each in variances]
        freedom = 1 / sum(share**2 / of for share, of in zip(shares, freedoms, strict=True))
        half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * variance**0.5
        return [max(self.value - half, self.least), min(self.value + half, 1.0)]


def estimate(counts: np.ndarray) -> Estimate:
    """The cross-validated macro-F1 with its interval; that of a table of other people as one fold.

    Parameters
    ----------
    counts : (seeds, folds, persons, classes, classes), see `fold_means`.
    """
    persons = counts.shape[2]
    times = np.vstack([np.ones((1, persons), np.int64), 1 - np.eye(persons, dtype=np.int64)])
    scores = fold_means(counts, times)
    return Estimate(float(scores[:, 0].mean()), scores[:, 1:].mean(axis=0), scores[:, 0])


def share(hits: np.ndarray, rows: np.ndarray) -> Estimate:
    """The hits among some rows with their interval, over the persons who have such rows.

    Parameters
    ----------
    hits, rows : (seeds, persons) sums over the rows of each person.

    Returns
    -------
    Its value is NaN where there are no rows, and its interval with rows of a single person.
    """
    known, inside = rows.any(axis=1), rows.any(axis=0)  # seeds and persons with such rows
    hits, rows = (each[known][:, inside].astype(np.float64) for each in (hits, rows))
    by_seed = hits.sum(axis=1) / rows.sum(axis=1)
    if inside.sum() < 2:
        value = float(by_seed.mean()) if len(by_seed) else float("nan")
        return Estimate(value, np.full(1, np.nan), by_seed)
    left = rows.sum(axis=1, keepdims=True) - rows
    shares = np.full(rows.shape, np.nan)
    np.divide(hits.sum(axis=1, keepdims=True) - hits, left, out=shares, where=left > 0)
    return Estimate(float(by_seed.mean()), np.nanmean(shares, axis=0), by_seed)


def fold_means(counts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The cross-validated macro-F1, a mean over folds, of samples of people.

    A fold counts in proportion to how many of its people are in the sample: with everybody once,
    each counts the same, as in the paper; with one person a fold, it is a mean over people.

    Parameters
    ----------
    counts : (..., folds, persons, classes, classes) confusion matrix of each person's rows in each
        fold, such as those of every seed; folds hold the same people in all of them.
    times : (samples, persons) how often each person is in a sample.

    Returns
    -------
    (..., samples) float64, NaN for a sample of nobody.
    """
    sums = f1_sums(counts).astype(np.float64)  # in float64 sums of counts are exact, and fast
    total, weight = np.zeros((*sums.shape[:-3], len(times))), np.zeros(len(times))
    for fold in np.moveaxis(sums, -3, 0):
        inside = np.moveaxis(fold, -2, 0).any(axis=tuple(range(1, fold.ndim)))
        # Few people are in a fold: what comes again is scored once.
        drawn, again = np.unique(times[:, inside], axis=0, return_inverse=True)
        scores = np.nan_to_num(macro_f1_of_sums(drawn @ fold[..., inside, :]))
        share = drawn.sum(axis=1) / inside.sum()
        total += (share * scores)[..., again.reshape(-1)]
        weight += share[again.reshape(-1)]
    nobody = np.full(total.shape, np.nan)
    return np.divide(total, weight, out=nobody, where=weight > 0)
