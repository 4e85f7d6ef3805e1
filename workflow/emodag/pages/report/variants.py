"""Variants of the configuration beside it: on the same folds and people, and what luck has done."""

from collections.abc import Callable, Sequence
from typing import Any

from emodag.pages.comparison import choice, verdict
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
from emodag.pages.page_parts import NONE, Section, Table, shown
from emodag.pages.report.answer import dotted
from emodag.pages.report.run import Run
from emodag.pages.words import brief, interval, probability, short, signed

MOST = 60
"""So many variants are drawn, the best ones."""


def section(run: Run) -> Section:
    """Every variant, best first, and what the choice of the best comes to."""
    rows = run.variants
    text = (
        "Each variant is the whole chain with what differs, under the leak-free protocol, with the "
        "same folds and run seeds, so persons are compared with themselves. "
        f"{' '.join([verdict(rows), *choice(run.selection)])}"
    )
    return Section("variants", "Variants", [text, [_figure(run)], table(rows)])


def _figure(run: Run) -> Figure:
    rows, protocol = run.variants, run.told
    best, guessing = rows[:MOST], run.chance(protocol)
    columns = ("variant", "macro_f1", "low", "high", "difference", "p_holm", "hidden")
    heads = ("variant", "macro-F1", "low", "high", "difference", "p, Holm", "hidden people")
    values = Values("scores of variants", *heads)
    with settings("variants"):
        drawing, axes = axes_of(0.9 + 0.3 * len(best))
        told = []
        for place, row in enumerate(best):
            colour = MAIN if row["leak_free"] == "yes" else FAINT
            if row["low"] != "":
                axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=2)
            axes.plot([row["macro_f1"]], [place], "o", color=colour, markersize=6)
            if row["hidden"] != "":
                axes.plot([row["hidden"]], [place], "D", color=ACCENT, markersize=5)
            cells = (None if row[name] == "" else row[name] for name in columns)
            values.row(axes, place, *cells)
            told.append(f"{row['variant']}: {brief(row['macro_f1'])}")
        base = next(row for row in rows if row["difference"] == "")
        axes.axvline(base["macro_f1"], color=INK, linewidth=1, linestyle=(0, (5, 3)))
        axes.axvline(guessing.mean, color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        name_rows(axes, short([row["variant"] for row in best]))
        axes.set_xlim(0, 1)
        axes.set_xlabel("macro-F1")
        diamonds = " Diamond: the hidden people of the test table." * (rows[0]["hidden"] != "")
        caption = (
            "Dot and line: macro-F1 on held-out people, its 95 % interval over persons and run "
            f"seeds; pale: not leak-free. Dashed: {base['variant']}. "
            f"{dotted(guessing, protocol)}{diamonds}"
        )
        return values.figure(drawing, f"Macro-F1 of variants. {'; '.join(told)}.", caption)


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """The rows of variants.csv, as they are read by `emodag.pages.comparison.read_rows`."""
    has_truth, count = rows[0]["hidden"] != "", "{:,.0f}".format
    heads = ["Variant", "what differs", "macro-F1", "95 % interval", "difference"]
    heads += ["its interval", "better", "worse", "p", "p, Holm", "worst fifth"]
    heads += ["hidden people", "interval of that"] * has_truth + ["leak-free", "jobs", "shared"]
    cells = [
        [
            str(row["variant"]),
            str(row["changes"]) or NONE,
            brief(row["macro_f1"]),
            _interval(row, "", brief),
            shown(row["difference"], signed),
            _interval(row, "difference_", signed),
            *(shown(row[name], count) for name in ("better", "worse")),
            *(shown(row[name], probability) for name in ("p", "p_holm")),
            shown(row["worst_fifth"], brief),
            *([shown(row["hidden"], brief), _interval(row, "hidden_", brief)] * has_truth),
            row["leak_free"],
            *(shown(row[name], count) for name in ("jobs", "shared")),
        ]
        for row in rows
    ]
    note = (
        "“Better” and “worse” count persons. p is of the exact sign-flip test over persons (of "
        "random flips for more than 13), corrected by Holm for as many variants as there are. "
        "“Worst fifth” is the mean score of the fifth of the persons that fare worst. Jobs that "
        "another variant shares are computed once."
    )
    return Table("Every variant, best first", heads, cells, note)


def _interval(row: dict[str, Any], what: str, show: Callable[[float], str]) -> str:
    ends = [row[f"{what}low"], row[f"{what}high"]]
    return NONE if "" in ends else interval(ends, show)
