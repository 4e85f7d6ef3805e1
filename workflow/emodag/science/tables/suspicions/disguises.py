"""Features that are the label in another form."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from emodag.science.tables.suspicions.glance import COLUMNS_AT_ONCE, ROUGH, Glance
from emodag.science.tables.table import few

_MARGIN = 10
"""Bits by which what the labels hold must exceed what a choice among the features may tell."""

_MOST_PAIRED = 20
"""The features most telling by themselves, of which pairs are looked at."""

_ALONE, _TOGETHER = 0.97, 0.95
"""Share of the rows told, class by class, from which on a feature, or a pair, gives them away.

A pair's border between two classes is a line, near which the nearest row is of the other class."""

_GAIN = 0.15
"""By how much a pair must tell more than the better of the two: else it is that one which tells."""


def telling_features(
    train: Glance, names: Sequence[str], codes: np.ndarray, persons: np.ndarray
) -> list[str]:
    """What to say of the features and pairs that `disguises` finds; nothing where it finds none."""
    places = disguises(train.sampled, codes[train.sample], persons[train.sample])
    found = [" with ".join(repr(names[at]) for at in place) for place in places]
    if not found:
        return []
    return [
        f"the label follows from {few(found)} alone, across persons: is it the "
        "label in another form, or the order of the recording? Then the score is not one of "
        "recognising anything; name such columns in data.ignore"
    ]


def disguises(values: np.ndarray, codes: np.ndarray, persons: np.ndarray) -> list[tuple[int, ...]]:
    """Features, and pairs of them, that give the label away: the nearest row of others has it.

    All features are looked at with a few of the rows, pairs among those most telling by themselves,
    and what is suspicious again with all.

    Parameters
    ----------
    values : (m, p) float64 features of the rows that `sample_of` chooses.
    codes : (m,) class codes.
    persons : (m,) integers or text.

    Returns
    -------
    The positions of such features, and of pairs of which neither tells it by itself.
    """
    labels = codes.astype(np.int64)
    who = np.unique(persons, return_inverse=True)[1]
    width = values.shape[1]
    if not _can_judge(labels, who, width):
        return [(at,) for at in _other_names(values, labels, who)]
    rough = _Neighbours(values[:ROUGH], labels[:ROUGH], who[:ROUGH])
    fine = _Neighbours(values, labels, who)
    shares = np.concatenate(
        [
            rough.told(np.arange(first, min(first + COLUMNS_AT_ONCE, width)))
            for first in range(0, width, COLUMNS_AT_ONCE)
        ]
    )
    alone = np.flatnonzero(shares >= _ALONE - 0.05).tolist()
    alone = [at for at in alone if fine.told([at])[0] >= _ALONE]
    others = [at for at in np.argsort(-shares, kind="stable").tolist() if at not in alone]
    near = {at: rough.distances(at) for at in others[:_MOST_PAIRED]}
    together = []
    for a, b in combinations(near, 2):
        if rough.share(near[a] + near[b]) < max(_TOGETHER - 0.07, shares[a], shares[b]):
            continue
        share = fine.share(fine.distances(a) + fine.distances(b))
        if share >= max(_TOGETHER, *(fine.told([a, b]) + _GAIN)):
            together.append((min(a, b), max(a, b)))
    return [*((at,) for at in alone), *together]


def _can_judge(labels: np.ndarray, persons: np.ndarray, features: int) -> bool:
    """Whether so much being told by one of the features, or a pair, could hardly be chance.

    Nearest rows come in pairs, so half of them count. Where people show one class each, rows of one
    person are no evidence, but persons are.
    """
    shown = np.unique(np.column_stack([persons, labels]), axis=0)
    counts = np.unique(shown[:, 0], return_counts=True)[1]
    evidence = labels if (counts > 1).mean() >= 0.5 else shown[:, 1]
    shares = np.unique(evidence, return_counts=True)[1] / len(evidence)
    bits = len(evidence) / 2 * -(shares * np.log2(shares)).sum()
    return bool(bits >= np.log2(features + _MOST_PAIRED**2 / 2) + _MARGIN)


def _other_names(values: np.ndarray, labels: np.ndarray, persons: np.ndarray) -> list[int]:
    """Features that have one value in each class, another in each: the label by other names.

    However few people there are, nothing else can be learnt from them. Of a class that only one
    person shows, such a value may be that person's.
    """
    shown = np.unique(np.column_stack([labels, persons]), axis=0)[:, 0]
    classes, people = np.unique(shown, return_counts=True)
    if len(classes) < 2 or people.min() < 2:
        return []
    rows = [values[labels == code] for code in classes]
    low, high = (np.array([f(part, axis=0) for part in rows]) for f in (np.min, np.max))
    are_different = (np.diff(np.sort(low, axis=0), axis=0) > 0).all(axis=0)
    return np.flatnonzero((low == high).all(axis=0) & are_different).tolist()


class _Neighbours:
    """How well the nearest row of another person tells the label of each row of a sample."""

    def __init__(self, values: np.ndarray, labels: np.ndarray, persons: np.ndarray) -> None:
        self._values, self._labels, self._persons = values, labels, persons
        self._own = persons[:, None] == persons
        shown_by = np.unique(np.column_stack([labels, persons]), axis=0)[:, 0]
        # A class that only one person shows, nobody else's row can tell.
        self._classes = np.flatnonzero(np.bincount(shown_by) > 1)
        self._counts = np.bincount(labels)

    def distances(self, at: int) -> np.ndarray:
        """(m, m) float32 differences of a feature's ranks, up to 1; infinite within a person."""
        places = self._places(at)
        found = np.abs(places[:, None] - places)
        found[self._own] = np.inf
        return found

    def share(self, distances: np.ndarray) -> float:
        """The share of rows whose label is that of the nearest row, as a mean over classes."""
        is_right = self._labels[distances.argmin(axis=1)] == self._labels
        return float(self._shares(self._labels[None], is_right[None])[0])

    def told(self, features: Sequence[int]) -> np.ndarray:
        """The share for each of the features, as `share` has it for its `distances`, if no two tie.

        In order of a feature's values, as all distances would take long.
        """
        values = self._values[:, features].T
        order, places = _ranked(values)
        rows = np.arange(values.shape[1])
        persons, labels = self._persons[order], self._labels[order]
        is_start = np.diff(persons, prepend=persons[:, :1] - 1) != 0
        # The nearest row of somebody else lies before or after the run of rows of one person.
        before = np.maximum.accumulate(np.where(is_start, rows, 0), axis=1) - 1
        starts = np.where(is_start, rows, len(rows))[:, ::-1]
        following = np.minimum.accumulate(starts, axis=1)[:, ::-1]
        after = np.append(following[:, 1:], np.full((len(values), 1), len(rows)), axis=1)
        places = places.astype(np.float64)
        apart = np.append(places, np.full((len(values), 1), np.inf), axis=1)  # at -1 and after all
        is_before = np.abs(places - np.take_along_axis(apart, before, 1)) <= np.abs(
            np.take_along_axis(apart, after, 1) - places
        )
        nearest = np.minimum(np.where(is_before, before, after), len(rows) - 1)
        is_right = np.take_along_axis(labels, nearest, 1) == labels
        return self._shares(labels, is_right)

    def _places(self, at: int) -> np.ndarray:
        """(m,) float32 ranks of a feature's values, from 0 to 1; 2 where it is missing."""
        (order,), (ranked,) = _ranked(self._values[:, at][None])
        places = np.empty_like(ranked)
        places[order] = ranked
        return places

    def _shares(self, labels: np.ndarray, is_right: np.ndarray) -> np.ndarray:
        """(k,) shares, where of (k, m) labels so many are right."""
        if len(self._classes) < 2:
            return np.zeros(len(labels))
        kinds = len(self._counts)
        at = (np.arange(len(labels))[:, None] * kinds + labels)[is_right]
        right = np.bincount(at, minlength=len(labels) * kinds).reshape(-1, kinds)
        right = right.take(self._classes, axis=1)
        return (right / self._counts[self._classes]).mean(axis=1)


def _ranked(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of (k, m) float64, how to order each row, and in that order float32 ranks from 0 to 1.

    Ranks of missing values, which come last, are 2.
    """
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, 1)
    is_missing = np.isnan(ordered)
    steps = (ordered[:, 1:] != ordered[:, :-1]) & ~is_missing[:, :-1]  # one rank for all missing
    ranks = np.zeros(values.shape, np.int64)
    np.cumsum(steps, axis=1, out=ranks[:, 1:])
    places = (ranks / np.maximum(ranks[:, -1:], 1)).astype(np.float32)
    places[is_missing] = 2
    return order, places
