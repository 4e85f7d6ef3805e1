"""Scores by person: people, not windows, are the sample."""

import numpy as np

from emodag.pages.drawing import FAINT, MAIN, axes_of, settings, svg
from emodag.pages.page_parts import Table
from emodag.pages.report.intervals import Intervals
from emodag.pages.report.parts import Figure, Section, capital, stage_name
from emodag.pages.report.run import Run
from emodag.pages.words import brief, interval, percent, short
from emodag.science.scores.class_scores import macro_f1_of


def section(run: Run, intervals: Intervals) -> Section:
    """A figure for each protocol, and everybody's figures."""
    text = (
        f"Scores of {stage_name(run.last)} on each person while held out. The interval of the "
        "protocol's score comes of leaving out one person after the other: windows of one person "
        "resemble each other, so they are not the sample. "
        "A person's macro-F1 is over the classes that the person shows or is taken for."
        + " Everybody's scores are means over the repeats."
        * (run.repeats > 1)
    )
    scores = {protocol: person_scores(run, protocol) for protocol in run.protocols}
    figures = [_figure(run, intervals, protocol, scores[protocol]) for protocol in run.protocols]
    return Section("persons", "Scores by person", [text, figures, _table(run, scores)])


def person_scores(run: Run, protocol: str) -> dict[str, np.ndarray]:
    """(persons,) `f1` and `accuracy` of the last generation, means over seeds and repeats."""
    found = [c for seed in run.seeds for c in run.person_confusions(protocol, seed, run.last)]
    hits = [np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2)) for counts in found]
    f1 = [macro_f1_of(counts) for counts in found]
    return {"f1": np.mean(f1, axis=0), "accuracy": np.mean(hits, axis=0)}


def _figure(run: Run, intervals: Intervals, protocol: str, scores: dict) -> Figure:
    order = np.argsort(-scores["f1"], kind="stable")
    estimate = intervals.of(protocol, run.last)
    with settings(f"persons-{protocol}"):
        drawing, axes = axes_of(3.2)
        axes.axhspan(*estimate.interval, color=MAIN, alpha=0.15, linewidth=0)
        axes.axhline(estimate.value, color=MAIN, linewidth=1)
        axes.axhline(1 / len(run.classes), color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        places = range(len(order))
        axes.plot(places, scores["f1"][order], "o", color=MAIN, markersize=5)
        if len(order) <= 40:
            names = [short(run.persons[at]) for at in order]
            axes.set_xticks(places, names, rotation=90, fontsize=8)
        else:
            axes.set_xticks([])
        axes.set_ylim(0, 1.02)
        axes.set_ylabel("macro-F1")
        axes.set_xlabel("persons, best first")
        ends = [run.persons[order[0]], run.persons[order[-1]]]
        f1 = scores["f1"][order]
        told = (
            f"Macro-F1 by person, {protocol} protocol: from {brief(f1[-1])} ({ends[1]}) to "
            f"{brief(f1[0])} ({ends[0]})."
        )
        caption = (
            f"{capital(protocol)}: macro-F1 by person, {brief(f1[-1])} to {brief(f1[0])}. Line and "
            f"band: the protocol's score {brief(estimate.value)} and its 95 % interval "
            f"{interval(estimate.interval, brief)}. Dotted: about what guessing comes to."
        )
        return Figure(svg(drawing, told), caption)


def _table(run: Run, scores: dict[str, dict[str, np.ndarray]]) -> Table:
    rows_of = np.bincount(run.person, minlength=len(run.persons))
    heads = ["Person", "rows", "fold"]
    for protocol in run.protocols:
        heads += [f"{protocol}: macro-F1", f"{protocol}: accuracy"]
    rows = [
        [person, f"{rows_of[at]:,}", ", ".join(map(str, run.folds_of[:, at]))]
        + [
            text
            for found in scores.values()
            for text in (brief(found["f1"][at]), percent(found["accuracy"][at]))
        ]
        for at, person in enumerate(run.persons)
    ]
    return Table("Every person", heads, rows)
