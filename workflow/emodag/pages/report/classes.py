"""Which class is taken for which, and how well each is found."""

import numpy as np

from emodag.pages.drawing import MAIN, MOST_NAMED, SHADE, Figure, Values, axes_of, settings
from emodag.pages.page_parts import NONE, Section, Table, shown
from emodag.pages.report.run import Run
from emodag.pages.words import around, brief, capital, percent, title
from emodag.science.scores.class_scores import by_class, f1_sums
from emodag.science.scores.resampling import share
from emodag.science.scores.scoring import confusion
from ledger.words import plural

_MISTAKES = 10
"""Pairs of classes that are told of where there are too many for a matrix."""


def section(run: Run) -> Section:
    """Confusion matrices of the last generation, and the classes' scores."""
    rows = (
        f"{capital(title(run.last))}, last epoch, all held-out rows together"
        f"{' and all run seeds' * (len(run.seeds) > 1)}"
        f"{', a mean over the repeats' * (run.repeats > 1)}."
    )
    found = {f"{protocol}, held out": held_out(run, protocol) for protocol in run.protocols}
    if run.truth is not None:
        found["hidden people"] = _hidden(run)
    if len(run.classes) > MOST_NAMED:
        told = [_confusions(run, name, counts) for name, counts in found.items()]
        return Section("classes", "Classes", [rows, *told, _table(run, found)])
    cell = "A cell holds the share of a true class's rows that are predicted as the class below it."
    figures = [_figure(run, name, counts) for name, counts in found.items()]
    return Section("classes", "Classes", [f"{rows} {cell}", figures, _table(run, found)])


def _person_counts(run: Run, name: str) -> np.ndarray | None:
    """(seeds, persons, classes, classes) what `found[name]` is the sum of, where that is known."""
    protocol, _, which = name.partition(", ")
    if which:
        return run.counts(protocol, run.last).sum(axis=1)
    counts = run.hidden_counts(run.protocols[0], run.last)
    return None if counts is None else counts[:1, 0]


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
    values = Values(f"confusion {name}", "true class", "predicted as", "rows", "share of the class")
    with settings(f"confusion-{name}"):
        drawing, axes = axes_of(1.2 + 0.62 * size)
        for true in range(size):
            for taken in range(size):
                part, rows = float(shares[true, taken]), float(counts[true, taken])
                box = {"color": MAIN, "alpha": SHADE * part, "linewidth": 0}
                box |= values.mark(run.classes[true], run.classes[taken], rows, part)
                axes.fill_between([taken - 0.5, taken + 0.5], true - 0.5, true + 0.5, **box)
                text = f"{100 * part:.0f} %\n{rows:,.0f}"
                axes.text(taken, true, text, ha="center", va="center", fontsize=9)
        axes.set_xticks(range(size), run.classes)
        axes.set_yticks(range(size), run.classes)
        axes.set_xlim(-0.5, size - 0.5)
        axes.set_ylim(size - 0.5, -0.5)
        axes.set_xlabel("predicted as")
        axes.set_ylabel("true class")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        told = "; ".join(
            f"{label}: {percent(shares[at, at])} right" for at, label in enumerate(run.classes)
        )
        caption = f"{capital(name)}: shares and rows. {told}."
        return values.figure(drawing, f"Confusion matrix, {name}. {told}.", caption)


def _table(run: Run, found: dict[str, np.ndarray]) -> Table:
    rows = []
    for name, counts in found.items():
        scores, persons = by_class(counts), _person_counts(run, name)
        sums = None if persons is None else np.split(f1_sums(persons), 2, axis=-1)
        for at, label in enumerate(run.classes):
            cells = [shown(scores[key][at], brief) for key in ("precision", "recall", "f1")]
            ends = around(share(*(part[..., at] for part in sums)).interval, brief) if sums else ""
            cells += [ends.strip(" ()") or NONE, f"{scores['support'][at]:,.0f}"]
            rows.append([f"{label} ({name})", *cells])
    heads = ["Class", "precision", "recall", "F1", "95 % interval of F1", "rows"]
    note = "Intervals are over persons."
    return Table("Precision, recall and F1 by class", heads, rows, note)
