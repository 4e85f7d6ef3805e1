"""The data: who and what there is, what is odd in it, and what scaling makes of that."""

import numpy as np

from emodag.pages.drawing import (
    MOST_NAMED,
    MOST_PERSONS,
    Figure,
    Values,
    axes_of,
    legend_of,
    name_rows,
    settings,
    stacked,
)
from emodag.pages.page_parts import Section, Table
from emodag.pages.report.features import odd_cells
from emodag.pages.report.maps import maps
from emodag.pages.report.oddity_figures import before_and_after, odd_map
from emodag.pages.report.run import Run
from emodag.pages.words import extent, number, percent, short
from emodag.science.tables.oddities import Oddities
from ledger.words import plural

KINDS = {
    "missing": "missing",
    "infinite": "infinite",
    "beyond_1e20": "beyond 10²⁰",
}


def section(run: Run) -> Section:
    """Figures of the training table, and counts of what is odd in it."""
    quality, odd = run.json("table/quality.json"), odd_cells(run)
    figures = [_persons(run), *odd_map(run, odd)]
    blocks = [_text(quality, odd), figures, _table(quality)]
    return Section("data", "Data", [*blocks, *_scaling(run, odd), *_maps(run)])


def _maps(run: Run) -> list:
    found = maps(run)
    text = "Which rows lie close together in what the models see: those of a class, or of a person?"
    return [text, found] if found else []


def _text(quality: dict, odd: Oddities) -> str:
    far = int((odd.far_out > 0).any(axis=0).sum())
    return (
        f"{quality['features']:,} features of {quality['features_read']:,} read; "
        f"{plural(len(quality['constant_columns']), 'constant column')}, "
        f"{plural(len(quality['duplicate_columns']), 'group')} of equal columns, "
        f"{plural(len(quality['dropped_columns']), 'column')} dropped. In {plural(far, 'column')} "
        "some cell lies more than three interquartile ranges beyond the quartiles."
    )


def _persons(run: Run) -> Figure:
    size = len(run.classes)
    joint = np.bincount(run.person * size + run.labels, minlength=len(run.persons) * size)
    counts = joint.reshape(-1, size)
    values = Values("rows", "person", "class", "rows")
    with settings("persons-rows"):
        drawing, axes = axes_of(1.4 + min(0.22 * len(run.persons), 6))
        stacked(axes, values, run.persons, run.classes, counts)
        name_rows(axes, short(run.persons), most=MOST_PERSONS, fontsize=8.5)
        axes.set_ylabel("person")
        axes.set_xlabel("training rows")
        if len(run.classes) <= MOST_NAMED:
            drawing.legend(loc="outside upper center", **legend_of(run.classes))
        shares = ", ".join(
            f"{label} {percent(count / counts.sum())}"
            for label, count in zip(run.classes, counts.sum(axis=0), strict=True)
        )
        ends = extent(counts.sum(axis=1), "{:,}".format)
        told = f"Rows by person and class: {shares}; {ends} rows a person."
        return values.figure(drawing, told, told)


def _table(quality: dict) -> Table:
    rows = []
    for table in filter(quality["cells"].__contains__, ("train", "test", "unlabelled")):
        cells = quality["cells"][table]
        for kind, name in KINDS.items():
            columns = cells[kind]["columns"]
            worst = max(columns, key=columns.get, default=None)
            most = f"{worst} ({columns[worst]:,})" if worst else "none"
            total = cells[kind]["total"]
            share = percent(total / (quality["rows"][table] * quality["features_read"]))
            rows.append([f"{name}, {table}", f"{total:,}", share, f"{len(columns):,}", most])
    heads = ["Cells", "count", "share", "columns", "most in"]
    return Table("Odd cells", heads, rows)


def _scaling(run: Run, odd: Oddities) -> list:
    """The columns whose range is longest for their bulk, before and after scaling."""
    worst = [at for at in np.argsort(-odd.reach, kind="stable")[:3] if odd.reach[at] > 0]
    if not worst:
        return []
    reach = ", ".join(f"{run.features[at]} {number(float(odd.reach[at]))}" for at in worst)
    text = (
        "Scaling maps every feature to a normal distribution by its quantiles. It matters most "
        "where a few cells are far from the rest: the columns whose range is longest in "
        f"interquartile ranges are {reach}."
    )
    return [text, [before_and_after(run, run.features[at]) for at in worst]]
