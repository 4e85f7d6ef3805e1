"""Which counter of a sketch each row is added to, and with which sign.

Counters take ever fewer rows: the first group of them half of all, the next a quarter, and so on
down to a handful, so that some counter is of the right size whether one cell in a million differs
or every second one. Which rows those are is drawn by a hash of the row's number, the same on every
machine; columns take turns at `PATTERNS` different draws. A part with no more rows than counters
has a counter for each row.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

BLOCK = 1 << 16
"""After so many rows the next draw is used."""

PATTERNS = 8
"""How many draws there are."""

DEEPEST = 24
"""At most so many times the number of rows is halved."""

HASH_BITS = 32


class Layout(NamedTuple):
    """How the rows of one part are spread over its counters; `draw` is which draw comes first."""

    rows: int
    counters: int
    draw: int


class Order(NamedTuple):
    """Rows brought together by counter and sign.

    Attributes
    ----------
    rows : positions of the rows in that order, intp.
    starts : where a new counter or sign begins among them, intp.
    places : which one begins there: twice the counter's number, and one more to subtract, intp.
    """

    rows: np.ndarray
    starts: np.ndarray
    places: np.ndarray


@lru_cache(maxsize=4 * PATTERNS)
def orders(layout: Layout, first: int, count: int) -> tuple[Order, ...]:
    """The order of the `count` rows from `first` on, in blocks; positions count from `first`."""
    found, done = [], 0
    while done < count:
        block, within = divmod(first + done, BLOCK)
        size = min(count - done, BLOCK - within)
        counters, signs = _draw(_turned(layout, block), within, size)
        rows = np.argsort(2 * counters + signs, kind="stable")
        places = (2 * counters + signs)[rows]
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        found.append(Order(rows + done, starts, places[starts]))
        done += size
    return tuple(found)


@lru_cache(maxsize=4 * PATTERNS)
def sizes(layout: Layout) -> np.ndarray:
    """How many rows each counter holds, int64."""
    blocks, rest = divmod(layout.rows, BLOCK)
    found = _histogram(_turned(layout, blocks), rest)
    for turn in range(min(PATTERNS, blocks)):
        times = (blocks - turn - 1) // PATTERNS + 1
        found += times * _histogram(_turned(layout, turn), BLOCK)
    return found


def _turned(layout: Layout, block: int) -> Layout:
    """The layout with the draw that this block uses."""
    return layout._replace(draw=(layout.draw + block) % PATTERNS)


def _histogram(layout: Layout, size: int) -> np.ndarray:
    return np.bincount(_draw(layout, 0, size)[0], minlength=layout.counters)


def _draw(layout: Layout, within: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Counter and sign, intp, of `size` rows of one block, from row `within` of it on."""
    rows, counters, draw = layout
    if rows <= counters:
        return np.arange(within, within + size), np.zeros(size, np.intp)
    levels = max(1, min(rows.bit_length() - 2, DEEPEST))
    groups = min(counters, levels)
    each = counters // groups
    hashed = _hash(np.arange(within, within + size, dtype=np.uint64) + np.uint64(draw * BLOCK))
    # One draw in two falls below half of the range, one in four below a quarter, and so on.
    edges = 1 << np.arange(HASH_BITS - levels + 1, HASH_BITS, dtype=np.uint64)
    level = levels - 1 - np.searchsorted(edges, hashed >> np.uint64(HASH_BITS), side="right")
    group = level * (groups - 1) // max(1, levels - 1)
    low = (hashed & np.uint64(2**HASH_BITS - 1)).astype(np.intp)
    return group * each + (low >> 1) % each, low & 1


def _hash(numbers: np.ndarray) -> np.ndarray:
    """SplitMix64 (Steele, Lea and Flood, 2014) of uint64 numbers."""
    z = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
