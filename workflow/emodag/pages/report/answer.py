"""What the report opens with: the score, whom it fails, how far it flatters, what to do next."""

from itertools import compress, pairwise
from typing import Any, NamedTuple

import numpy as np

from emodag.pages.comparison import ALPHA, choice, verdict
from emodag.pages.drawing import ACCENT, FAINT, INK, MAIN, Figure, Values, axes_of, settings
from emodag.pages.report.intervals import Intervals, dotted
from emodag.pages.report.parts import stage_name
from emodag.pages.report.run import Run
from emodag.pages.words import around, brief, interval, worth
from emodag.science.scores.chance import Chance
from emodag.science.scores.resampling import Estimate, estimate
from ledger.words import listed, plural

MOST_STEPS = 3
"""So many next steps are told, the first ones that apply."""

WIDE, FEW = 0.2, 30
"""An interval is wide beyond this, and persons are few below this."""


class Finding(NamedTuple):
    """One of the things to know, `figure` being the number it comes to."""

    title: str
    figure: str
    text: str
    is_warning: bool = False


def findings(run: Run, intervals: Intervals) -> list[Finding]:
    """The answer, in the order of its weight."""
    found = [_score(run, intervals), *_submitted(run), *_suspicions(run), _failing(run, intervals)]
    found += [*_self_training(run, intervals), *_variants(run)]
    if {"published", "nested"} <= set(run.protocols):
        found.append(_gap(run, intervals))
    if run.leaderboard and run.submitted is None:
        found.append(_hidden(run))
    return found + ([_drift(run)] if "drift" in run.inputs else [])


def _submitted(run: Run) -> list[Finding]:
    """What the submission is of, where it is not of what this page tells most of."""
    if run.submitted is None:
        return []
    text = (
        f"`results/submission.csv` is of {run.submitted} by `submit`. The scores here are of the "
        "configuration itself; those of all others are under “Variants”."
    )
    return [Finding("Submitted", run.submitted, text, is_warning=True)]


def steps(run: Run, intervals: Intervals) -> list[str]:
    """What the numbers suggest to do next, the weightiest first."""
    protocol, persons = run.protocols[-1], len(run.persons)
    low, high = intervals.of(protocol, run.last).interval
    gain, variant = _gain(run, intervals), _better_variant(run)
    rules = [
        (
            protocol != "nested",
            "Add `nested` to `protocols`, for the score to expect of new people.",
        ),
        (
            gain and gain.interval[1] < 0,
            "Set `generations: 0`: the teacher alone scores higher, and is there sooner.",
        ),
        (
            variant and run.has_test,
            f"Set `submit: {variant and variant['variant']}` to submit the better variant.",
        ),
        (
            intervals.failing(protocol),
            "See “Scores by person” for whom it fails, and “Data” for what sets them apart.",
        ),
        (
            high - low > WIDE and persons < FEW,
            f"Add people: the interval of {plural(persons, 'person')} is {brief(high - low)} wide. "
            "Four times as many would halve it; more rows of the same people help less.",
        ),
        (
            not run.variants,
            "Compare with a simple learner: `variants: {linear: {learner: logistic_regression}}` "
            "in the configuration, then `snakemake -c8 results/variants.csv`.",
        ),
        (
            "drift" not in run.inputs,
            "Ask whether other machines score the same: `snakemake -c8 results/drift.html`.",
        ),
    ]
    return [step for applies, step in rules if applies][:MOST_STEPS]


def figure(run: Run, intervals: Intervals) -> Figure:
    """Every stage's score with its interval, beside that of the hidden people."""
    guessing = intervals.chance(run.protocols[-1])
    places = [(protocol, stage) for protocol in run.protocols for stage in run.stages(protocol)]
    values = Values(
        "scores by stage", "stage", "macro-F1", "low", "high", "best epoch", "hidden people"
    )
    with settings("answer"):
        drawing, axes = axes_of(0.9 + 0.34 * len(places))
        told = []
        for row, (protocol, stage) in enumerate(places):
            found, name = intervals.of(protocol, stage), f"{protocol}, {stage_name(stage)}"
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
        axes.set_yticks(range(len(places)), [f"{p}, {stage_name(s)}" for p, s in places])
        axes.set_ylim(len(places) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("macro-F1")
        caption = [
            "Dot and line: macro-F1 on held-out rows, its 95 % interval, " + sample(run) + ".",
            "Bar: the best epoch, which the published protocol reports.",
            "Diamond: the hidden people of the test table.",
            dotted(guessing, run.protocols[-1]),
        ]
        shown = [True, "published" in run.protocols, bool(run.leaderboard), True]
        description = f"Macro-F1 by stage. {'; '.join(told)}."
        return values.figure(drawing, description, " ".join(compress(caption, shown)))


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
    guessing = intervals.chance(protocol)
    above, is_above = against(estimate, guessing), estimate.value > guessing.high
    if protocol == "nested":
        text = (
            f"macro-F1 of {stage_name(run.last)} on people whom its models have not seen ({ends}). "
            f"{above}"
        )
        title = "Score to expect of new people"
        return Finding(title, brief(estimate.value), text, is_warning=not is_above)
    text = (
        f"macro-F1 of {stage_name(run.last)} on held-out people ({ends}). Their labels have had a "
        f"say in {'the teacher and ' * run.has_pool}the epochs. {above}"
    )
    return Finding("Score, flattered", brief(estimate.value), text, is_warning=True)


def against(estimate: Estimate, guessing: Chance) -> str:
    """A score held against what guessing comes to."""
    level = brief(guessing.mean)
    if estimate.value <= guessing.high:
        return f"Not above guessing ({level})."
    if estimate.interval[0] > guessing.high:
        return f"Clearly above guessing ({level})."
    return f"Above guessing ({level}) for these people; for others the interval leaves it open."


def _failing(run: Run, intervals: Intervals) -> Finding:
    """Who is no better off than with a guess."""
    protocol = run.protocols[-1]
    own, failing = intervals.own(protocol), intervals.failing(protocol)
    if not failing:
        lowest = int(np.argmin(own))
        text = f"The lowest score of a person is {brief(own[lowest])} ({run.persons[lowest]})."
        return Finding("People it fails", "none", text)
    named = listed(f"{run.persons[at]} ({brief(own[at])})" for at in failing)
    text = f"Not clearly better than guessing: person{'s' * (len(failing) > 1)} {named}."
    return Finding("People it fails", f"{len(failing)} of {len(own)}", text, is_warning=True)


def _gain(run: Run, intervals: Intervals) -> Estimate | None:
    """What self-training has added, where the teacher is scored on the same people."""
    stages = run.stages("nested") if "nested" in run.protocols else []
    if "gen0" not in stages or run.last == "gen0":
        return None
    return intervals.of("nested", run.last) - intervals.of("nested", "gen0")


def _self_training(run: Run, intervals: Intervals) -> list[Finding]:
    """Whether the generations were worth it."""
    gain = _gain(run, intervals)
    if gain is None:
        return []
    told = ", ".join(
        f"{stage_name(stage)} {brief(intervals.of('nested', stage).value)}"
        for stage in run.stages("nested")
    )
    ends = interval(gain.interval, lambda end: brief(end, signed=True))
    text = (
        f"From the teacher to {stage_name(run.last)}, on the same held-out people (95 % interval "
        f"{ends}; leak-free: {told}). {worth(gain.interval)}{_step_by_step(run, intervals)}"
    )
    return [Finding("Self-training", brief(gain.value, signed=True), text, gain.interval[1] < 0)]


def _step_by_step(run: Run, intervals: Intervals) -> str:
    """What each generation has added to the one before it, where there are several."""
    stages = run.stages("nested")[run.stages("nested").index("gen0") :]
    if len(stages) < 3:
        return ""
    steps = (
        (stage, intervals.of("nested", stage) - intervals.of("nested", before))
        for before, stage in pairwise(stages)
    )
    told = listed(
        f"{stage_name(stage)} {brief(step.value, signed=True)}"
        f"{around(step.interval, lambda end: brief(end, signed=True))}"
        for stage, step in steps
    )
    return f" Each against the one before it: {told}."


def _better_variant(run: Run) -> dict[str, Any] | None:
    """The best of the variants that are better than the baseline by the test, None without any."""
    tested = (row for row in run.variants if row["p_holm"] != "")
    better = (row for row in tested if row["p_holm"] < ALPHA and row["difference"] > 0)
    return next(better, None)


def _variants(run: Run) -> list[Finding]:
    """Whether another setting or a simpler learner does as well, or better."""
    if not run.variants:
        return []
    best, told = _better_variant(run), verdict(run.variants)
    if best is None:
        return [Finding("Better variants", "none", told)]
    ends = [best["difference_low"], best["difference_high"]]
    text = (
        f"So much better is {best['variant']}, with {brief(best['macro_f1'])} (95 % interval "
        f"{interval(ends, lambda end: brief(end, signed=True))}). "
        f"{' '.join([told, *choice(run.selection)])}"
    )
    return [Finding("Better variants", brief(best["difference"], signed=True), text, True)]


def _suspicions(run: Run) -> list[Finding]:
    """What ingest found in the tables that makes the score lie, none where it found nothing."""
    warnings = run.json("table/quality.json")["warnings"]
    if not warnings:
        return []
    text = " ".join(f"{warning[0].upper()}{warning[1:]}." for warning in warnings)
    return [Finding("Doubts about the score", plural(len(warnings), "warning"), text, True)]


def _hidden(run: Run) -> Finding:
    protocol = run.protocols[0]
    counts = run.hidden_counts(protocol, run.last)
    score = float(np.mean(hidden_scores(run, protocol, run.last)))
    if counts is None:
        sure = "no interval, as the test table does not name the persons"
    else:
        ends = estimate(counts).interval
        people = plural(counts.shape[2], "person")
        sure = f"95 % interval {interval(ends, brief)}, over {people}"
    text = (
        f"macro-F1 of the {protocol} protocol's submission on the test table's people, whose truth "
        f"is known here ({sure})."
    )
    return Finding("Score on the hidden people", brief(score), text)


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
    contrasts = [c for c in run.json("drift")["contrasts"] if c["effects"]]
    moved = [contrast for contrast in contrasts if contrast["first"] is not None]
    told = " ".join(
        f"{contrast['title']}: {contrast['verdict']}" for contrast in moved or contrasts
    )
    figure = f"{len(moved)} of {plural(len(contrasts), 'contrast')}"
    return Finding("Drift", figure if moved else "none", told, is_warning=bool(moved))
