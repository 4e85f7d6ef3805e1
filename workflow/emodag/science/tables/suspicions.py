"""What makes a score lie although each cell is sound: the same people twice, the label in disguise.

Everything here is computed from a table's features as ingest has written them, and does not depend
on how the file they came from is organised.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from emodag.science.tables.spelling import several_spellings, skeleton
from emodag.science.tables.table import listed

_GOLDEN = 0x9E3779B97F4A7C15
"""2**64 over the golden ratio: its multiples modulo 2**64 are spread evenly and repeat nothing."""

_COLUMNS_AT_ONCE = 64
ROUGH, _FINE = 500, 2000
"""Rows that all features, and then the suspicious ones, are looked at with."""

_SAMPLE_BYTES = 128 << 20
"""What they take at most: of a table with very many columns there are fewer rows."""

_MARGIN = 10
"""Bits by which what the labels hold must exceed what a choice among the features may tell."""

_FEWEST = 20
"""Rows of a person from which on neighbours are compared."""

_MOST_PAIRED = 20
"""The features most telling by themselves, of which pairs are looked at."""

_ALONE, _TOGETHER = 0.97, 0.95
"""Share of the rows told, class by class, from which on a feature, or a pair, gives them away.

A pair's border between two classes is a line, near which the nearest row is of the other class."""

_GAIN = 0.15
"""By how much a pair must tell more than the better of the two: else it is that one which tells."""

_NEARLY_EQUAL = 0.05
"""Ratio of neighbours' squared differences to those of any two rows of the person; 1 is chance."""

_CODES = (-99.0, 99.0, -999.0, 999.0, -9999.0, 9999.0, -99999.0, 99999.0)
"""Numbers that often stand for a missing value."""

_CODED, _FEWEST_CODED = 0.01, 5
"""Share of a feature's rows, and their number, from which on such a number may be meant so."""

_COMPARED = 256
"""Rows of each table for which the nearest one is looked for."""

_AMONG = 1 << 16
"""And among how many training rows, about."""

_NEARLY_SAME, _MANY_NEAR = 0.01, 0.05
"""Up to which share of the usual distance between persons rows are copies but for noise, and how
many such rows, as a share of those compared, are told."""

_APART = 50
"""How many times as large the small values of one table are as the large ones of the other, from
which on one may be in another unit: of 1,000 times, those of a normal distribution are 280."""

_NEIGHBOURED = 32
"""Features by which neighbouring rows are compared."""


NOBODY = np.empty(0, np.int64)
"""The persons of no rows."""


@dataclass(frozen=True)
class Glance:
    """What is kept of a table of (n, p) features, which may be too large for memory.

    Attributes
    ----------
    digests : (n,) uint64, equal for rows that are equal as float32.
    empty : (n,) boolean, whether a row has no value at all but zeros, as of a sensor that is off.
    sample : (m,) the rows that `sampled` holds, in an order without a period.
    sampled : (m, p) float64.
    watched : (n, w) float64, some of the columns.
    """

    digests: np.ndarray
    empty: np.ndarray
    sample: np.ndarray
    sampled: np.ndarray
    watched: np.ndarray


def glance(path: Path) -> Glance:
    """Go once through a file of float64 features, a few columns of a row group at a time."""
    with pq.ParquetFile(path) as file:
        rows, width = file.metadata.num_rows, file.metadata.num_columns
        sample = sample_of(rows, width)
        watched = np.unique(np.linspace(0, width - 1, _NEIGHBOURED).astype(np.int64))
        digests, empty = np.zeros(rows, np.uint64), np.ones(rows, bool)
        chosen = np.empty((len(sample), width), order="F")
        seen = np.empty((rows, len(watched)))
        for rows_, columns, values in _blocks(file):
            # As float32, as one of two tables may have been saved so; -0.0 becomes 0.0.
            with np.errstate(over="ignore"):  # of artefacts such as 1e308
                bits = (values.astype(np.float32).astype(np.float64) + 0.0).view(np.uint64)
            weights = (2 * np.arange(columns.start, columns.stop, dtype=np.uint64) + 1) * np.uint64(
                _GOLDEN
            )
            mixed = (bits ^ (bits >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(32))) * weights[:, None]
            digests[rows_] += mixed.sum(axis=0, dtype=np.uint64)
            empty[rows_] &= (np.isnan(values) | (values == 0)).all(axis=0)
            inside = np.flatnonzero((sample >= rows_.start) & (sample < rows_.stop))
            chosen[inside, columns] = values[:, sample[inside] - rows_.start].T
            for at in np.flatnonzero((watched >= columns.start) & (watched < columns.stop)):
                seen[rows_, at] = values[watched[at] - columns.start]
    return Glance(digests, empty, sample, chosen, seen)


def sample_of(rows: int, features: int) -> np.ndarray:
    """(m,) the rows of a table that features are looked at with, in an order without a period."""
    order = np.argsort(np.arange(rows, dtype=np.uint64) * np.uint64(_GOLDEN), kind="stable")
    return order[: min(_FINE, _SAMPLE_BYTES // (8 * features))]


def _blocks(file: pq.ParquetFile) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Rows, columns, and their values of shape (columns, rows)."""
    names, first = file.schema_arrow.names, 0
    for group in range(file.num_row_groups):
        rows = slice(first, first + file.metadata.row_group(group).num_rows)
        for start in range(0, len(names), _COLUMNS_AT_ONCE):
            columns = slice(start, min(start + _COLUMNS_AT_ONCE, len(names)))
            table = file.read_row_group(group, columns=names[columns], use_threads=False)
            yield rows, columns, np.array([column.to_numpy() for column in table.columns])
        first = rows.stop


def same_rows(
    train: Glance, pool: Glance | None, persons: np.ndarray, unlabelled: np.ndarray = NOBODY
) -> list[str]:
    """Rows that are equal in all features: of both tables, of two persons, or of one.

    Nothing is said of tables so coarse that equal rows are to be expected.

    Parameters
    ----------
    pool : the test rows, then the unlabelled ones; None if there are neither.
    persons : (n,) the person of each training row.
    unlabelled : (u,) and of each unlabelled one.
    """
    pages = [train] if pool is None else [train, pool]
    digests = np.concatenate([page.digests for page in pages])
    empty = np.concatenate([page.empty for page in pages])
    rows = len(digests)
    if _is_coarse(train.sampled, rows):
        return []
    found = []
    tested = slice(len(persons), rows - len(unlabelled))
    known = train.digests[~train.empty]
    shared = int((np.isin(digests[tested], known) & ~empty[tested]).sum())
    if shared:
        found.append(
            f"{_rows(shared)} of the test table {_are(shared)} in the training table too: how the "
            "test table is predicted says nothing of people not seen; take them out of one table"
        )
    digests = np.delete(digests, tested)
    order = np.argsort(digests, kind="stable")
    order = order[~np.delete(empty, tested)[order]]
    digests = digests[order]
    who = np.concatenate([persons, unlabelled.astype(persons.dtype)])[order]
    twins = np.flatnonzero((digests[1:] == digests[:-1]) & (who[1:] != who[:-1]))
    if len(twins):
        names = sorted({str(who[at + side]) for at in twins for side in (0, 1)})
        where = "to learn from" if len(unlabelled) else "of the training table"
        found.append(
            f"{_rows(len(twins))} {where} {_are(len(twins))} there under two persons "
            f"({listed(names)}): folds that keep people apart hold the same one on both sides; "
            "give each person one name, or remove the copies"
        )
    is_copy = (digests[1:] == digests[:-1]) & (who[1:] == who[:-1]) & (order[1:] < len(persons))
    if copies := int(is_copy.sum()):
        found.append(
            f"{_rows(copies)} of the training table {_are(copies)} copies of others of the same "
            "person: were files read twice? Such rows weigh more; remove the copies"
        )
    return found


def _is_coarse(values: np.ndarray, rows: int) -> bool:
    """Whether among `rows` such rows as the (m, p) values some are equal by chance."""
    bits = accumulate(np.log2(len(np.unique(column))) for column in values.T)
    return not any(found >= 2 * np.log2(rows) + 10 for found in bits)  # pairs of rows, a margin


def nearly_same_rows(
    train: Glance, pool: Glance | None, persons: np.ndarray, tested: int = 0
) -> list[str]:
    """Rows of the test table, or under two names, that are copies but for rounding or noise.

    In the watched features they are far nearer to each other than rows of two persons usually are.

    Parameters
    ----------
    pool : the `tested` test rows, then the unlabelled ones; None if there are neither.
    persons : (n,) the person of each training row.
    """
    low, middle, high = np.nanquantile(train.watched, [0.25, 0.5, 0.75], axis=0)
    with np.errstate(over="ignore"):  # of artefacts such as 1e308
        width = high - low
    varied = (width > 0) & np.isfinite(width)

    def placed(values: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            places = (values[:, varied] - middle[varied]) / width[varied]
        return np.nan_to_num(np.clip(places, -10, 10), nan=20)

    some = slice(None, None, 1 + len(persons) // _AMONG)
    others = placed(train.watched[some])
    if _is_coarse(others, len(others)):
        return []
    _, which, counts = np.unique(train.digests, return_inverse=True, return_counts=True)
    rows = train.sample[:_COMPARED]
    rows = rows[counts[which[rows]] == 1]
    across = _nearest(placed(train.watched[rows]), others, persons[rows, None] == persons[some])
    usual = np.median(across) if len(across) else 0.0
    if not 0 < usual < np.inf:
        return []
    copied, found = (across < _NEARLY_SAME * usual).mean(), []
    if copied > _MANY_NEAR:
        found.append(
            f"about {copied:.0%} of the training table's rows are nearly equal to one of another "
            "person, as rounded copies are: folds that keep people apart hold the same one on both "
            "sides; give each person one name, or remove the copies"
        )
    if pool is not None:
        rows = pool.sample[pool.sample < tested][:_COMPARED]
        rows = rows[~np.isin(pool.digests[rows], train.digests)]
        near = _nearest(placed(pool.watched[rows]), others) < _NEARLY_SAME * usual
        if len(near) and near.mean() > _MANY_NEAR + 2 * copied:
            found.append(
                f"about {near.mean():.0%} of the test table's rows are nearly equal to one of the "
                "training table, as rounded copies are: how the test table is predicted says "
                "nothing of people not seen; take them out of one table"
            )
    return found


def _nearest(rows: np.ndarray, others: np.ndarray, apart: np.ndarray | None = None) -> np.ndarray:
    """(k,) how far each of some rows is from the nearest of (n, w) others, in its worst feature.

    `apart` tells for k rows and n others which not to look at, as those of the same person.
    """
    found = np.empty(len(rows))
    for at, row in enumerate(rows):
        distances = np.abs(others - row).max(axis=1)
        if apart is not None:
            distances[apart[at]] = np.inf
        found[at] = distances.min()
    return found


def same_persons(
    train: Iterable[object], test: Iterable[object], unlabelled: Iterable[object] = ()
) -> list[str]:
    """Persons whom both tables name, and such as are written in several spellings.

    `unlabelled` are the persons of unlabelled rows, who may be the training table's.
    """
    learnt = {str(person) for person in train}
    spellings: dict[str, list[str]] = {}
    for name in sorted(learnt.union(map(str, unlabelled))):
        spellings.setdefault(skeleton(name), []).append(name)
    found = []
    twice = [f"{' and '.join(map(repr, names))}" for names in spellings.values() if len(names) > 1]
    if twice:
        found.append(
            f"{'; '.join(twice)}: probably one person in several spellings, whom folds then take "
            "for several; write each name one way"
        )
    plain = {skeleton(name) for name in learnt}
    both = sorted({str(person) for person in test if skeleton(str(person)) in plain})
    if both:
        found.append(
            f"{listed(both)} of the test table {_are(len(both))} in the training table too: how "
            "the test table is predicted says nothing of people not seen; take them out of one"
        )
    return found


def one_of_several_spellings(numbers: Sequence[str], what: str) -> list[str]:
    """That `numbers`, each given in all its spellings, were taken for one person, or class, each.

    The spellings come as "'1' and '1.0'".
    """
    if not numbers:
        return []
    more = f"; and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return [
        f"{'; '.join(numbers[:5])}{more}: one number each, and so taken for one {what}; if that is "
        f"not meant, begin each {what}'s name with a letter"
    ]


def classes_alike(classes: Sequence[str]) -> list[str]:
    """Classes that are probably one in several spellings."""
    found = [" and ".join(map(ascii, names)) for names in several_spellings(classes)]
    if not found:
        return []
    return [
        f"{'; '.join(found)}: probably one class in several spellings, which fits then take for "
        "several; write each class one way, and name it once in data.classes"
    ]


def called_as_missing(names: Sequence[str]) -> list[str]:
    """That persons are called by `names` that often stand for a missing cell, such as NA."""
    if not names:
        return []
    one, them = ("a person", "it") if len(names) == 1 else ("persons", "them")
    return [
        f"{listed(list(names))} {_are(len(names))} taken for {one}, as cells of text are there; "
        f"where that stands for a missing one, name {them} in data.missing_values"
    ]


def telling_features(
    train: Glance, names: Sequence[str], codes: np.ndarray, persons: np.ndarray
) -> list[str]:
    """What to say of the features and pairs that `disguises` finds; nothing where it finds none."""
    places = disguises(train.sampled, codes[train.sample], persons[train.sample])
    found = [" with ".join(repr(names[at]) for at in place) for place in places]
    if not found:
        return []
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return [
        f"the label follows from {', '.join(found[:5])}{more} alone, across persons: is it the "
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
            rough.told(np.arange(first, min(first + _COLUMNS_AT_ONCE, width)))
            for first in range(0, width, _COLUMNS_AT_ONCE)
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


def equal_neighbours(train: Glance, persons: np.ndarray) -> list[str]:
    """Whether rows that follow each other are, for most persons, nearly equal.

    Of each person and feature the mean squared difference of neighbours is compared with twice the
    variance, which is what it is for rows in any order.
    """
    ratios = []
    for person in np.unique(persons):
        own = train.watched[persons == person]
        if len(own) < _FEWEST:
            continue
        for column in own.T:
            there = column[~np.isnan(column)]
            with np.errstate(over="ignore", invalid="ignore"):  # of artefacts such as 1e308
                step = np.diff(column)
                step = step[~np.isnan(step)]
                # Of few values, neighbours are often equal.
                is_coarse = len(np.unique(there)) < max(2, min(_FEWEST, len(there) / 2))
                if len(step) >= _FEWEST // 2 and not is_coarse:
                    ratios.append((step**2).mean() / (2 * there.var()))
    ratios = [ratio for ratio in ratios if np.isfinite(ratio)]
    if not ratios or np.median(ratios) >= _NEARLY_EQUAL:
        return []
    return [
        "neighbouring rows of a person are nearly equal, as windows that overlap are: there are "
        "far fewer independent rows than rows, and scores of folds that do not keep people whole, "
        "as stage 0's, are flattered; take windows farther apart"
    ]


def coded_features(page: Glance) -> dict[float, set[int]]:
    """By code, the features that hold it in many rows, and as one for missing, such as -999.

    It is farther from all others than those are from each other, or negative where they are not.
    Of a feature with fewer than two others nothing is said.
    """
    found: dict[float, set[int]] = {}
    suspects = np.flatnonzero(np.isin(page.sampled, _CODES).any(axis=0))
    fewest = max(_FEWEST_CODED, _CODED * len(page.sampled))
    for start in range(0, len(suspects), _COLUMNS_AT_ONCE):
        columns = suspects[start : start + _COLUMNS_AT_ONCE]
        values = page.sampled[:, columns]
        others = np.where(np.isin(values, _CODES), np.nan, values)
        low, high = np.fmin.reduce(others, axis=0), np.fmax.reduce(others, axis=0)
        with np.errstate(over="ignore"):  # of artefacts such as 1e308
            span = high - low
        for code in _CODES:
            is_far = (np.maximum(low - code, code - high) > span) | ((code < 0) & (low >= 0))
            is_many = (values == code).sum(axis=0) >= fewest
            if places := columns[is_far & is_many & (low < high)].tolist():
                found.setdefault(code, set()).update(places)
    return found


def codes_for_missing(coded: Iterable[Mapping[float, set[int]]], names: Sequence[str]) -> list[str]:
    """What to say of the features that `coded_features` finds in some tables."""
    places: dict[float, set[int]] = {}
    for table in coded:
        for code, found in table.items():
            places.setdefault(code, set()).update(found)
    if not places:
        return []
    told = "; ".join(
        f"{code:.0f} in {listed([names[at] for at in sorted(places[code])])}"
        for code in sorted(places)
    )
    codes = ", ".join(f"{code:.0f}" for code in sorted(places))
    return [
        f"{told}: in many rows, and unlike all other values there, as a code for missing; it is "
        f"taken for a number. If it is none, set data.missing_values: [{codes}]"
    ]


def empty_in_test(names: Sequence[str]) -> list[str]:
    """Features `names` without a single value in the test table, where training has some."""
    if not names:
        return []
    return [
        f"{listed(list(names))} {'has' if len(names) == 1 else 'have'} no value in the test table: "
        "models learn from what the test table lacks, and the cross-validated score is not of its "
        "kind; name such columns in data.ignore"
    ]


def magnitudes(values: np.ndarray) -> np.ndarray:
    """(3, p) quartiles of the absolute values of (m, p) features; NaN of such with few values."""
    found = np.full((3, values.shape[1]), np.nan)
    for start in range(0, values.shape[1], _COLUMNS_AT_ONCE):
        columns = slice(start, start + _COLUMNS_AT_ONCE)
        ordered = np.sort(np.abs(values[:, columns]), axis=0)  # NaN last
        counts = (~np.isnan(ordered)).sum(axis=0)
        for at in np.flatnonzero(counts >= _FEWEST):
            quartiles = [(counts[at] - 1) * part // 4 for part in (1, 2, 3)]
            found[:, start + at] = ordered[quartiles, at]
    return found


def in_another_unit(train: np.ndarray, test: np.ndarray, names: Sequence[str]) -> list[str]:
    """Features whose `magnitudes` in two tables are so far apart as no two persons' are."""
    with np.errstate(over="ignore"):  # of artefacts such as 1e308
        is_apart = (test[0] > _APART * train[2]) | (train[0] > _APART * test[2])
    found = np.flatnonzero(is_apart & (train[1] > 0) & (test[1] > 0))
    if not len(found):
        return []
    told = [f"{names[at]!r} ({test[1, at] / train[1, at]:.2g} times)" for at in found[:5]]
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return [
        f"{', '.join(told)}{more}: values in the test table are so many times those in the "
        "training table: are they in another unit? Write both tables in one"
    ]


def _rows(count: int) -> str:
    return f"{count:,} row{'s' if count > 1 else ''}"


def _are(count: int) -> str:
    return "are" if count > 1 else "is"
