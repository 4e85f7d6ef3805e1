"""What the figures of every page share: size, colours that follow the page, and their values."""

import io
import re
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing

from emodag.pages.page_parts import NONE, csv_link, shown
from emodag.pages.words import number

INK, FAINT, MAIN, ACCENT, PAPER = "#010101", "#020202", "#030303", "#040404", "#050505"
"""Stand-ins for the page's colours, which differ in the dark."""

SERIES = tuple(f"#0606{at:02x}" for at in range(8))
"""Stand-ins for the colours of things of equal rank, such as classes or folds."""

SHADE = 0.5
"""The most of `MAIN` or `ACCENT` that a box with a text on it has, so that `INK` is read on it."""

COLOURS = {
    **{INK: "--ink", FAINT: "--faint", MAIN: "--main", ACCENT: "--accent", PAPER: "--paper"},
    **{colour: f"--series{at}" for at, colour in enumerate(SERIES)},
}
"""The variable of the page's style sheet that each stands for."""

WIDTH = 5.0
"""Inches; 360 units of the drawing, about as many as a phone has pixels."""

MOST_NAMED = 32
"""As many classes or persons as a legend has room to name."""

MOST_PERSONS = 40
"""As many persons as are named at an axis."""

SETTINGS = {
    "svg.fonttype": "none",
    "font.size": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
    ),
}


def settings(name: str, *, math: bool = False):
    """Matplotlib's own defaults with ours, whatever the user has set, and ids of their own.

    Parameters
    ----------
    name : what the figure is called in the page; no two share a name.
    math : whether `$` begins a formula, which logarithmic axes need and names of columns must not.
    """
    ours = {**SETTINGS, "svg.hashsalt": name, "text.parse_math": math}
    return matplotlib.rc_context({**matplotlib.rcParamsDefault, **ours})


def legend_of(names: Sequence[str]) -> dict[str, Any]:
    """How a legend of these names is set: in as many columns as there is room for."""
    columns = max(1, min(5, 56 // (max(map(len, names)) + 5)))
    return {"ncols": columns, "frameon": False, "handlelength": 1.2, "columnspacing": 1.2}


def axes_of(height: float, rows: int = 1, columns: int = 1, **sharing):
    """A figure `height` inches high, and its axes: one, or an array of them."""
    figure = Drawing(figsize=(WIDTH, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots(rows, columns, **sharing)
    for one in axes.flat if rows * columns > 1 else [axes]:
        one.patch.set_alpha(0)
    return figure, axes


def name_rows(axes, names: Sequence[str], *, most: int | None = None, **style) -> None:
    """Rows from the top, one unit high each, with their names unless there are more than `most`."""
    has_room = most is None or len(names) <= most
    axes.set_yticks(range(len(names)) if has_room else [], names if has_room else None, **style)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def stacked(
    axes, values: "Values", rows: Sequence[str], parts: Sequence[str], sizes: np.ndarray
) -> None:
    """Draw a bar for each row, of parts one behind the other; rows and parts name the values.

    Parameters
    ----------
    sizes : (rows, parts) numbers.
    """
    left = np.zeros(len(rows))
    for at, part in enumerate(parts):
        style = {"color": SERIES[at % len(SERIES)], "edgecolor": PAPER, "linewidth": 0.8}
        for row, size in enumerate(sizes[:, at].tolist()):
            mark = values.mark(rows[row], part, size)
            label = part if row == 0 else None
            axes.barh(row, size, 0.8, left[row], label=label, **style, **mark)
        left += sizes[:, at]


class Figure(NamedTuple):
    """A drawing, as SVG, what it shows, and a link to its values as a file."""

    svg: Markup
    caption: str
    values: Markup


class Values:
    """The values that a figure shows: a row for each of its marks, told where one points at it.

    Parameters
    ----------
    name : what the figure is called in the page; no two share a name.
    heads : what the cells of a row are.
    """

    def __init__(self, name: str, *heads: str) -> None:
        self.name, self._heads = name, heads
        self._rows: list[Sequence[Any]] = []

    def mark(self, *cells: Any, to: str = "") -> dict[str, str]:
        """Add a row; the settings by which an artist of Matplotlib becomes its mark.

        Parameters
        ----------
        to : the id of what it leads to in the page, if anything.
        """
        self._rows.append(cells)
        told = zip(self._heads, map(_told, cells), strict=True)
        told = "; ".join(f"{head} {cell}" for head, cell in told if cell != NONE)
        return {"gid": f"{MARK}{to}: {told}"}

    def row(self, axes, place: float, *cells: Any) -> None:
        """Add a row whose mark is a band of the axes at a place of the y axis, one unit high."""
        axes.axhspan(place - 0.5, place + 0.5, **BAND, **self.mark(*cells))

    def column(self, axes, low: float, high: float, *cells: Any) -> None:
        """Add a row whose mark is a band between two places of the x axis."""
        axes.axvspan(low, high, **BAND, **self.mark(*cells))

    def figure(self, drawing: Drawing, description: str, caption: str) -> Figure:
        """A drawing with these values, to be put into a page."""
        values = csv_link(self.name, self._heads, self._rows)
        return Figure(svg(drawing, description), caption, values)


MARK = "mark#"
"""What the ids of groups in an SVG begin with that are marks, before what they lead to."""

BAND = {"facecolor": "none", "edgecolor": "none"}


def _told(value: Any) -> str:
    """A cell as people read it."""
    if isinstance(value, str):
        return value
    return shown(value, lambda one: number(int(one) if one == int(one) else one, 3))


def svg(figure: Drawing, description: str) -> Markup:
    """A figure as an element of HTML: scalable, in the page's colours and font, with a text.

    Groups whose ids begin with `MARK` become marks, whose titles are the rest of their ids.
    """
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*|<style.*?</style>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r' id="[\w.]+_\d+"', "", text)  # numbered from 1 in every figure
    mark = rf"""<g id=(["']){MARK}([\w-]*): (.*?)\1>"""
    text = re.sub(mark, r'<g class="mark" data-to="\2"><title>\3</title>', text)
    text = text.replace(' data-to=""', "")
    text = re.sub(r"font-family: [^;\"]+", "font-family: var(--font)", text)
    for colour, variable in COLOURS.items():
        text = text.replace(colour, f"var({variable})")
    size = re.search(r'viewBox="[^"]+"', text)[0]
    opening = f'<svg role="img" aria-label="{escape(description)}" {size}>'
    return Markup(re.sub(r"<svg[^>]*>", lambda _: opening, text, count=1))
