"""Sketches: small summaries of tables that tell how far apart two of them are without the data.

A part (a column, or a tensor) is summarised by a few counters. Each holds the signed sum of the
ordinals (`ledger.kinds.ordinals`) of some of its rows modulo 2**64, and eight bits of a check.
Such a sum is linear: the difference of two tables' counters is the counter of their differences in
ulps, whose square estimates the sum of squares (Alon, Matias and Szegedy, 1996), and a counter
that differs holds a cell that does. The check is not linear, so ups and downs of one ulp that
cancel in the sum still show. `ledger.compare.sketch_distance` reads all that off.

All arithmetic is that of integers, so a sketch is the same on every machine and in any number of
chunks. As text it is the base64 of a header (its length, four bytes, then JSON: version, and runs
of parts of one type and shape as `[type, shape, names]`) and of each part in turn: four bytes
of its digest, the sums as little-endian int64, the checks as uint8.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from ledger.disk.canonical import canonical_json
from ledger.kinds import ordinals
from ledger.kinds.sketch_rows import PATTERNS, Layout, orders

VERSION = 1

BUDGET = 72_000
"""Most bytes of a sketch; as text it is a third longer."""

ENOUGH = 16_000
"""Bytes of counters in which a few parts get `MOST` counters each, and more parts fewer each."""

MOST, FEW = 64, 4
"""Counters of a part: at most, and where there are many parts as long as the budget allows."""

DIGEST = 4
"""How many bytes of a part's digest a sketch keeps."""

MIX = 0x9E3779B97F4A7C15
"""The golden ratio in 64 bits: the factor that spreads an ordinal's last bits over the first."""


class Part(NamedTuple):
    """A column or tensor: its name, the name of its type, and its shape."""

    name: str
    type: str
    shape: tuple[int, ...]

    @property
    def rows(self) -> int:
        """How many cells it has."""
        return prod(self.shape)


@dataclass(frozen=True)
class Summary:
    """What a sketch says of one part: digest, counters (int64) and checks (uint8)."""

    part: Part
    layout: Layout
    digest: bytes
    sums: np.ndarray
    checks: np.ndarray


class Sketcher:
    """Makes the sketch of one file while its digest is made.

    Nothing comes of a file that `begin` is never called for, or that has too many parts.
    """

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._tallies: list[_Tally] = []
        self._digests: list[bytes] = []

    def begin(self, parts: Iterable[tuple[str, str, Sequence[int]]]) -> None:
        """Say what the file holds: name, type and shape of each part."""
        self._parts = [Part(name, kind, tuple(shape)) for name, kind, shape in parts]
        self._tallies = [_Tally(layout) for layout in _layouts(self._parts)]

    def add_values(self, number: int, values: np.ndarray) -> None:
        """Add the next cells of the part with this number; every NaN must be the same NaN."""
        if self._tallies:
            self._tallies[number].add(ordinals.of_values(values))

    def add_chunk(self, number: int, chunk) -> None:
        """Add the next cells, an Arrow array of text or with missing values."""
        if self._tallies:
            self._tallies[number].add(ordinals.of_chunk(chunk))

    def add_tensor(self, number: int, content: bytes) -> None:
        """Add the bytes of the tensor with this number; without a rule for its type, give up."""
        kind = self._parts[number].type
        if self._tallies and (found := ordinals.of_tensor(kind, content)) is not None:
            self._tallies[number].add(found)
        else:
            self._tallies = []

    def end(self, digests: Iterable[str]) -> None:
        """Say the hexadecimal digest of each part."""
        self._digests = [bytes.fromhex(digest)[:DIGEST] for digest in digests]

    def sketch_lines(self, content: bytes, sha256: str) -> None:
        """Sketch a text file as one part, whose rows are the lines."""
        found = ordinals.of_lines(content)
        self.begin([("line", "text", [len(found)])])
        self._tallies[0].add(found)
        self.end([sha256])

    def text(self) -> str | None:
        """The sketch as text, None where there is none."""
        if not self._tallies:
            return None
        header = _header(self._parts)
        pieces = [len(header).to_bytes(4, "little"), header]
        for digest, tally in zip(self._digests, self._tallies, strict=True):
            pieces += [digest, tally.sums().astype("<i8").tobytes(), tally.checks().tobytes()]
        return base64.b64encode(b"".join(pieces)).decode()


class _Tally:
    """The counters of one part; additions and subtractions are kept apart until the end."""

    def __init__(self, layout: Layout) -> None:
        self._layout, self._rows = layout, 0
        self._sums = np.zeros(2 * layout.counters, np.int64)
        self._checks = np.zeros(2 * layout.counters, np.uint8)

    def add(self, cells: np.ndarray) -> None:
        for order in orders(self._layout, self._rows, len(cells)):
            moved = cells.take(order.rows)
            self._sums[order.places] += np.add.reduceat(moved, order.starts, dtype=np.int64)
            self._checks[order.places] += np.add.reduceat(
                _check(moved), order.starts, dtype=np.uint8
            )
        self._rows += len(cells)

    def sums(self) -> np.ndarray:
        return self._sums[::2] - self._sums[1::2]

    def checks(self) -> np.ndarray:
        return self._checks[::2] + self._checks[1::2]


def read_sketch(text: str) -> list[Summary]:
    """What a sketch says, part by part.

    Raises
    ------
    ValueError
        When the text is no sketch.
    """
    try:
        if len(text) > 2 * BUDGET:
            raise ValueError("it is too long")
        content = base64.b64decode(text, validate=True)
        start = 4 + int.from_bytes(content[:4], "little")
        parts = list(_parts(json.loads(content[4:start])))
        layouts = _layouts(parts)
        if not layouts or len(content) != start + sum(map(_size, layouts)):
            raise ValueError("its length is not that of its parts")
    except (binascii.Error, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not a sketch: {error}") from None
    found = []
    for part, layout in zip(parts, layouts, strict=True):
        middle, end = start + DIGEST, start + _size(layout)
        sums = np.frombuffer(content, "<i8", layout.counters, middle)
        checks = np.frombuffer(content, np.uint8, layout.counters, end - layout.counters)
        found.append(Summary(part, layout, content[start:middle], sums.astype(np.int64), checks))
        start = end
    return found


def _layouts(parts: Sequence[Part]) -> list[Layout]:
    """As many counters for each part as there is room for; none where that is not even one."""
    room = (BUDGET - len(_header(parts))) // max(1, len(parts))
    wanted = min(MOST, max(FEW, ENOUGH // max(1, len(parts)) // 9))
    counters = min(wanted, (room - DIGEST) // 9)
    if counters < 1:
        return []
    return [
        Layout(part.rows, max(1, min(counters, part.rows)), number % PATTERNS)
        for number, part in enumerate(parts)
    ]


def _size(layout: Layout) -> int:
    return DIGEST + 9 * layout.counters


def _header(parts: Sequence[Part]) -> bytes:
    runs = groupby(parts, lambda part: (part.type, part.shape))
    names = ((kind, [part.name for part in run]) for kind, run in runs)
    return canonical_json([VERSION, [[*kind, _shortened(run)] for kind, run in names]])


def _shortened(names: Sequence[str]) -> list[int | str]:
    """Each name as how many characters it shares with the one before, and the rest."""
    found: list[int | str] = []
    for before, name in pairwise(["", *names]):
        pairs = enumerate(zip(before, name, strict=False))
        alike = min(len(before), len(name))
        shared = next((n for n, (x, y) in pairs if x != y), alike)
        found += [shared, name[shared:]]
    return found


def _restored(shortened: Sequence[int | str]) -> Iterator[str]:
    name = ""
    for shared, rest in zip(shortened[::2], shortened[1::2], strict=True):
        name = name[:shared] + rest
        yield name


def _parts(header: list) -> Iterator[Part]:
    version, runs = header
    if version != VERSION:
        raise ValueError("another version")
    for kind, shape, names in runs:
        if not all(type(size) is int and 0 <= size < 2**48 for size in shape):
            raise ValueError(f"{shape!r} is not a shape")
        part = Part("", kind, tuple(shape))
        if not isinstance(kind, str) or part.rows >= 2**48:
            raise ValueError(f"{kind!r} and {shape!r} are not a type and a shape")
        yield from (part._replace(name=name) for name in _restored(names))


def _check(cells: np.ndarray) -> np.ndarray:
    """Eight bits of each cell, uint8: the square of the highest byte of what it is mixed to."""
    kind = np.dtype(f"u{cells.itemsize}").type
    highest = kind(8 * cells.itemsize - 8)
    short = ((cells.view(kind) * kind(MIX >> (64 - 8 * cells.itemsize))) >> highest).astype(
        np.uint8
    )
    short *= short
    return short
