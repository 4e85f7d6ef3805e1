"""Scores by person: people, not windows, are the sample."""

import numpy as np

from emodag.pages.drawing import FAINT, INK, MAIN, MOST_PERSONS, Figure, Values, axes_of, settings
from emodag.pages.page_parts import Section, Table
from emodag.pages.report.answer import dotted
from emodag.pages.report.run import Run
from emodag.pages.words import brief, capital, interval, percent, short, title
from ledger.words import naturally


def section(run: Run) -> Section:
    """A figure for each protocol, and everybody's figures."""
    text = (
        f"Scores of {title(run.last)} on each person while held out. The interval of the "
        "protocol's score comes of leaving out one person after the other: windows of one person "
        "resemble each other, so they are not the sample. "
        "A person's macro-F1 is over the classes that the person shows or is taken for. Where "
        "neighbouring windows share their label, luck gets further than the shuffles say."
        + " Everybody's scores are means over the repeats."
        * (run.repeats > 1)
    )
    figures = [_figure(run, protocol) for protocol in run.protocols]
    return Section("persons", "Scores by person", [text, figures, _table(run)])


def _accuracy(run: Run, protocol: str) -> np.ndarray:
    """(persons,) float64: the share of right answers of the last generation."""
    counts = run.counts(protocol, run.last).sum(axis=(0, 1))
    return np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2))


def _figure(run: Run, protocol: str) -> Figure:
    own = run.own(protocol)
    order = np.argsort(-own, kind="stable")
    f1, guessing = own[order], run.chance(protocol)
    estimate, rows = run.estimate(protocol, run.last), np.bincount(run.person)
    values = Values(
        f"persons {protocol}",
        "person",
        "macro-F1",
        "accuracy",
        "95 % of guesses stay below",
        "rows",
    )
    accuracy = _accuracy(run, protocol)
    with settings(f"persons-{protocol}"):
        drawing, axes = axes_of(3.2)
        axes.axhspan(*estimate.interval, color=MAIN, alpha=0.15, linewidth=0)
        axes.axhline(estimate.value, color=MAIN, linewidth=1)
        axes.axhline(guessing.mean, color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        places = range(len(order))
        axes.plot(places, guessing.own[order], "_", color=INK, markersize=11)
        axes.plot(places, f1, "o", color=MAIN, markersize=5)
        axes.set_xlim(-0.6, len(order) - 0.4)
        for place, at in enumerate(order.tolist()):
            cells = (float(each[at]) for each in (own, accuracy, guessing.own))
            band = (place - 0.5, place + 0.5)
            values.column(axes, *band, run.persons[at], *cells, int(rows[at]))
        axes.set_xticks([])
        if len(order) <= MOST_PERSONS:
            names = short([run.persons[at] for at in order])
            axes.set_xticks(places, names, rotation=90, fontsize=8)
        axes.set_ylim(0, 1.02)
        axes.set_ylabel("macro-F1")
        axes.set_xlabel("persons, best first")
        ends = [run.persons[order[0]], run.persons[order[-1]]]
        told = (
            f"Macro-F1 by person, {protocol} protocol: from {brief(f1[-1])} ({ends[1]}) to "
            f"{brief(f1[0])} ({ends[0]})."
        )
        caption = (
            f"{capital(protocol)}: macro-F1 by person, {brief(f1[-1])} to {brief(f1[0])}. Line and "
            f"band: the protocol's score {brief(estimate.value)} and its 95 % interval "
            f"{interval(estimate.interval, brief)}. {dotted(guessing, protocol)} "
            "Dash: what 95 of 100 such shuffles stay below for that person; a dot that is not "
            "above it may be luck."
        )
        return values.figure(drawing, told, caption)


def _table(run: Run) -> Table:
    rows_of = np.bincount(run.person, minlength=len(run.persons))
    heads = ["Person", "rows", "fold"]
    scores = [(run.own(name), _accuracy(run, name)) for name in run.protocols]
    for protocol in run.protocols:
        heads += [f"{protocol}: macro-F1", f"{protocol}: accuracy"]
    rows = [
        [person, f"{rows_of[at]:,}", ", ".join(map(str, run.folds_of[:, at]))]
        + [text for own, accuracy in scores for text in (brief(own[at]), percent(accuracy[at]))]
        for at, person in enumerate(run.persons)
    ]
    return Table("Every person", heads, sorted(rows, key=lambda row: naturally(row[0])))
