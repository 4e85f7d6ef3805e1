"""How far apart two arrays are: which share of the cells differs, and by how much at most.

Two cells are equal when their bits are, or when both are NaN, whatever the payloads: the rule of
`ledger.kinds.digest`. So 0.0 and -0.0 differ, at distance nought. Where only one cell is NaN
or missing, or either is infinite, there is no distance: such cells are counted apart.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

FLOAT_MAX = float(np.finfo(np.float64).max)


@dataclass(frozen=True, kw_only=True)
class Distance:
    """What `distance` finds; the sum of two describes the two pairs of arrays as one.

    Attributes
    ----------
    cells, differing : how many cells there are, and how many of them differ.
    incomparable : how many of the differing ones have no distance.
    absolute : largest |a - b|, at most the largest float64.
    relative : largest |a - b| / max(|a|, |b|), between 0 and 2.
    ulps : most steps from one float to the next between a and b; None also where the arrays are
        not floats of one type.
    squares : the sum of the squares of those relative differences, for `rms`.

    `absolute`, `relative` and `ulps` are None where no two numbers differ.
    """

    cells: int = 0
    differing: int = 0
    incomparable: int = 0
    absolute: float | None = None
    relative: float | None = None
    ulps: int | None = None
    squares: float = 0.0

    @property
    def share(self) -> float:
        """The share of cells that differ; 0 of no cells."""
        return self.differing / self.cells if self.cells else 0.0

    @property
    def rms(self) -> float:
        """Root mean square of the relative differences, over all cells that have a distance.

        Equal cells count as 0, so it is 0 where nothing differs; it has no unit, and is at most 2.
        """
        comparable = self.cells - self.incomparable
        return math.sqrt(self.squares / comparable) if comparable else 0.0

    def figures(self) -> dict[str, Any]:
        """Everything about it, as plain JSON."""
        return {**asdict(self), "share": self.share, "rms": self.rms}

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> "Distance":
        """The distance that `figures` describes."""
        return cls(**{field.name: figures[field.name] for field in fields(cls)})

    def __add__(self, other: "Distance") -> "Distance":
        return Distance(
            cells=self.cells + other.cells,
            differing=self.differing + other.differing,
            incomparable=self.incomparable + other.incomparable,
            absolute=_larger(self.absolute, other.absolute),
            relative=_larger(self.relative, other.relative),
            ulps=_larger(self.ulps, other.ulps),
            squares=self.squares + other.squares,
        )


def distance(a: np.ndarray, b: np.ndarray) -> Distance:
    """The distance between two arrays of one shape.

    Parameters
    ----------
    a, b : booleans, integers, float16 to float64, or anything that knows `!=`. Numbers of two types
        are compared as float64, everything else as objects.

    Raises
    ------
    ValueError
        When the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape} differ")
    a, b, cells = a.ravel(), b.ravel(), a.size
    numbers = a.dtype.kind in "biuf" and b.dtype.kind in "biuf"
    one_type = a.dtype == b.dtype
    if not one_type:
        a, b = (x.astype(np.float64 if numbers else object) for x in (a, b))
    a, b = _changed(a, b)
    differing = a.size
    if a.dtype.kind == "f":
        a, b = _where(np.isfinite(a) & np.isfinite(b), a, b)
    if not (numbers and a.size):
        incomparable = differing if numbers else 0
        return Distance(cells=cells, differing=differing, incomparable=incomparable)
    absolute = _absolute(a, b)
    scale = np.maximum(_magnitude(a), _magnitude(b))
    relative = np.divide(absolute, scale, out=np.zeros_like(scale), where=scale > 0)
    return Distance(
        cells=cells,
        differing=differing,
        incomparable=differing - a.size,
        absolute=float(absolute.max()),
        relative=float(relative.max()),
        ulps=int(ulps(a, b).max()) if one_type and a.dtype.kind == "f" else None,
        squares=float(np.square(relative).sum()),
    )


def ulps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many steps from one float to the next lead from `a` to `b`, cell by cell.

    0.0 and -0.0 are one place, and across them the steps on both sides add up.

    Parameters
    ----------
    a, b : finite floats of one type and shape.

    Returns
    -------
    uint64, of that shape.
    """
    width = 8 * a.dtype.itemsize
    sign = np.uint64(1 << (width - 1))
    x, y = (v.view(f"u{a.dtype.itemsize}").astype(np.uint64) for v in (a, b))
    # Without its sign, a float's bits are its rank among the floats from 0.0 on.
    p, q = x & ~sign, y & ~sign
    return np.where((x ^ y) & sign, p + q, np.maximum(p, q) - np.minimum(p, q))


def _changed(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cells of both at which they differ."""
    if a.dtype.kind != "f":
        return _where(a != b, a, b)
    bits = f"u{a.dtype.itemsize}"
    a, b = _where(a.view(bits) != b.view(bits), a, b)
    return _where(~(np.isnan(a) & np.isnan(b)), a, b)


def _where(mask: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cells of both that a mask keeps, without a copy where it keeps all."""
    return (a, b) if mask.all() else (a[mask], b[mask])


def _magnitude(a: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(np.float64, copy=False))


def _absolute(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b| of finite numbers of one type, as float64."""
    if a.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.minimum(np.abs(a.astype(np.float64, copy=False) - b), FLOAT_MAX)
    # Modulo 2**64, the difference is right even where the type itself cannot hold it.
    return (np.maximum(a, b).astype(np.uint64) - np.minimum(a, b).astype(np.uint64)).astype(
        np.float64
    )


def _larger(a, b):
    """The larger of two figures, of which either may be absent."""
    return b if a is None else a if b is None else max(a, b)
