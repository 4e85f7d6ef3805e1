"""Maps of the training rows: who and what lies close together as the models see them."""

import numpy as np

from emodag.pages.drawing import (
    MOST_NAMED,
    SERIES,
    Figure,
    Values,
    axes_of,
    legend_of,
    settings,
)
from emodag.pages.report.features import sampled, scaled_rows
from emodag.pages.report.run import Run
from emodag.pages.words import short
from emodag.science.embedding import embed

FEWEST = 8
"""Rows that a map needs."""

MARKERS = "os^DvP*X"
"""Shapes, so that more can be told apart than there are colours, and without them."""


def maps(run: Run) -> list[Figure]:
    """t-SNE of a sample of the scaled training rows, by class and by person."""
    rows = sampled(run)
    if len(rows) < FEWEST:
        return []
    places = embed(scaled_rows(run, run.parts(run.params["look"]["protocol"])[0]))
    how = f"t-SNE of {len(rows):,} scaled training rows"
    return [
        _figure("class", places, run.labels[rows], run.classes, how),
        _figure("person", places, run.person[rows], run.persons, how),
    ]


def _figure(what: str, places: np.ndarray, codes: np.ndarray, names: list[str], how: str) -> Figure:
    values = Values(f"map by {what}", what, "rows")
    with settings(f"map-{what}"):
        drawing, axes = axes_of(5.2)
        shown = short(names)
        for code, name in enumerate(names):
            inside = codes == code
            style = {"color": SERIES[code % len(SERIES)], "markersize": 3.2, "alpha": 0.75}
            style |= values.mark(name, int(inside.sum()))
            # Neighbours in the legend differ in colour and in shape.
            shape = MARKERS[(code + code // len(SERIES)) % len(MARKERS)]
            style |= {"marker": shape, "markeredgewidth": 0, "linestyle": ""}
            axes.plot(*places[inside].T, label=shown[code], **style)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        if len(names) <= MOST_NAMED:
            axes.set_aspect("equal", "datalim")
            legend = {**legend_of(shown), "handletextpad": 0.1}
            drawing.legend(loc="outside lower center", markerscale=2, **legend)
        told = f"{how}, by {what}. Only closeness means something; axes and directions do not."
        return values.figure(drawing, told, told)
