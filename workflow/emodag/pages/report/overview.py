"""The figure on the report's first screen: every stage's score with its interval."""

from itertools import compress

import numpy as np

from emodag.pages.drawing import (
    ACCENT,
    FAINT,
    INK,
    MAIN,
    Figure,
    Values,
    axes_of,
    name_rows,
    settings,
)
from emodag.pages.report.answer import dotted, hidden_scores, reported_score, sample
from emodag.pages.report.run import Run
from emodag.pages.words import brief, title


def figure(run: Run) -> Figure:
    """Every stage's score with its interval, beside that of the hidden people."""
    guessing = run.chance(run.told)
    places = [(protocol, stage) for protocol in run.protocols for stage in run.stages(protocol)]
    values = Values(
        "scores by stage", "stage", "macro-F1", "low", "high", "best epoch", "hidden people"
    )
    with settings("answer"):
        drawing, axes = axes_of(0.9 + 0.34 * len(places))
        told = []
        for row, (protocol, stage) in enumerate(places):
            found, name = run.estimate(protocol, stage), f"{protocol}, {title(stage)}"
            axes.plot(found.interval, [row, row], color=MAIN, linewidth=2)
            axes.plot([found.value], [row], "o", color=MAIN, markersize=7)
            reported = reported_score(run, protocol, stage) if protocol == "published" else None
            if reported is not None:
                axes.plot([reported], [row], "|", color=INK, markersize=13, markeredgewidth=2)
            hidden = hidden_scores(run, protocol, stage)
            axes.plot(hidden, [row] * len(hidden), "D", color=ACCENT, markersize=6)
            mean = float(np.mean(hidden)) if hidden else None
            values.row(axes, row, name, found.value, *found.interval, reported, mean)
            told.append(f"{name}: {brief(found.value)}")
        axes.axvline(guessing.mean, color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        name_rows(axes, [f"{p}, {title(s)}" for p, s in places])
        axes.set_xlim(0, 1)
        axes.set_xlabel("macro-F1")
        caption = [
            "Dot and line: macro-F1 on held-out rows, its 95 % interval, " + sample(run) + ".",
            "Bar: the best epoch, which the published protocol reports.",
            "Diamond: the hidden people of the test table.",
            dotted(guessing, run.told),
        ]
        shown = [True, "published" in run.protocols, bool(run.leaderboard), True]
        description = f"Macro-F1 by stage. {'; '.join(told)}."
        return values.figure(drawing, description, " ".join(compress(caption, shown)))
