"""The chain as a drawing: a box for each step, below those that it is made from."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from emodag.pages.drawing import FAINT, INK, MAIN, PAPER, Figure, Values, axes_of, settings
from emodag.pages.words import brief
from ledger.words import plural

LEFT, RIGHT, WIDE = 0.1, 0.9, 0.22
"""The first place from left to right, the last one, and what a box takes."""


def drawn(steps: Sequence[Any], needs: Mapping[str, set[str]]) -> Figure:
    """The chain.

    Parameters
    ----------
    steps : `emodag.pages.index.page.Step`s, each after those it needs.
    needs : by name of a step, those of the steps that it reads from.
    """
    places, behind = _places(steps, needs)
    values = Values("chain", "step", "jobs", "from the store", "seconds", "macro-F1")
    with settings("chain"):
        drawing, axes = axes_of(0.3 + 0.72 * (1 + max(rank for _, rank in places.values())))
        for step in steps:
            x, rank = places[step.name]
            for above in needs[step.name]:
                # What another step passes on is seen from that one.
                if not any(above in behind[other] for other in needs[step.name]):
                    line = ([places[above][0], x], [places[above][1], rank])
                    axes.plot(*line, color=FAINT, linewidth=0.8, zorder=0)
            box = {"boxstyle": "round", "facecolor": PAPER}
            box["edgecolor"] = FAINT if step.hits == len(step.jobs) else MAIN
            cells = (step.title, len(step.jobs), step.hits, step.seconds, step.score)
            told = [
                *re.split(", | of ", step.title),
                f"{plural(len(step.jobs), 'job')}, {step.seconds:.0f} s",
            ]
            told += [] if step.score is None else [brief(step.score)]
            mark = values.mark(*cells, to=step.name)
            style = {"ha": "center", "va": "center", "fontsize": 8, "color": INK}
            axes.text(x, rank, "\n".join(told), bbox=box | mark, **style)
        axes.set_xlim(0, max(1, max(x for x, _ in places.values()) + LEFT))
        axes.set_ylim(max(rank for _, rank in places.values()) + 0.5, -0.5)
        axes.set_axis_off()
        told = "; ".join(f"{step.title} {step.seconds:.0f} s" for step in steps)
        caption = (
            "Every step, below those that it is made from: its jobs, the seconds that they took, "
            "and the mean macro-F1 on held-out rows, without variants. Pale: all of it was found "
            "in the store. A click on a step leads to its jobs."
        )
        return values.figure(drawing, f"The chain. {told}.", caption)


def _places(
    steps: Sequence[Any], needs: Mapping[str, set[str]]
) -> tuple[dict[str, tuple[float, int]], dict[str, set[str]]]:
    """Where each step is drawn, from 0 to 1 and by rows, and all steps behind it."""

    @cache
    def rank(name: str) -> int:
        return max((rank(above) + 1 for above in needs[name]), default=0)

    @cache
    def behind(name: str) -> set[str]:
        return needs[name].union(*map(behind, needs[name]))

    places, free = {}, dict.fromkeys(range(len(steps)), 0.0)
    for name in sorted((step.name for step in steps), key=_lane):
        x, row = max(free[rank(name)], _lane(name)), rank(name)
        places[name], free[row] = (x, row), x + WIDE
    for row in free:  # what is too far to the right moves, with all of its row
        xs = {name: x for name, (x, at) in places.items() if at == row}
        back = min(max(max(xs.values()) - RIGHT, 0.0), min(xs.values()) - LEFT) if xs else 0.0
        places |= {name: (x - back, row) for name, x in xs.items()}
    return places, {step.name: behind(step.name) for step in steps}


def _lane(name: str) -> float:
    """Where a step is drawn from left to right, if there is room: by its protocol."""
    lanes = {"stage0": LEFT, "published": 0.32, "nested": 0.76}
    return next((x for part, x in lanes.items() if part in name), 0.54)
