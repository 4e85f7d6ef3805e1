"""Features that are not the same thing in all rows: codes for missing, another unit, no value."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from emodag.science.tables.suspicions.glance import COLUMNS_AT_ONCE, Glance
from emodag.science.tables.table import listed

_CODES = (-99.0, 99.0, -999.0, 999.0, -9999.0, 9999.0, -99999.0, 99999.0)
"""Numbers that often stand for a missing value."""

_CODED, _FEWEST_CODED = 0.01, 5
"""Share of a feature's rows, and their number, from which on such a number may be meant so."""

_FEWEST = 20
"""Values of a feature from which on its sizes are compared."""

_APART = 50
"""How many times as large the small values of one table are as the large ones of the other, from
which on one may be in another unit: of 1,000 times, those of a normal distribution are 280."""


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
        f"{listed(list(names))} {'has' if len(names) == 1 else 'have'} no value in the test table: "
        "models learn from what the test table lacks, and the cross-validated score is not of its "
        "kind; name such columns in data.ignore"
    ]


def magnitudes(values: np.ndarray) -> np.ndarray:
    """(3, p) quartiles of the absolute values of (m, p) features; NaN of such with few values."""
    found = np.full((3, values.shape[1]), np.nan)
    for start in range(0, values.shape[1], COLUMNS_AT_ONCE):
        columns = slice(start, start + COLUMNS_AT_ONCE)
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
