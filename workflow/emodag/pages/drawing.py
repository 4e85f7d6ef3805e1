"""What the figures of every page share: size, colours that follow the page, SVG without noise."""

import io
import re
from collections.abc import Sequence
from html import escape
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, FAINT, MAIN, ACCENT, PAPER = "#010101", "#020202", "#030303", "#040404", "#050505"
"""Stand-ins for the page's colours, which differ in the dark."""

SERIES = tuple(f"#0606{number:02x}" for number in range(8))
"""Stand-ins for the colours of things of equal rank, such as classes or folds."""

COLOURS = {
    **{INK: "--ink", FAINT: "--faint", MAIN: "--main", ACCENT: "--accent", PAPER: "--paper"},
    **{colour: f"--series{number}" for number, colour in enumerate(SERIES)},
}
"""The variable of the page's style sheet that each stands for."""

WIDTH = 5.0
"""Inches; 360 units of the drawing, about as many as a phone has pixels."""

MOST_NAMED = 32
"""As many classes or persons as a figure has room to name."""

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
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots(rows, columns, **sharing)
    for one in axes.flat if rows * columns > 1 else [axes]:
        one.patch.set_alpha(0)
    return figure, axes


def svg(figure: Figure, description: str) -> str:
    """A figure as an element of HTML: scalable, in the page's colours and font, with a text."""
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*|<style.*?</style>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r' id="[\w.]+_\d+"', "", text)  # numbered from 1 in every figure
    text = re.sub(r"font-family: [^;\"]+", "font-family: var(--font)", text)
    for colour, variable in COLOURS.items():
        text = text.replace(colour, f"var({variable})")
    size = re.search(r'viewBox="[^"]+"', text)[0]
    opening = f'<svg role="img" aria-label="{escape(description)}" {size}>'
    return re.sub(r"<svg[^>]*>", lambda _: opening, text, count=1)
