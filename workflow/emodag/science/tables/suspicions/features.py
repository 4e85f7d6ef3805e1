"""Features that are not the same thing in all rows: codes for missing, another unit, no value."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from emodag.science.tables.suspicions.glance import COLUMNS_AT_ONCE, Glance
from emodag.science.tables.table import few, listed

_CODES = (-99.0, 99.0, -999.0, 999.0, -9999.0, 9999.0, -99999.0, 99999.0)
"""Numbers that often stand for a missing value."""

_CODED, _FEWEST_CODED = 0.01, 5
"""Share of a feature's rows, and their number, from which on such a number may be meant so."""

_FEWEST = 20
"""Values of a feature from which on its sizes are compared."""

_APART = 50
"""How many times as large the small values of one table are as the large ones of the other, from
which on one may be in another unit: of 1,000 times, those of a normal distribution are 280."""

_FEWEST_LEARNT, _FEWEST_TESTED = 10, 5
"""So many persons to learn from, and to predict, do not all differ by chance: splits of 35 people's
702 features, and made-up ones of 10 and 5, gave no false alarm."""

_CELLS_AT_ONCE = 1 << 17
"""Cells that are put in order together."""


def coded_features(page: Glance) -> dict[float, set[int]]:
    """By code, the features that hold it in many rows, and as one for missing, such as -999.

    It is farther from all others than those are from each other, or negative where they are not.
    Of a feature with fewer than two others nothing is said.
    """
    found: dict[float, set[int]] = {}
    suspects = np.flatnonzero(np.isin(page.sampled, _CODES).any(axis=0))
    fewest = max(_FEWEST_CODED, _CODED * len(page.sampled))
    for start in range(0, len(suspects), COLUMNS_AT_ONCE):
        columns = suspects[start : start + COLUMNS_AT_ONCE]
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
        f"{listed(names)} {'has' if len(names) == 1 else 'have'} no value in the test table: "
        "models learn from what the test table lacks, and the cross-validated score is not of its "
        "kind; name such columns in data.ignore"
    ]


def magnitudes(values: np.ndarray) -> np.ndarray:
    """(3, p) quartiles of the absolute values of (m, p) features; NaN of such with few values."""
    return _quantiles(values, (25, 50, 75), of=np.abs)


def extents(values: np.ndarray) -> np.ndarray:
    """(4, p): what a tenth of (m, p) features lies below, and a tenth above; the same of sizes.

    NaN of features with few values.
    """
    return np.concatenate([_quantiles(values, (10, 90), of=of) for of in (np.positive, np.abs)])


def beyond_everybody(
    train: np.ndarray, persons: np.ndarray, test: np.ndarray, tested: int
) -> np.ndarray:
    """(p,) whether nearly all test rows are farther from each person than these are apart.

    Persons are apart by their medians. A few people may differ so by chance: of few, nothing is
    said.

    Parameters
    ----------
    train : (m, p) float64 features of some rows, whose `persons` are of shape (m,).
    test : `extents` of the test table, with `tested` persons in it, about.
    """
    people = np.unique(persons)
    found = np.zeros(train.shape[1], bool)
    if len(people) < _FEWEST_LEARNT or tested < _FEWEST_TESTED:
        return found
    for of, (low, high) in zip((np.positive, np.abs), (test[:2], test[2:]), strict=True):
        own = (train[persons == person] for person in people)
        medians = np.concatenate([_quantiles(rows, (50,), of=of, fewest=1) for rows in own])
        first, last = np.fmin.reduce(medians, axis=0), np.fmax.reduce(medians, axis=0)
        with np.errstate(over="ignore", invalid="ignore"):  # of artefacts such as 1e308
            span = last - first
            found |= ((low > last + span) | (high < first - span)) & (span > 0)
    return found


def _quantiles(
    values: np.ndarray,
    hundredths: Sequence[int],
    *,
    of: Callable[[np.ndarray], np.ndarray],
    fewest: int = _FEWEST,
) -> np.ndarray:
    """(k, p) lower quantiles `of` (m, p) features; NaN of such with fewer than `fewest` values."""
    found = np.full((len(hundredths), values.shape[1]), np.nan)
    step = _CELLS_AT_ONCE // max(len(values), 1)
    for start in range(0, values.shape[1], step):
        ordered = np.sort(of(values[:, start : start + step]), axis=0)  # NaN last
        counts = (~np.isnan(ordered)).sum(axis=0)
        at = np.flatnonzero(counts >= fewest)
        for place, share in enumerate(hundredths):
            found[place, start + at] = ordered[(counts[at] - 1) * share // 100, at]
    return found


def in_another_unit(
    train: np.ndarray, test: np.ndarray, beyond: np.ndarray, names: Sequence[str]
) -> list[str]:
    """Features `beyond` everybody, or whose `magnitudes` are apart as no two persons' are."""
    with np.errstate(over="ignore"):  # of artefacts such as 1e308
        is_apart = (test[0] > _APART * train[2]) | (train[0] > _APART * test[2])
    found = np.flatnonzero((is_apart | beyond) & (train[1] > 0) & (test[1] > 0))
    if not len(found):
        return []
    told = few(f"{names[at]!r} ({test[1, at] / train[1, at]:.2g} times)" for at in found)
    return [
        f"{told}: values in the test table are so many times those in the "
        "training table, as no two persons' are: are they in another unit? Write both tables in one"
    ]
