"""How far apart two files are, estimated from their sketches alone.

Which parts differ is certain, by their digests. How many of a part's cells do is estimated from
which of its counters do, and by how much from how far the counters are apart. Of parts with no
more cells than counters both are exact.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ledger.kinds.sketch import Part, Summary, read_sketch
from ledger.kinds.sketch_rows import sizes

DIGITS = {"float": 24, "double": 53, "halffloat": 11, "F32": 24, "F64": 53, "F16": 11, "BF16": 8}
"""The binary digits of the float types, whose distances are in ulps."""

HASHED = ("text", "bool", "BOOL")
"""Types whose distances mean nothing."""

SHARES = 96
"""How many shares of differing cells are tried, from less than one cell to all, by factors."""

CHANCE = 0.002
"""How likely a counter is equal though some of its cells differ."""

ROUNDS = 200
"""Steps of the EM algorithm; a few dozen change nothing more that is shown."""


class Apart(NamedTuple):
    """Two summaries of one part that differ.

    Attributes
    ----------
    gaps : how far the counters are apart, float64, not negative.
    differ : which counters differ at all, their checks included, bool.
    rows : how many cells each counter holds, int64.
    """

    part: Part
    gaps: np.ndarray
    differ: np.ndarray
    rows: np.ndarray


def sketch_distance(a: str, b: str) -> dict[str, Any]:
    """What tells two files apart, as far as their sketches show it, as plain JSON.

    `whole` and, by name of those that differ, `parts` hold the figures of `_figures`;
    `only_in_a`, `only_in_b`, `types` and `shapes` say which parts cannot be compared cell by cell.

    Raises
    ------
    ValueError
        When either is no sketch.
    """
    left, right = ({s.part.name: s for s in read_sketch(text)} for text in (a, b))
    found = _unlike({n: s.part for n, s in left.items()}, {n: s.part for n, s in right.items()})
    alike = [
        (left[name], right[name])
        for name in left
        if name in right and left[name].part == right[name].part
    ]
    differing = [_apart(x, y) for x, y in alike if x.digest != y.digest]
    counts = _counts(differing) if differing else np.empty(0)
    parts = {
        apart.part.name: _figures([apart], counts[n : n + 1], apart.part.rows)
        for n, apart in enumerate(differing)
    }
    whole = _figures(differing, counts, sum(x.part.rows for x, _ in alike))
    return {**found, "whole": whole, "parts": parts}


def _unlike(a: Mapping[str, Part], b: Mapping[str, Part]) -> dict[str, Any]:
    """Parts of one side only, and pairs of another type or shape; nothing where there are none."""
    both = [name for name in a if name in b]
    found = {
        "only_in_a": [name for name in a if name not in b],
        "only_in_b": [name for name in b if name not in a],
        "types": {n: [a[n].type, b[n].type] for n in both if a[n].type != b[n].type},
        "shapes": {
            n: [list(a[n].shape), list(b[n].shape)] for n in both if a[n].shape != b[n].shape
        },
    }
    return {what: names for what, names in found.items() if names}


def _apart(a: Summary, b: Summary) -> Apart:
    # Modulo 2**64 and read as signed, a difference of sums is the sum of the differences.
    gaps = (a.sums - b.sums).astype(np.float64)
    return Apart(a.part, np.abs(gaps), (gaps != 0) | (a.checks != b.checks), sizes(a.layout))


def _counts(parts: list[Apart]) -> np.ndarray:
    """How many cells of each part differ, at least one, float64.

    If a share of all cells differs, a counter of m cells is equal with probability
    (1 - share)**m. How the shares are spread over the parts is estimated from all parts together
    (nonparametric maximum likelihood; Kiefer and Wolfowitz, 1956), and each part's count is its
    mean given that, so many parts with few counters each tell much. A part with a counter for each
    cell is counted.
    """
    cells = np.array([part.part.rows for part in parts])
    shares = np.geomspace(0.1 / cells.max(), 1 - 1e-9, SHARES)
    some = -np.expm1(np.outer(cells, np.log1p(-shares)))
    likelihoods = np.array([_likelihoods(part, shares) for part in parts]) / some
    weights = np.full(SHARES, 1 / SHARES)
    for _ in range(ROUNDS):
        posterior = likelihoods * weights
        posterior /= posterior.sum(axis=1, keepdims=True)
        weights = posterior.mean(axis=0)
    means = (posterior * np.outer(cells, shares) / some).sum(axis=1)
    exact = np.array([part.rows.max() == 1 for part in parts])
    return np.where(exact, [max(1, part.differ.sum()) for part in parts], means.round())


def _likelihoods(part: Apart, shares: np.ndarray) -> np.ndarray:
    """How likely it is by each share that just these counters differ, up to a factor."""
    with np.errstate(divide="ignore"):
        differ = np.log1p(-CHANCE) + np.log(-np.expm1(np.outer(part.rows, np.log1p(-shares))))
        logs = np.where(part.differ[:, None], differ, np.log1p(-np.exp(differ))).sum(axis=0)
    return np.exp(logs - logs.max())


def _figures(parts: list[Apart], counts: np.ndarray, cells: int) -> dict[str, Any]:
    """Estimates for some parts together.

    Returns
    -------
    `cells`, and how many and which `share` of them are `differing`; and of those the `distance`:
    its `unit` (`ulp`, or `step` where only integers differ), what is `typical` (near the root of
    the mean square, but no outlier moves it), bounds of the largest, `least` and `most`, and where
    ulps end to be a measure, `binade`, a factor of two. No distance is known of texts.
    """
    differing = int(counts.sum())
    found = {"cells": cells, "differing": differing, "share": differing / cells if cells else 0.0}
    for unit in ("ulp", "step"):
        chosen = [n for n, part in enumerate(parts) if _unit(part.part) == unit]
        if any(parts[n].gaps.any() for n in chosen):
            sizes = _sizes([parts[n] for n in chosen], counts[chosen])
            digits = [DIGITS[parts[n].part.type] for n in chosen if unit == "ulp"]
            binade = {"binade": 2 ** (min(digits) - 1)} if digits else {}
            return {**found, "distance": {"unit": unit, **sizes, **binade}}
    return found


def _unit(part: Part) -> str | None:
    return "ulp" if part.type in DIGITS else None if part.type in HASHED else "step"


def _sizes(parts: list[Apart], counts: np.ndarray) -> dict[str, float]:
    squares, least, most = [], 0.0, 0.0
    for part, count in zip(parts, counts, strict=True):
        share = min(count / part.part.rows, 1 - 1e-9)
        gaps, rows = part.gaps[part.differ], part.rows[part.differ]
        # How many cells of such a counter differ, on average.
        cells = np.maximum(1, share * rows / -np.expm1(rows * np.log1p(-share)))
        # The median of the square of a sum of many is 0.455 times its mean (chi-squared).
        squares.append(gaps**2 / cells / (0.455 + 0.545 / cells))
        # The largest is at least the mean, of rather more cells than on average lest many
        # counters find one with a large gap by chance, and at most the root of all squares' sum.
        many = cells + 2 * np.sqrt(cells - 1)
        least = max(least, (gaps / many).max(initial=0.0))
        most = max(most, float(np.sqrt((gaps**2).sum())))
    typical = float(np.sqrt(np.median(np.concatenate(squares))))
    return {"typical": max(1.0, typical), "least": max(1.0, float(least)), "most": most}
