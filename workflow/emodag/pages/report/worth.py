"""What was worth it: the network, the generations, their pseudo-labels, other variants."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from emodag.pages.comparison import ALPHA, NETWORKS, baseline, choice, own_row, simple_learner
from emodag.pages.comparison import verdict as compared
from emodag.pages.report.finding import SIMPLE, Finding
from emodag.pages.report.run import Run
from emodag.pages.words import around, brief, extent, interval, probability, signed, title
from emodag.science.scores.resampling import Estimate
from ledger.words import listed

FEW_LABELS = 0.05
"""Fewer pseudo-labels than this share of the labelled rows are few."""


def is_simple(run: Run) -> bool:
    """Whether the learner is itself a simple one."""
    return run.params["learner"] not in NETWORKS


def against_simple(run: Run) -> list[Finding]:
    """Whether the network is worth it; by the test where one of the two is the baseline."""
    title, row = "Against a simple learner", simple_learner(run.variants)
    if is_simple(run):
        return [Finding(title, "is one", f"The learner is itself one: {run.params['learner']}.")]
    if row is None:
        return [Finding(title, "none was run", f"To run one: {SIMPLE}")]
    own, name = own_row(run.variants), baseline(run.variants)
    lead, ends = own["macro_f1"] - row["macro_f1"], ["", ""]
    apart = f"Whether one is better is not tested: both are compared with {name}."
    if name == row["variant"]:
        ends, apart = [own["difference_low"], own["difference_high"]], _told_apart(lead, own)
    elif name == own["variant"]:
        ends, apart = [row["difference_high"], row["difference_low"]], _told_apart(lead, row)
        ends = [end if end == "" else -end for end in ends]
    told = "" if "" in ends else f"; 95 % interval {interval(ends, signed)}"
    text = (
        f"The score less that of {row['variant']}, the best simple learner "
        f"({brief(row['macro_f1'])}{told}). {apart}"
    )
    return [Finding(title, signed(lead), text, is_warning=lead < 0)]


def _told_apart(lead: float, tested: Mapping[str, Any]) -> str:
    p, raw = tested["p_holm"], probability(tested["p"], sign="= ")
    holm = "" if p == tested["p"] else f", by Holm's correction {probability(p)}"
    told = f"By the sign-flip test over persons (p {raw}{holm})"
    if p >= ALPHA:
        return f"{told} this table cannot tell these apart."
    return f"{told} the {'network' if lead > 0 else 'simple learner'} is better."


def _generations(run: Run) -> dict[str, Estimate]:
    """The leak-free score of every generation from the teacher on, none without any after it."""
    stages = run.stages("nested") if "nested" in run.protocols else []
    if "gen0" not in stages or run.last == "gen0":
        return {}
    return {stage: run.estimate("nested", stage) for stage in stages[stages.index("gen0") :]}


def better_stop(run: Run) -> str | None:
    """The best generation that scores above the last, and clearly above it or the next one."""
    found = _generations(run)
    better = [
        stage
        for stage, after in pairwise(found)
        if found[stage].value > found[run.last].value
        and any((found[other] - found[stage]).interval[1] < 0 for other in (after, run.last))
    ]
    return max(better, key=lambda stage: found[stage].value, default=None)


def self_training(run: Run) -> list[Finding]:
    """Whether the generations were worth it, where there are several."""
    found, stop = _generations(run), better_stop(run)
    if not found:
        return []
    gain = found[run.last] - found["gen0"]
    told = ", ".join(f"{title(stage)} {brief(score.value)}" for stage, score in found.items())
    ends = interval(gain.interval, signed)
    worth = f"It hurts beyond {title(stop)}: stop there." if stop else _worth(gain.interval)
    text = (
        f"From generation 0 to {title(run.last)}, on the same held-out people (95 % interval "
        f"{ends}; leak-free: {told}). {worth}{_step_by_step(found)}"
    )
    return [Finding("Self-training", signed(gain.value), text, is_warning=stop is not None)]


def _worth(gain: Sequence[float]) -> str:
    """What the interval of self-training's gain says."""
    if gain[0] > 0:
        return "It helps."
    return "This table cannot tell these apart, and generation 0 is there sooner."


def _step_by_step(found: Mapping[str, Estimate]) -> str:
    """What each generation has added to the one before it, where there are several."""
    if len(found) < 3:
        return ""
    steps = ((stage, found[stage] - found[before]) for before, stage in pairwise(found))
    told = listed(
        f"{title(stage)} {signed(step.value)}{around(step.interval, signed)}"
        for stage, step in steps
    )
    return f" Each against the one before it: {told}."


def pseudo_labels(run: Run) -> list[Finding]:
    """Which generations learned from so few pseudo-labels that their gain says nothing."""
    told, rows, lowest = [], len(run.labels), []
    for protocol in run.protocols if run.has_pool else []:
        for number in run.generations:
            counts = [
                len(run.pseudo_labels(protocol, seed, number, part)["row"])
                for seed in run.seeds
                for part in run.parts(protocol)
            ]
            if min(counts) == 0 or np.mean(counts) < FEW_LABELS * rows:
                told.append(
                    f"{extent(counts, '{:,}'.format)} in {title(f'gen{number}')} under {protocol}"
                )
                lowest.append(min(counts))
    if not told:
        return []
    text = (
        f"Beside {rows:,} labelled rows students learned from few pseudo-labels: {listed(told)}. "
        "What such a generation adds says little of self-training."
    )
    if "select" not in run.params:
        text += (
            f" No more rows reach a confidence of {run.params['threshold']}: lower "
            "`pseudo_labels.threshold` to change that."
        )
    few = f"as few as {min(lowest)}" if min(lowest) else "none for some students"
    return [Finding("Pseudo-labels", few, text, is_warning=True)]


def better_variant(run: Run) -> dict[str, Any] | None:
    """The best of the variants above the configuration that are better than the baseline by the
    test, None without any."""
    better = (
        row
        for row in run.variants
        if row["p_holm"] != "" and row["p_holm"] < ALPHA and row["difference"] > 0
    )
    return next((r for r in better if r["macro_f1"] > own_row(run.variants)["macro_f1"]), None)


def is_baseline_submitted(run: Run) -> bool:
    """Whether a variant better than the baseline is better than what is submitted, too."""
    submitted = run.submitted or own_row(run.variants)["variant"]
    return baseline(run.variants) == submitted


def variants_told(run: Run) -> list[Finding]:
    """Whether another setting or a simpler learner does as well, or better."""
    if not run.variants:
        return []
    best, told = better_variant(run), compared(run.variants)
    if best is None:
        return [Finding("Better variants", "none", told)]
    ends = [best["difference_low"], best["difference_high"]]
    text = (
        f"So much better than {baseline(run.variants)} is {best['variant']}, with "
        f"{brief(best['macro_f1'])} (95 % interval {interval(ends, signed)}). "
        f"{' '.join([told, *choice(run.selection)])}"
    )
    return [Finding("Better variants", signed(best["difference"]), text, True)]
