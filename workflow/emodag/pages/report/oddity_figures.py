"""Figures of what is odd in the table, and of what scaling makes of it."""

import math

import numpy as np

from emodag.pages.drawing import (
    ACCENT,
    MAIN,
    MOST_PERSONS,
    Figure,
    Values,
    axes_of,
    name_rows,
    settings,
)
from emodag.pages.report.features import column
from emodag.pages.report.run import Run
from emodag.pages.words import RAISED, number, percent, short
from emodag.science.tables.oddities import Oddities
from ledger.words import plural

COLUMNS = 24
"""Columns that a map shows, the oddest ones."""


def odd_map(run: Run, odd: Oddities) -> list[Figure]:
    """Who misses what, and who is far out where; nothing of what does not occur."""
    kinds = {"missing": (odd.missing, MAIN), "far out": (odd.far_out, ACCENT)}
    return [_map(run, name, *kind) for name, kind in kinds.items() if kind[0].any()]


def _map(run: Run, name: str, shares: np.ndarray, colour: str) -> Figure:
    affected = int(shares.any(axis=0).sum())
    order = np.argsort(-shares.mean(axis=0), kind="stable")[: min(COLUMNS, affected)]
    most = shares[:, order].max()
    values = Values(f"{name} cells", "person", "column", f"share {name}")
    with settings(f"odd-{name}"):
        drawing, axes = axes_of(2.2 + min(0.16 * len(run.persons), 5))
        for place, at in enumerate(order):
            for person in np.flatnonzero(shares[:, at]):
                share = float(shares[person, at])
                box = {"color": colour, "linewidth": 0, "alpha": share / most}
                box |= values.mark(run.persons[person], run.features[at], share)
                axes.fill_between([place - 0.45, place + 0.45], person - 0.45, person + 0.45, **box)
        axes.set_xticks(range(len(order)), short([run.features[at] for at in order]))
        axes.tick_params(axis="x", labelrotation=90, labelsize=7.5)
        name_rows(axes, short(run.persons), most=MOST_PERSONS, fontsize=8.5)
        axes.set_xlim(-0.5, max(len(order), 8) - 0.5)
        axes.tick_params(length=0)
        axes.set_ylabel("person")
        worst = order[0]
        shown = f"; the {COLUMNS} with most" if affected > COLUMNS else ""
        told = (
            f"Cells that are {name}, in {plural(affected, 'column')}{shown}. "
            f"Most in {run.features[worst]}: {percent(float(shares[:, worst].mean()))} of "
            f"a person's rows on average. Full colour: {percent(float(most))} of a person's rows."
        )
        return values.figure(drawing, told, told)


def before_and_after(run: Run, name: str) -> Figure:
    """A feature's values as they are in the table, and as the models see them."""
    look = run.params["look"]["protocol"]
    part = run.parts(look)[0]
    before = column(run, "table/train.parquet", name)
    after = column(run, f"{look}/scaled/{part}/train.parquet", name).astype(np.float64)
    power = math.floor(math.log10(np.abs(before).max()))
    values = Values(f"scaling of {name}", "scaling", "from", "to", "rows")
    with settings(f"scaling-{name}"):
        drawing, (left, right) = axes_of(2.4, 1, 2)
        # Divided in two steps: a power of ten below the smallest float64 is 0.
        _histogram(left, values, "before", before / 10.0 ** (power / 2) / 10.0 ** (power / 2))
        _histogram(right, values, "after", after)
        left.set_ylabel("rows")
        left.set_xlabel("before" if power == 0 else f"before, in 10{str(power).translate(RAISED)}")
        right.set_xlabel("after")
        left.locator_params(axis="x", nbins=4)
        ends = [number(float(end)) for end in (before.min(), before.max())]
        told = (
            f"{name}: {ends[0]} to {ends[1]} before scaling, {number(float(after.min()))} to "
            f"{number(float(after.max()))} after."
        )
        return values.figure(drawing, told, told)


def _histogram(axes, values: Values, when: str, what: np.ndarray) -> None:
    rows, edges = np.histogram(what, bins=30)
    ends = edges.tolist()
    for count, low, high in zip(rows.tolist(), ends[:-1], ends[1:], strict=True):
        if count:
            mark = values.mark(when, low, high, count)
            axes.bar(low, count, high - low, align="edge", color=MAIN, **mark)
