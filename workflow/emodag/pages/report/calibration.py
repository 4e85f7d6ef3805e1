"""Whether confidences mean what they say, and what the threshold on them selects."""

import numpy as np

from emodag.pages.drawing import ACCENT, FAINT, MAIN, axes_of, settings, svg
from emodag.pages.page_parts import NONE, Table
from emodag.pages.report.parts import Figure, Section, capital, stage_name
from emodag.pages.report.run import Run
from emodag.pages.words import brief, percent
from emodag.science.scores.calibration import expected_calibration_error, reliability, selected

STEPS = np.linspace(0.25, 0.99, 75)
"""Thresholds that the figure of the selection is drawn at."""


def section(run: Run) -> Section:
    """Reliability, what thresholds select, and the pseudo-labels, if there are any."""
    sure = f"is sure of by {run.params['threshold']:g} or more"
    if "select" in run.params:
        sure = f"is sure of, chosen by `{run.params['select']}`"
    learnt = (
        f" Students learn from the {_pool(run)} that the generation before {sure}; held-out rows "
        "show how often such a confidence is right on new people."
    )
    text = (
        "Confidence is the highest class probability. ECE, the expected calibration error, is its "
        f"mean distance from the accuracy over ten bins.{learnt * run.has_pool}"
    )
    found = {protocol: _sure(run, protocol) for protocol in run.protocols}
    figures = [f(run, name, *found[name]) for name in found for f in (_reliability, _selection)]
    tables = [_thresholds(run, found), *([_pseudo_labels(run)] if run.has_pool else [])]
    title = "Confidence and pseudo-labels" if run.has_pool else "Confidence"
    return Section("calibration", title, [text, figures, *tables])


def _pool(run: Run) -> str:
    """What rows students learn from besides those with labels."""
    rows = run.json("table/quality.json")["rows"]
    kinds = {"test": "test rows", "unlabelled": "unlabelled rows"}
    return " and ".join(kind for name, kind in kinds.items() if name in rows)


def _sure(run: Run, protocol: str) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of every held-out row and whether it is right, last generation.

    A row is there once for each seed and repeat.
    """
    probabilities = np.concatenate([run.held_out(protocol, s, run.last) for s in run.seeds])
    right = probabilities.argmax(axis=2) == run.labels
    return probabilities.max(axis=2).ravel(), right.ravel()


def _reliability(run: Run, name: str, confidence: np.ndarray, right: np.ndarray) -> Figure:
    found = reliability(confidence, right)
    error = expected_calibration_error(found)
    filled = found.rows > 0
    with settings(f"reliability-{name}"):
        drawing, (axes, below) = axes_of(4.2, 2, height_ratios=[4, 1], sharex=True)
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        points = found.confidence[filled], found.accuracy[filled]
        axes.plot(*points, color=MAIN, marker="o", linewidth=1.5)
        axes.set_ylim(0, 1)
        axes.set_ylabel("accuracy")
        width = found.edges[1] - found.edges[0]
        below.bar(found.edges[:-1], found.rows, width * 0.9, align="edge", color=MAIN)
        below.set_ylabel("rows")
        below.set_xlim(0, 1)
        below.set_xlabel("confidence")
        told = (
            f"{name}, held-out rows: mean confidence {brief(float(confidence.mean()))}, accuracy "
            f"{brief(float(right.mean()))}, ECE {brief(error)}."
        )
        return Figure(
            svg(drawing, f"Reliability, {told}"),
            f"{capital(told)} Dotted: confidence equal to accuracy.",
        )


def _selection(run: Run, name: str, confidence: np.ndarray, right: np.ndarray) -> Figure:
    share, accuracy = selected(confidence, right, STEPS)
    threshold = run.params["threshold"]
    (taken,), (good,) = selected(confidence, right, np.array([threshold]))
    with settings(f"selection-{name}"):
        drawing, axes = axes_of(4.2)
        axes.plot(STEPS, accuracy, color=MAIN, linewidth=2)
        axes.plot(STEPS, share, color=ACCENT, linewidth=2, linestyle=(0, (4, 1.5)))
        axes.axvline(threshold, color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        axes.set_ylim(0, 1.02)
        axes.set_xlim(STEPS[0], 1)
        axes.set_xlabel("least confidence")
        told = f"{name}, held-out rows: {threshold:g} selects {percent(taken)}"
        told += "." if np.isnan(good) else f", of which {percent(good)} are right."
        return Figure(
            svg(drawing, f"What thresholds select, {told}"),
            f"{capital(told)} Solid: accuracy of what is selected. Dashed: share of rows selected. "
            f"Dotted: {threshold:g}.",
        )


def _thresholds(run: Run, found: dict[str, tuple[np.ndarray, np.ndarray]]) -> Table:
    steps = np.unique([0.0, 0.5, 0.6, 0.7, 0.8, 0.95, run.params["threshold"]])
    columns = [selected(*found[protocol], steps) for protocol in found]
    heads = ["Least confidence"]
    for protocol in found:
        heads += [f"{protocol}: rows", f"{protocol}: accuracy"]
    rows = [
        [f"{step:g}", *(_shown(part[at]) for pair in columns for part in pair)]
        for at, step in enumerate(steps)
    ]
    return Table("What thresholds select among held-out rows", heads, rows)


def _pseudo_labels(run: Run) -> Table:
    """How many there are, and how many of them are right, over the parts and seeds."""
    heads = ["Generation", "protocol", "pseudo-labels", f"share of {_pool(run)}"]
    heads += ["accuracy"] if run.truth is not None else []
    heads += run.classes
    rows = [
        [capital(stage_name(f"gen{generation}")), protocol, *_counted(run, protocol, generation)]
        for protocol in run.protocols
        for generation in run.generations
    ]
    note = "Where a fold or run seed has its own, means over them. The classes' columns are shares."
    return Table(f"Pseudo-labels of the {_pool(run)}", heads, rows, note)


def _counted(run: Run, protocol: str, generation: int) -> list[str]:
    found = [
        run.pseudo_labels(protocol, seed, generation, part)
        for seed in run.seeds
        for part in run.parts(protocol)
    ]
    rows, labels = (np.concatenate([each[key] for each in found]) for key in ("row", "label"))
    counts = run.json("table/quality.json")["rows"]
    mean, pool = len(rows) / len(found), counts.get("test", 0) + counts.get("unlabelled", 0)
    cells = [f"{mean:,.0f}", percent(mean / pool)]
    if run.truth is not None:
        known = rows < len(run.truth)
        right = run.truth[rows[known]] == labels[known]
        cells.append(_shown(np.mean(right)) if len(right) else NONE)
    shares = np.bincount(labels, minlength=len(run.classes)) / max(len(rows), 1)
    return [*cells, *(percent(share) if len(rows) else NONE for share in shares)]


def _shown(share: float) -> str:
    return NONE if np.isnan(share) else percent(share)
