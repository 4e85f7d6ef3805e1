"""Whether one model is better than another on the same people, and who pays for it.

Counts are those of `emodag.science.scores.resampling.estimate`, of runs on the same folds and with
as many seeds.
"""

from typing import NamedTuple

import numpy as np

from emodag.science.scores.class_scores import macro_f1_of
from emodag.science.scores.exchanges import EXCHANGES, MOST_EXACT
from emodag.science.scores.resampling import DIGITS, estimate, fold_means
from emodag.science.seeds import generator


class Paired(NamedTuple):
    """How much better a model is than its baseline.

    Attributes
    ----------
    difference : of the cross-validated macro-F1, above 0 where the model is better.
    low, high : the ends of its 95 % interval over persons and seeds; NaN for a single person.
    better, worse : how many persons' own scores are above, below those under the baseline.
    p : two-sided p value of the sign-flip test over persons.
    """

    difference: float
    low: float
    high: float
    better: int
    worse: int
    p: float


def paired(counts: np.ndarray, baseline: np.ndarray) -> Paired:
    """A model compared with another one.

    Parameters
    ----------
    counts, baseline : (seeds, folds, persons, classes, classes) of the two, of one shape.
    """
    found = estimate(counts) - estimate(baseline)
    gains = np.round(own_scores(counts) - own_scores(baseline), DIGITS)
    return Paired(
        found.value,
        *found.interval,
        better=int(np.count_nonzero(gains > 0)),
        worse=int(np.count_nonzero(gains < 0)),
        p=sign_flip(counts, baseline),
    )


def sign_flip(counts: np.ndarray, baseline: np.ndarray) -> float:
    """Two-sided p value of the hypothesis that it does not matter who of the two is which.

    Were the models alike, a person's predictions by one might as well be by the other. So they are
    exchanged person by person, in all seeds and folds, and p is the share of exchanges after which
    the scores are at least as far apart as they are: among all exchanges up to `MOST_EXACT`
    persons, else among `EXCHANGES` random ones and none (Phipson & Smyth 2010). It is never below
    `least_p`, which is 0.002 for ten of them.

    Parameters
    ----------
    counts, baseline : as of `paired`.
    """
    exchanged = _exchanges(counts.shape[2])
    both = np.concatenate([counts, baseline], axis=2)
    one, other = (
        fold_means(both, times).mean(axis=0)
        for times in (np.hstack([1 - exchanged, exchanged]), np.hstack([exchanged, 1 - exchanged]))
    )
    apart = np.round(np.abs(one - other), DIGITS)
    return float(np.mean(apart >= apart[0]))


def _exchanges(persons: int) -> np.ndarray:
    """(exchanges, persons) int64: 1 for who is exchanged, nobody in the first row.

    To exchange everybody else only turns the sign, so the exact ones leave the first person alone.
    """
    if persons <= MOST_EXACT:
        return np.arange(2 ** (persons - 1))[:, None] >> np.arange(persons)[::-1] & 1
    found = generator("sign flips").integers(0, 2, size=(1 + EXCHANGES, persons))
    found[0] = 0
    return found


def own_scores(counts: np.ndarray) -> np.ndarray:
    """(persons,) float64: each person's macro-F1, a mean over seeds and repeats.

    Over the classes that the person shows or is taken for, as in the report.

    Parameters
    ----------
    counts : (seeds, folds, persons, classes, classes); a person is in one fold of each repeat.
    """
    return np.nanmean(macro_f1_of(counts), axis=(0, 1))


def worst_fifth(counts: np.ndarray) -> float:
    """The mean of `own_scores` over the fifth of the persons (at least one) that fare worst."""
    scores = np.sort(own_scores(counts))
    return float(scores[: max(1, len(scores) // 5)].mean())


def holm(p: np.ndarray) -> np.ndarray:
    """P values adjusted for how many there are: the chance of any false alarm is kept (Holm 1979).

    Parameters
    ----------
    p : (tests,) floats.

    Returns
    -------
    (tests,) float64 in the same order, at most 1.
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    factors = np.arange(len(p), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted
