"""Whether confidences mean what they say, and what the threshold on them selects."""

from typing import NamedTuple

import numpy as np

from emodag.pages.drawing import ACCENT, FAINT, MAIN, Figure, Values, axes_of, settings
from emodag.pages.page_parts import NONE, Section, Table
from emodag.pages.report.run import Run
from emodag.pages.words import around, brief, capital, extent, percent, title
from emodag.science.scores.calibration import expected_calibration_error, reliability
from emodag.science.scores.resampling import Estimate, share

STEPS = np.linspace(0.25, 0.99, 38)
"""Thresholds that the figure of the selection is drawn at."""

FEW = 20
"""Of fewer rows than this a share says little."""


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
    figures = [
        figure
        for name, sure in found.items()
        for figure in (_reliability(name, sure), _selection(name, sure, run.params["threshold"]))
    ]
    tables = [_thresholds(run, found), *([_pseudo_labels(run)] if run.has_pool else [])]
    title = "Confidence and pseudo-labels" if run.has_pool else "Confidence"
    return Section("calibration", title, [text, figures, *tables])


def _pool(run: Run) -> str:
    """What rows students learn from besides those with labels."""
    rows = run.json("table/quality.json")["rows"]
    kinds = {"test": "test rows", "unlabelled": "unlabelled rows"}
    return " and ".join(kind for name, kind in kinds.items() if name in rows)


class Sure(NamedTuple):
    """How sure the last generation is of every held-out row, and whether it is right.

    Attributes
    ----------
    confidence, right : (seeds, repeats, n).
    person : (n,) of whom each row is.
    """

    confidence: np.ndarray
    right: np.ndarray
    person: np.ndarray

    def accuracy(self, chosen: np.ndarray) -> Estimate:
        """The share of right ones among chosen rows, (seeds, repeats, n) booleans."""
        persons = int(self.person.max()) + 1
        sums = (
            np.stack([np.bincount(self.person, each.sum(axis=0), persons) for each in rows])
            for rows in (chosen & self.right, chosen)
        )
        return share(*sums)

    def at_least(self, threshold: float) -> np.ndarray:
        """The rows that a threshold selects, as `accuracy` takes them."""
        return self.confidence >= np.asarray(threshold, self.confidence.dtype)


def _sure(run: Run, protocol: str) -> Sure:
    probabilities = np.stack([run.held_out(protocol, seed, run.last) for seed in run.seeds])
    right = probabilities.argmax(axis=3) == run.labels
    return Sure(probabilities.max(axis=3), right, run.person)


def _reliability(name: str, sure: Sure) -> Figure:
    found = reliability(sure.confidence.ravel(), sure.right.ravel())
    error, whole = expected_calibration_error(found), sure.accuracy(sure.confidence > 0)
    heads = ("above", "up to", "rows", "mean confidence", "accuracy", "low", "high")
    values = Values(f"reliability {name}", *heads)
    with settings(f"reliability-{name}"):
        drawing, (axes, below) = axes_of(4.2, 2, height_ratios=[4, 1], sharex=True)
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        for at in np.flatnonzero(found.rows).tolist():
            low, high = found.edges[at : at + 2].tolist()
            estimate = sure.accuracy(found.bin_of(sure.confidence) == at)
            place, rows = float(found.confidence[at]), int(found.rows[at])
            ends = estimate.interval
            axes.plot([place, place], ends, color=MAIN, linewidth=2, alpha=0.5)
            style = {"color": MAIN, "fillstyle": "full" if rows >= FEW else "none"}
            axes.plot([place], [estimate.value], "o", **style)
            below.bar(low, rows, (high - low) * 0.9, align="edge", color=MAIN)
            if rows < FEW:
                below.text((low + high) / 2, rows, str(rows), ha="center", va="bottom", fontsize=8)
            cells = (low, high, rows, place, estimate.value, *ends)
            values.column(axes, low, high, *cells)
        axes.set_ylim(-0.02, 1.02)
        axes.set_ylabel("accuracy")
        below.set_ylabel("rows")
        below.set_xlim(0, 1)
        below.set_xlabel("confidence")
        told = (
            f"{name}, held-out rows: mean confidence {brief(float(sure.confidence.mean()))}, "
            f"accuracy {brief(whole.value)}{around(whole.interval, brief)}, ECE {brief(error)}."
        )
        caption = (
            f"{capital(told)} Dot and line: accuracy of a bin and its 95 % interval over persons; "
            f"hollow: fewer than {FEW} rows. Dotted: confidence equal to accuracy."
        )
        return values.figure(drawing, f"Reliability, {told}", caption)


def _selection(name: str, sure: Sure, threshold: float) -> Figure:
    values = Values(
        f"selection {name}", "least confidence", "share of rows", "rows", "accuracy", "low", "high"
    )
    cells = [_selected(sure, step) for step in STEPS.tolist()]
    columns = np.array(cells)
    columns[columns[:, 1] < FEW, 2:] = np.nan
    share_of_rows, _, accuracy, low, high = columns.T
    taken, _, good, *ends = _selected(sure, threshold)
    with settings(f"selection-{name}"):
        drawing, axes = axes_of(4.2)
        axes.fill_between(STEPS, low, high, color=MAIN, alpha=0.15, linewidth=0)
        axes.plot(STEPS, accuracy, color=MAIN, linewidth=2)
        axes.plot(STEPS, share_of_rows, color=ACCENT, linewidth=2, linestyle=(0, (4, 1.5)))
        axes.axvline(threshold, color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        axes.set_ylim(0, 1.02)
        axes.set_xlim(STEPS[0], 1)
        axes.set_xlabel("least confidence")
        half = (STEPS[1] - STEPS[0]) / 2
        for step, each in zip(STEPS.tolist(), cells, strict=True):
            values.column(axes, step - half, step + half, step, *each)
        told = f"{name}, held-out rows: {threshold:g} selects {percent(taken)}"
        told += (
            "." if good != good else f", of which {percent(good)}{around(ends, percent)} are right."
        )
        caption = (
            f"{capital(told)} Solid: accuracy of what is selected, while that is at least {FEW} "
            "rows, and its 95 % interval over persons. Dashed: share of rows selected. "
            f"Dotted: {threshold:g}."
        )
        return values.figure(drawing, f"What thresholds select, {told}", caption)


def _selected(sure: Sure, threshold: float) -> tuple[float, int, float, float, float]:
    """Share and number of the rows selected, and their accuracy with the ends of its interval."""
    chosen = sure.at_least(threshold)
    rows, estimate = int(chosen.sum()), sure.accuracy(chosen)
    return float(chosen.mean()), rows, estimate.value, *estimate.interval


def _thresholds(run: Run, found: dict[str, Sure]) -> Table:
    steps = sorted({0.0, 0.5, 0.6, 0.7, 0.8, 0.95, run.params["threshold"]})
    heads = ["Least confidence"]
    for protocol in found:
        heads += [f"{protocol}: rows", "share", "accuracy (95 % interval)"]
    rows = []
    for step in steps:
        rows.append([f"{step:g}"])
        for sure in found.values():
            taken, count, good, *ends = _selected(sure, step)
            told = NONE if good != good else f"{percent(good)}{around(ends, percent)}"
            rows[-1] += [f"{count:,}", percent(taken), told]
    note = "Rows of every run seed and repeat. " * (run.repeats > 1 or len(run.seeds) > 1)
    return Table("What thresholds select among held-out rows", heads, rows, note)


def _pseudo_labels(run: Run) -> Table:
    """How many there are, and how many of them are right, over the parts and seeds."""
    temperatures = {protocol: run.temperatures(protocol) for protocol in run.protocols}
    is_calibrated = any(temperatures.values())
    heads = ["Generation", "protocol", *(["temperature"] * is_calibrated)]
    heads += ["pseudo-labels", f"share of {_pool(run)}"]
    heads += ["accuracy"] if run.truth is not None else []
    heads += run.classes
    rows = [
        [
            capital(title(f"gen{generation}")),
            protocol,
            *([_temperatures(temperatures[protocol])] * is_calibrated),
            *_counted(run, protocol, generation),
        ]
        for protocol in run.protocols
        for generation in run.generations
    ]
    note = (
        "Where each fold or run seed has pseudo-labels of its own, their number is a mean over "
        "them; accuracy and the classes' shares are of all of them together."
    )
    if is_calibrated:
        note += (
            " The logarithms of probabilities are divided by the temperature first; above 1 the "
            "teacher was too sure of training persons whom it had not seen."
        )
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
        cells.append(percent(np.mean(right)) if len(right) else NONE)
    shares = np.bincount(labels, minlength=len(run.classes)) / max(len(rows), 1)
    return [*cells, *(percent(share) if len(rows) else NONE for share in shares)]


def _temperatures(found: list[float]) -> str:
    return extent(found, "{:.2f}".format) if found else NONE
