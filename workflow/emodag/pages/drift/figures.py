"""The figures of the drift page."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from emodag.pages.drawing import (
    ACCENT,
    FAINT,
    INK,
    MAIN,
    PAPER,
    Figure,
    Values,
    axes_of,
    name_rows,
    settings,
)
from emodag.pages.words import capital, number, title

FLOAT32 = 2.0**-24
"""Half the distance from 1 to the next float32: what rounding once does at most."""

ROW = 0.38
"""Inches that a step takes, whose name may be in two lines."""


def distances(steps: Sequence[Mapping[str, Any]], notes: Mapping[str, str], name: str) -> Figure:
    """How far apart each step is, on a logarithmic axis: a dot per pair of runs, a line for all.

    Parameters
    ----------
    steps : entries of `over_pairs`.
    notes : by step, what differs in those that are not identical and have no numbers.
    name : what the figure is called in the page; no two share a name.
    """
    values = Values(name, "step", "difference", "root mean square", "pairs identical", "pairs")
    with settings(name, math=True):
        figure, axes = axes_of(0.9 + ROW * len(steps))
        numbers = [rms for step in steps for rms in step["each_rms"] if rms]
        low = 10.0 ** math.floor(math.log10(min([*numbers, FLOAT32])) - 1)
        for row, step in enumerate(steps):
            _distance_row(axes, row, step, low, notes)
        axes.set_xscale("log")
        axes.set_xlim(low, 4)
        if numbers:
            axes.axvline(FLOAT32, color=FAINT, linewidth=1, linestyle=(0, (2, 2)), zorder=0)
            axes.set_xlabel(
                "relative difference (root mean square)\ndotted: a float32 rounded once"
            )
        else:
            axes.xaxis.set_visible(False)
        _step_ticks(axes, steps)
        for row, step in enumerate(steps):
            rms = step["carried"] and step["carried"]["rms"]
            cells = (_distance_in_words(step, notes), rms, step["identical"], step["pairs"])
            values.row(axes, row, capital(title(step["step"])), *cells)
        told = "; ".join(
            f"{capital(title(s['step']))}: {_distance_in_words(s, notes)}" for s in steps
        )
        caption = "How far apart the two sides are at each step: a dot for each pair of runs."
        return values.figure(figure, f"Relative difference by step. {told}.", caption)


def amplification(steps: Sequence[Mapping[str, Any]], name: str) -> Figure:
    """By what factor each step makes the difference larger than the step before it."""
    grown = [step for step in steps if step["amplification"]]
    values = Values(name, "step", "difference, in units of that of the step before")
    with settings(name, math=True):
        figure, axes = axes_of(0.9 + ROW * len(grown))
        by = [step["amplification"] for step in grown]
        axes.plot(by, range(len(grown)), color=MAIN, marker="o", linewidth=1.5)
        for row, value in enumerate(by):
            _label(axes, value, row, f"\N{MULTIPLICATION SIGN}{number(value)}")
        axes.set_xscale("log")
        axes.set_xlim(min(by) / 2, max([2, *by]) * 6)
        axes.axvline(1, color=FAINT, linewidth=1, linestyle=(0, (2, 2)), zorder=0)
        axes.set_xlabel("difference, in units of that of the step before")
        _step_ticks(axes, grown)
        for row, step in enumerate(grown):
            values.row(axes, row, capital(title(step["step"])), by[row])
        told = "; ".join(
            f"{capital(title(s['step']))}: times {number(s['amplification'])}" for s in grown
        )
        caption = "By what factor each step makes the difference larger, or smaller."
        return values.figure(figure, f"Amplification by step. {told}.", caption)


def effects(
    yardstick: Mapping[str, Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]], name: str
) -> Figure:
    """The effect on each score beside what the seeds do.

    Parameters
    ----------
    yardstick : what `spread` says, by what the score is called, in the order to draw them in.
    found : what `effect` says, likewise; empty for the contrast of the seeds themselves.
    """
    heads = ("score", "standard deviation of seeds", "effect", "low", "high")
    values = Values(name, *heads)
    with settings(name):
        figure, axes = axes_of(1.2 + 0.62 * len(yardstick))
        for row, (key, spread) in enumerate(yardstick.items()):
            moved = [value - spread["mean"] for value in spread["values"]]
            axes.plot([-spread["sd"], spread["sd"]], [row, row], color=FAINT, linewidth=9)
            axes.plot(moved, [row] * len(moved), "o", color=INK, markersize=4, fillstyle="none")
            if key in found:
                _effect_row(axes, row + 0.34, found[key])
        axes.axvline(0, color=FAINT, linewidth=1, zorder=0)
        axes.set_yticks(range(len(yardstick)), yardstick)
        axes.set_ylim(len(yardstick) - 0.4, -0.5)
        axes.margins(x=0.08)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("difference in macro-F1")
        for row, (key, spread) in enumerate(yardstick.items()):
            effect = found.get(key, {"mean": None, "interval": None})
            values.row(
                axes, row, key, spread["sd"], effect["mean"], *(effect["interval"] or [None] * 2)
            )
        description = f"Effect beside the seeds. {_effects_in_words(yardstick, found)}"
        caption = (
            "Circles: each seed's score less their mean, on a bar of one standard deviation to "
            "either side. Diamond: the effect of this contrast, with its 95 % interval where there "
            "are several pairs of runs."
        )
        return values.figure(figure, description, caption)


def _distance_row(axes, row: int, step, low: float, notes: Mapping[str, str]) -> None:
    values = [rms for rms in step["each_rms"] if rms]
    if not values:
        is_identical = step["identical"] == step["pairs"]
        note = notes.get(step["step"], "differs")
        text = "= identical" if is_identical else f"\N{NOT EQUAL TO} {note}"
        _label(axes, low, row, text, INK if is_identical else ACCENT)
        return
    typical = step["carried"]["rms"] or max(values)
    axes.plot([low, typical], [row, row], color=MAIN, linewidth=2)
    axes.plot(values, [row] * len(values), "o", color=MAIN, markersize=5)
    ulps = step["carried"]["ulps"]
    if ulps is not None:
        _label(axes, max(values), row, f"\N{LESS-THAN OR EQUAL TO} {number(ulps)} ulp")


def _label(axes, x: float, row: int, text: str, colour: str = INK) -> None:
    """Put a text to the right of a point, over whatever is there."""
    axes.annotate(
        text,
        (x, row),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
    )


def _distance_in_words(step: Mapping[str, Any], notes: Mapping[str, str]) -> str:
    if step["identical"] == step["pairs"]:
        return "identical"
    if step["carried"]:
        return number(step["carried"]["rms"])
    return notes.get(step["step"], "differs")


def _effect_row(axes, row: float, effect: Mapping[str, Any]) -> None:
    if effect["interval"]:
        axes.plot(effect["interval"], [row, row], color=ACCENT, linewidth=2)
    axes.plot(effect["values"], [row] * effect["n"], "o", color=ACCENT, markersize=4, alpha=0.5)
    axes.plot([effect["mean"]], [row], "D", color=ACCENT, markersize=7)


def _effects_in_words(yardstick, found) -> str:
    return "; ".join(
        f"{text}: standard deviation between seeds {number(spread['sd'])}"
        + (f", effect {number(found[text]['mean'])}" if text in found else "")
        for text, spread in yardstick.items()
    )


def _step_ticks(axes, steps: Sequence[Mapping[str, Any]]) -> None:
    names = [capital(title(step["step"])).replace(" of ", "\nof ") for step in steps]
    name_rows(axes, names, fontsize=9)
