"""What the report opens with: the score, how far it flatters, and whether anything drifted."""

from itertools import compress
from typing import NamedTuple

import numpy as np

from emodag.pages.drawing import ACCENT, FAINT, INK, MAIN, axes_of, settings, svg
from emodag.pages.report.intervals import Intervals
from emodag.pages.report.parts import Figure, stage_name
from emodag.pages.report.run import Run
from emodag.pages.words import brief, interval, worth
from ledger.words import plural


class Finding(NamedTuple):
    """One of the things to know, `figure` being the number it comes to."""

    title: str
    figure: str
    text: str
    is_warning: bool = False


def findings(run: Run, intervals: Intervals) -> list[Finding]:
    """The answer, in the order of its weight."""
    found = [_score(run, intervals), *_self_training(run, intervals), *_suspicions(run)]
    if run.leaderboard:
        found.append(_hidden(run))
    if {"published", "nested"} <= set(run.protocols):
        found.append(_gap(run, intervals))
    return [*found, _drift(run)]


def figure(run: Run, intervals: Intervals) -> Figure:
    """Every stage's score with its interval, beside that of the hidden people."""
    places = [(protocol, stage) for protocol in run.protocols for stage in run.stages(protocol)]
    with settings("answer"):
        drawing, axes = axes_of(0.9 + 0.34 * len(places))
        told = []
        for row, (protocol, stage) in enumerate(places):
            estimate = intervals.of(protocol, stage)
            axes.plot(estimate.interval, [row, row], color=MAIN, linewidth=2)
            axes.plot([estimate.value], [row], "o", color=MAIN, markersize=7)
            reported = reported_score(run, protocol, stage)
            if protocol == "published":
                axes.plot([reported], [row], "|", color=INK, markersize=13, markeredgewidth=2)
            hidden = hidden_scores(run, protocol, stage)
            axes.plot(hidden, [row] * len(hidden), "D", color=ACCENT, markersize=6)
            told.append(f"{protocol}, {stage_name(stage)}: {brief(estimate.value)}")
        axes.axvline(1 / len(run.classes), color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        axes.set_yticks(range(len(places)), [f"{p}, {stage_name(s)}" for p, s in places])
        axes.set_ylim(len(places) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("macro-F1")
        caption = [
            "Dot and line: macro-F1 on held-out rows, its 95 % interval, " + sample(run) + ".",
            "Bar: the best epoch, which the published protocol reports.",
            "Diamond: the hidden people of the test table.",
            "Dotted: about what guessing comes to.",
        ]
        shown = [True, "published" in run.protocols, bool(run.leaderboard), True]
        return Figure(
            svg(drawing, f"Macro-F1 by stage. {'; '.join(told)}."),
            " ".join(compress(caption, shown)),
        )


def reported_score(run: Run, protocol: str, stage: str) -> float:
    """The macro-F1 as the protocol reports it, a mean over folds and seeds."""
    rows = (row for seed in run.seeds for row in run.fits(protocol, seed, stage))
    return float(np.mean([row["macro_f1"] for row in rows]))


def hidden_scores(run: Run, protocol: str, stage: str) -> list[float]:
    """The macro-F1 of every seed's submission on the hidden people; none without a truth."""
    found = (run.leaderboard.get((protocol, seed, stage)) for seed in run.seeds)
    return [row["macro_f1"] for row in found if row]


def sample(run: Run) -> str:
    """What the intervals are over."""
    persons = plural(len(run.persons), "person")
    if len(run.seeds) == 1:
        return f"over {persons}; with one run seed, not over seeds"
    return f"over {persons} and {plural(len(run.seeds), 'run seed')}"


def _score(run: Run, intervals: Intervals) -> Finding:
    protocol = run.protocols[-1]
    estimate = intervals.of(protocol, run.last)
    ends = f"95 % interval {interval(estimate.interval, brief)}, {sample(run)}"
    if protocol == "nested":
        text = (
            f"macro-F1 of {stage_name(run.last)} on people whom its models have not seen ({ends})."
        )
        return Finding("Score to expect of new people", brief(estimate.value), text)
    text = (
        f"macro-F1 of {stage_name(run.last)} on held-out people ({ends}). Their labels have had a "
        f"say in {'the teacher and ' * run.has_pool}the epochs: add `nested` to `protocols` for a "
        "leak-free score."
    )
    return Finding("Score, flattered", brief(estimate.value), text, is_warning=True)


def _self_training(run: Run, intervals: Intervals) -> list[Finding]:
    """Whether the generations were worth it, where the teacher is scored on the same people."""
    stages = run.stages("nested") if "nested" in run.protocols else []
    if "gen0" not in stages or run.last == "gen0":
        return []
    gain = intervals.of("nested", run.last) - intervals.of("nested", "gen0")
    told = ", ".join(
        f"{stage_name(stage)} {brief(intervals.of('nested', stage).value)}" for stage in stages
    )
    ends = interval(gain.interval, lambda end: brief(end, signed=True))
    text = (
        f"From the teacher to {stage_name(run.last)}, on the same held-out people (95 % interval "
        f"{ends}; leak-free: {told}). {worth(gain.interval)}"
    )
    return [Finding("Self-training", brief(gain.value, signed=True), text, gain.interval[1] < 0)]


def _suspicions(run: Run) -> list[Finding]:
    """What ingest found in the tables that makes the score lie, none where it found nothing."""
    warnings = run.json("table/quality.json")["warnings"]
    if not warnings:
        return []
    text = " ".join(f"{warning[0].upper()}{warning[1:]}." for warning in warnings)
    return [Finding("Doubts about the score", plural(len(warnings), "warning"), text, True)]


def _hidden(run: Run) -> Finding:
    protocol = run.protocols[0]
    values = hidden_scores(run, protocol, run.last)
    spread = f", {interval([min(values), max(values)], brief)} by seed" if len(values) > 1 else ""
    text = (
        f"macro-F1 of the {protocol} protocol's submission on the test table's people, whose truth "
        f"is known here{spread}."
    )
    return Finding("Score on the hidden people", brief(float(np.mean(values))), text)


def _gap(run: Run, intervals: Intervals) -> Finding:
    published, nested = (intervals.of(name, run.last) for name in ("published", "nested"))
    reported, leaked = reported_score(run, "published", run.last), published - nested
    ends = interval(leaked.interval, lambda end: brief(end, signed=True))
    seen = "teacher, pseudo-labels and learning rate have" if run.has_pool else "learning rate has"
    text = (
        f"The published protocol reports {brief(reported)}, the leak-free one "
        f"{brief(nested.value)}. Of the gap, {brief(reported - published.value, signed=True)} "
        f"comes of reporting the best epoch, and {brief(leaked.value, signed=True)} "
        f"(95 % interval {ends}) of labels that {seen} seen."
    )
    gap = brief(reported - nested.value, signed=True)
    return Finding("Optimism of the published protocol", gap, text, is_warning=True)


def _drift(run: Run) -> Finding:
    if "drift" not in run.inputs:
        text = (
            "This report was built without comparing environments. `snakemake results/drift.html` "
            "does so; with `report: {drift: true}` the outcome stands here."
        )
        return Finding("Drift", "not looked at", text)
    contrasts = [c for c in run.json("drift")["contrasts"] if c["effects"]]
    moved = [contrast for contrast in contrasts if contrast["first"] is not None]
    told = " ".join(
        f"{contrast['title']}: {contrast['verdict']}" for contrast in moved or contrasts
    )
    figure = f"{len(moved)} of {plural(len(contrasts), 'contrast')}"
    return Finding("Drift", figure if moved else "none", told, is_warning=bool(moved))
