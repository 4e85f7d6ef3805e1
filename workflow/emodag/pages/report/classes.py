"""Which class is taken for which, and how well each is found."""

import numpy as np

from emodag.pages.drawing import INK, MAIN, MOST_NAMED, PAPER, axes_of, settings, svg
from emodag.pages.page_parts import NONE, Table
from emodag.pages.report.parts import Figure, Section, capital, stage_name
from emodag.pages.report.run import Run
from emodag.pages.words import brief, percent
from emodag.science.scores.class_scores import by_class
from emodag.science.scores.scoring import confusion
from ledger.words import plural

_MISTAKES = 10
"""Pairs of classes that are told of where there are too many for a matrix."""


def section(run: Run) -> Section:
    """Confusion matrices of the last generation, and the classes' scores."""
    rows = (
        f"{capital(stage_name(run.last))}, last epoch, all held-out rows together"
        f"{' and all run seeds' * (len(run.seeds) > 1)}"
        f"{', a mean over the repeats' * (run.repeats > 1)}."
    )
    found = {f"{protocol}, held out": held_out(run, protocol) for protocol in run.protocols}
    if run.truth is not None:
        found["hidden people"] = _hidden(run)
    if len(run.classes) > MOST_NAMED:
        told = [_confusions(run, name, counts) for name, counts in found.items()]
        return Section("classes", "Classes", [rows, *told, _table(run, found)])
    cell = "A cell holds the share of a true class's rows that are taken for the class below it."
    figures = [_figure(run, name, counts) for name, counts in found.items()]
    return Section("classes", "Classes", [f"{rows} {cell}", figures, _table(run, found)])


def held_out(run: Run, protocol: str) -> np.ndarray:
    """(classes, classes) counts over all held-out rows and seeds, a mean over the repeats."""
    found = (run.person_confusions(protocol, seed, run.last) for seed in run.seeds)
    return sum(counts.sum(axis=1).mean(axis=0) for counts in found)


def _hidden(run: Run) -> np.ndarray:
    protocol, seed = run.protocols[0], run.seeds[0]
    predicted = run.answers(protocol, seed, run.last)
    return confusion(run.truth, predicted, classes=len(run.classes))


def _confusions(run: Run, name: str, counts: np.ndarray) -> str:
    """The commonest mistakes, where there are too many classes for a matrix."""
    wrong = np.rint(counts - np.diag(np.diag(counts)))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MISTAKES]
    places = np.column_stack(np.unravel_index(order, wrong.shape)).tolist()
    told = [
        f"{run.classes[true]} for {run.classes[taken]} ({plural(int(wrong[true, taken]), 'row')})"
        for true, taken in places
        if wrong[true, taken]
    ]
    return f"{capital(name)}, most often taken for another: {', '.join(told) or 'none'}."


def _figure(run: Run, name: str, counts: np.ndarray) -> Figure:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = len(run.classes)
    with settings(f"confusion-{name}"):
        drawing, axes = axes_of(1.2 + 0.55 * size)
        for true in range(size):
            for taken in range(size):
                share = shares[true, taken]
                box = {"color": MAIN, "alpha": share, "linewidth": 0}
                axes.fill_between([taken - 0.5, taken + 0.5], true - 0.5, true + 0.5, **box)
                colour = PAPER if share > 0.6 else INK
                text = f"{100 * share:.0f} %"
                axes.text(taken, true, text, ha="center", va="center", color=colour)
        axes.set_xticks(range(size), run.classes)
        axes.set_yticks(range(size), run.classes)
        axes.set_xlim(-0.5, size - 0.5)
        axes.set_ylim(size - 0.5, -0.5)
        axes.set_xlabel("taken for")
        axes.set_ylabel("true class")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        told = "; ".join(
            f"{label}: {percent(shares[at, at])} right" for at, label in enumerate(run.classes)
        )
        return Figure(
            svg(drawing, f"Confusion matrix, {name}. {told}."), f"{capital(name)}. {told}."
        )


def _table(run: Run, found: dict[str, np.ndarray]) -> Table:
    rows = []
    for name, counts in found.items():
        scores = by_class(counts)
        for at, label in enumerate(run.classes):
            shown = [_shown(scores[key][at]) for key in ("precision", "recall", "f1")]
            rows.append([f"{label} ({name})", *shown, f"{scores['support'][at]:,.0f}"])
    heads = ["Class", "precision", "recall", "F1", "rows"]
    return Table("Precision, recall and F1 by class", heads, rows)


def _shown(value: float) -> str:
    return NONE if np.isnan(value) else brief(value)
