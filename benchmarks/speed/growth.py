"""How time and memory grow with the table: rows times 1, 2, 4, 8, features times 1/2, 1, 2."""

import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from benchmarks.speed.measuring import Comparison, Cost, task

WINDOWS = 9
"""Windows per trial of the smallest table; 72 make the competition's size, near enough."""

FEATURES = 1792
KINDS = ("ingest", "scale", "fit")
FIGURES = ("CPU seconds", "MB")


def growth(scratch: Path, factors: tuple[int, ...], rounds: int) -> list[Comparison]:
    """Time and memory of the stages that work on whole tables; the fit's is that of one epoch."""
    shapes = [(factor, FEATURES) for factor in factors]
    shapes += [(factors[1], FEATURES // 2), (factors[1], FEATURES * 2)]
    costs: dict[tuple[int, int], dict[str, list[Cost]]] = {}
    sizes: dict[tuple[int, int], dict[str, int]] = {}
    for _ in range(rounds):
        for shape in shapes:
            measured = costs.setdefault(shape, {kind: [] for kind in KINDS})
            sizes[shape] = _once(scratch, shape, measured)
    points = [
        {
            **sizes[shape],
            **{
                kind: {
                    "seconds": median(cost.wall for cost in found),
                    "CPU seconds": median(cost.cpu for cost in found),
                    "MB": median(cost.peak for cost in found),
                }
                for kind, found in costs[shape].items()
            },
        }
        for shape in shapes
    ]
    rows, (half, twice) = points[: len(factors)], points[len(factors) :]
    return [with_rows(rows), with_features([half, rows[1], twice])]


def with_rows(points: Sequence[dict[str, Any]]) -> Comparison:
    """How far from a line the stages are; the line may have an intercept, as of imports."""
    one = Comparison(
        "growth with rows",
        f"ingest, scale and an epoch of a fit, {_sizes(points, 'rows')} rows of "
        f"{points[0]['features']:,} features",
        "within 0.1 of a line",
        "largest distance from a line, relative",
    )
    rows = [point["rows"] for point in points]
    found = {
        f"{kind}, {what}": distance(rows, [point[kind][what] for point in points])
        for kind in KINDS
        for what in FIGURES
    }
    one.facts = {"along": "rows", "points": points, "found": found}
    one.ratios = list(found.values())
    one.reached = max(one.ratios) <= 0.1
    return one


def with_features(points: Sequence[dict[str, Any]]) -> Comparison:
    """What more features cost, over what the work grows by.

    That is the number of features, but for the fit's time that of the network's parameters: the
    attention's two layers grow with the square of the features.
    """
    one = Comparison(
        "growth with features",
        f"the same at {points[0]['rows']:,} rows of {_sizes(points, 'features')} features: growth "
        "over that of the features, of the fit's time over that of the network's parameters",
        "at most 1.1",
        "growth / growth of the work",
    )
    found = {}
    for less, more in pairwise(points):
        for kind in KINDS:
            for what in FIGURES:
                work = "parameters" if (kind, what) == ("fit", "CPU seconds") else "features"
                cost = more[kind][what] / less[kind][what]
                found[f"{kind}, {what}, {more['features']:,}"] = cost / (more[work] / less[work])
    one.facts = {"along": "features", "points": points, "found": found}
    one.ratios = list(found.values())
    one.reached = max(one.ratios) <= 1.1
    return one


def distance(x: list[float], y: list[float]) -> float:
    """Largest relative distance of `y` from the line that fits it best, relatively, over `x`."""
    at, found = np.asarray(x, np.float64), np.asarray(y, np.float64)
    design = np.stack([at, np.ones_like(at)], axis=1) / found[:, None]
    line, *_ = np.linalg.lstsq(design, np.ones_like(found), rcond=None)
    return float(np.abs(design @ line - 1).max())


def _sizes(points: Sequence[dict[str, Any]], along: str) -> str:
    return ", ".join(f"{point[along]:,}" for point in points)


def _once(scratch: Path, shape: tuple[int, int], measured: dict[str, list[Cost]]) -> dict[str, int]:
    """Measure each stage on one table; returns its rows, features and the network's parameters."""
    factor, features = shape
    home = scratch / "growth"
    raw, table, scaled = (home / name for name in ("raw", "table", "scaled"))
    _, twin = task("twin", f"{raw}/", "competition", WINDOWS * factor, features, directory=scratch)
    given = {"ingest": (raw, table), "scale": (table, scaled), "fit": (scaled,)}
    for kind, places in given.items():
        cost, found = task(kind, *(f"{place}/" for place in places), directory=scratch)
        measured[kind].append(cost)
    shutil.rmtree(home)
    return {
        "rows": sum(twin["rows"].values()),
        "features": features,
        "parameters": found["parameters"],
    }
