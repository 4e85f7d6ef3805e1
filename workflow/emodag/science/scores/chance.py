"""What guessing comes to, for people whose classes are of unequal size."""

from typing import NamedTuple

import numpy as np

from emodag.science.scores.class_scores import confusions
from emodag.science.scores.comparisons import own_scores
from emodag.science.scores.resampling import fold_means
from emodag.science.seeds import generator

PERMUTATIONS = 300
"""Permutations that the chance level is taken from."""


class Chance(NamedTuple):
    """The cross-validated macro-F1 of predictions that know nothing of the rows.

    Attributes
    ----------
    mean : over permutations.
    high : what 95 % of the permutations stay below. Rows of a person are taken to be
        exchangeable: where neighbouring windows share their label, guessing gets further than that.
        So are persons of one class each, such as patients and controls.
    own : (persons,) float64, the same of each person's own score; NaN for a person of one class,
        whose labels are the same in any order.
    """

    mean: float
    high: float
    own: np.ndarray


def chance(
    labels: np.ndarray,
    predicted: np.ndarray,
    person: np.ndarray,
    fold: np.ndarray,
    *,
    folds: int,
    classes: int,
) -> Chance:
    """The score that is left when each person's labels are permuted among that person's rows.

    Everybody keeps the sizes of their classes and of their predictions, so a model is given credit
    for neither. Persons of one class each, of whom that would leave the score as it is, exchange
    their classes among each other. The labels of a permutation are the same in every repeat.

    Parameters
    ----------
    labels, person : (n,) integer codes from 0 on, below `classes` for labels.
    predicted, fold : (repeats, n) the class predicted by the model that held the row out, and its
        fold, numbered through all repeats.
    folds : how many there are, in all repeats.
    """
    rng, together = generator("chance"), np.argsort(person, kind="stable")
    shown = np.unique(np.column_stack([person, labels]), axis=0)
    is_alone = np.bincount(shown[:, 0]) == 1
    exchanged, rest = generator("chance", "persons"), is_alone[person]
    whole = labels[np.unique(person, return_index=True)[1]]
    once = np.ones((1, int(person.max()) + 1), np.int64)
    shape = (folds, once.size)
    scores, permuted = np.empty(PERMUTATIONS), np.empty_like(labels)
    own = np.empty((PERMUTATIONS, once.size))
    for at in range(PERMUTATIONS):
        permuted[together] = labels[np.lexsort((rng.random(len(labels)), person))]
        theirs = whole.copy()
        theirs[is_alone] = exchanged.permutation(whole[is_alone])
        permuted[rest] = theirs[person[rest]]
        counts = confusions(permuted, predicted, (fold, person), shape, classes=classes)
        scores[at], own[at] = fold_means(counts, once)[0], own_scores(counts[None])
    own[:, is_alone] = np.nan
    highest = np.quantile(own, 0.95, axis=0)
    return Chance(float(scores.mean()), float(np.quantile(scores, 0.95)), highest)
