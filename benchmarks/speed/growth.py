"""How time and memory grow with the table: rows times 1, 2, 4, 8, features times 1/2, 1, 2."""

import shutil
from pathlib import Path
from statistics import median

import numpy as np
from benchmarks.speed.measuring import Comparison, Cost, task

WINDOWS = 9
"""Windows per trial of the smallest table; 72 make the competition's size, near enough."""

FEATURES = 1792
KINDS = ("ingest", "scale", "fit")


def growth(scratch: Path, factors: tuple[int, ...], rounds: int) -> Comparison:
    """Time and memory of the stages that work on whole tables, and how far from a line they are.

    A line may have an intercept: what it takes to import, and the network's own size. The fit's
    time is that of one epoch. With the features the attention's two layers grow quadratically.
    """
    one = Comparison(
        "growth",
        f"stages on tables of {FEATURES:,} features, rows x{', x'.join(map(str, factors))}, and of "
        f"half and twice the features at rows x{factors[1]}",
        "within 0.1 of a line",
        "largest distance from a line, relative, rows",
    )
    shapes = [(factor, FEATURES) for factor in factors]
    shapes += [(factors[1], FEATURES // 2), (factors[1], FEATURES * 2)]
    costs: dict[tuple[int, int], dict[str, list[Cost]]] = {}
    sizes: dict[tuple[int, int], int] = {}
    for _ in range(rounds):
        for shape in shapes:
            measured = costs.setdefault(shape, {kind: [] for kind in KINDS})
            sizes[shape] = _once(scratch, shape, measured)
    points = [
        {
            "factor": factor,
            "rows": sizes[factor, features],
            "features": features,
            **{
                kind: {
                    "seconds": median(cost.wall for cost in found),
                    "CPU seconds": median(cost.cpu for cost in found),
                    "MB": median(cost.peak for cost in found),
                }
                for kind, found in costs[factor, features].items()
            },
        }
        for factor, features in shapes
    ]
    one.facts = {"points": points, "distance": {}}
    by_rows = points[: len(factors)]
    for kind in KINDS:
        for what in ("CPU seconds", "MB"):
            one.facts["distance"][f"{kind}, {what}"] = distance(
                [point["rows"] for point in by_rows], [point[kind][what] for point in by_rows]
            )
    one.ratios = list(one.facts["distance"].values())
    one.reached = max(one.ratios) <= 0.1
    return one


def distance(x: list[float], y: list[float]) -> float:
    """Largest relative distance of `y` from the line that fits it best, relatively, over `x`."""
    at, found = np.asarray(x, np.float64), np.asarray(y, np.float64)
    design = np.stack([at, np.ones_like(at)], axis=1) / found[:, None]
    line, *_ = np.linalg.lstsq(design, np.ones_like(found), rcond=None)
    return float(np.abs(design @ line - 1).max())


def _once(scratch: Path, shape: tuple[int, int], measured: dict[str, list[Cost]]) -> int:
    """Measure each stage on one table; returns its rows."""
    factor, features = shape
    home = scratch / "growth"
    raw, table, scaled = (home / name for name in ("raw", "table", "scaled"))
    _, twin = task("twin", f"{raw}/", "competition", WINDOWS * factor, features, directory=scratch)
    given = {"ingest": (raw, table), "scale": (table, scaled), "fit": (scaled,)}
    for kind, places in given.items():
        cost, _ = task(kind, *(f"{place}/" for place in places), directory=scratch)
        measured[kind].append(cost)
    shutil.rmtree(home)
    return sum(twin["rows"].values())
