"""What the report opens with: the score, whom it fails, how far it flatters, what to do next."""

import json
import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from emodag.pages.comparison import ALPHA, NETWORKS, baseline, choice, own_row, simple_learner
from emodag.pages.comparison import verdict as compared
from emodag.pages.report.intervals import Intervals
from emodag.pages.report.run import Run
from emodag.pages.words import HIDDEN, around, brief, expected, interval, probability, title
from emodag.science.scores.chance import Chance
from emodag.science.scores.resampling import Estimate, estimate
from ledger.words import listed, plural

MOST_STEPS = 3
"""So many next steps are told, the first ones that apply."""

WIDE, FEW = 0.2, 30
"""An interval is wide beyond this, and persons are few below this."""

FEW_LABELS = 0.05
"""Fewer pseudo-labels than this share of the labelled rows are few."""


class Finding(NamedTuple):
    """One of the things to know, `figure` being the number it comes to."""

    title: str
    figure: str
    text: str
    is_warning: bool = False

    @property
    def line(self) -> str:
        """The same for a terminal."""
        return f"{self.title}: {self.figure}. {self.text}"


def findings(run: Run, intervals: Intervals) -> list[Finding]:
    """The answer, in the order of its weight."""
    score, *others = verdict(run, intervals)
    found = [score, *_submitted(run), *_suspicions(run), *others]
    found += [*_pseudo_labels(run), *_variants(run)]
    if {"published", "nested"} <= set(run.protocols):
        found.append(_gap(run, intervals))
    if run.leaderboard:
        found.append(_hidden(run))
    return found + ([_drift(run)] if "drift" in run.inputs else [])


def verdict(run: Run, intervals: Intervals) -> list[Finding]:
    """What the end of a run says, too: the score, what it is held against, and whom it fails."""
    found = [_score(run, intervals), *_against_simple(run), *_self_training(run, intervals)]
    return [*found, _failing(run, intervals)]


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
    """What the numbers suggest to do next, each with its command, the weightiest first."""
    protocol, persons = run.protocols[-1], len(run.persons)
    low, high = intervals.of(protocol, run.last).interval
    stop, variant = _better_stop(run, intervals), _better_variant(run)
    rules = [
        (
            protocol != "nested",
            "Add the leak-free protocol, for the score to expect of new people: "
            f"{_command(protocols=[protocol, 'nested'])}",
        ),
        (
            stop,
            f"Stop at {title(stop or '')}, which scores higher and is there sooner: "
            f"{_command(**_stopping(stop or ''))}",
        ),
        (
            variant and run.has_test and _is_baseline_submitted(run),
            f"Submit the better variant: {_command(submit=variant and variant['variant'])}",
        ),
        (
            not simple_learner(run.variants) and not _is_simple(run),
            f"Compare with a simple learner: {SIMPLE}",
        ),
        (
            intervals.failing(protocol),
            "See “Scores by person” for whom it fails, “Data” for what sets them apart, and what "
            f"is odd in the tables: `emodag check {CONFIGURATION}`",
        ),
        (
            high - low > WIDE and persons < FEW,
            f"Add people: the interval of {plural(persons, 'person')} is {brief(high - low)} wide. "
            "Four times as many would at least halve it; more rows of the same people help less. "
            f"Then: {_command()}",
        ),
        (
            "drift" not in run.inputs,
            f"Ask whether other machines score the same: {_command('results/drift.html')}",
        ),
    ]
    return [step for applies, step in rules if applies][:MOST_STEPS]


def _stopping(stage: str) -> dict[str, Any]:
    """The settings that end a run with a generation; of generation 0 nothing is published."""
    number = stage.removeprefix("gen")
    return {"generations": number} | ({"protocols": ["nested"]} if number == "0" else {})


def _command(target: str = "", **settings: Any) -> str:
    """The command for a target, or for the report, of this configuration with other settings."""
    told = " ".join(f"{key}={shlex.quote(_spelt(value))}" for key, value in settings.items())
    words = ["snakemake", "-c8", target, f"--configfile {CONFIGURATION}"]
    return f"`{' '.join(filter(None, [*words, told and f'--config {told}']))}`"


def _spelt(value: Any) -> str:
    """A setting as the command line takes it, in YAML."""
    return value if isinstance(value, str) else json.dumps(value).replace('"', "")


CONFIGURATION = "results/configuration.yaml"
"""The whole configuration of the run."""

SIMPLE = _command("results/variants.csv", variants={"linear": {"learner": "logistic_regression"}})
"""The command that compares with a simple learner."""


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
            f"Macro-F1 of {title(run.last)} on people whom its models have not seen ({ends}). "
            f"{above}"
        )
        return Finding(expected(protocol), brief(estimate.value), text, is_warning=not is_above)
    text = (
        f"Macro-F1 of {title(run.last)} on held-out people ({ends}). Their labels have had a "
        f"say in {'the teacher and ' * run.has_pool}the epochs. {above}"
    )
    return Finding(expected(protocol), brief(estimate.value), text, is_warning=True)


def against(estimate: Estimate, guessing: Chance) -> str:
    """A score held against what guessing comes to."""
    level = brief(guessing.mean)
    if estimate.value <= guessing.high:
        return f"Not above guessing ({level})."
    if estimate.interval[0] > guessing.high:
        return f"Clearly above guessing ({level})."
    return f"Above guessing ({level}) for these people; for others the interval leaves it open."


def _is_simple(run: Run) -> bool:
    return run.params["learner"] not in NETWORKS


def _against_simple(run: Run) -> list[Finding]:
    """Whether the network is worth it; by the test where one of the two is the baseline."""
    title, row = "Against a simple learner", simple_learner(run.variants)
    if _is_simple(run):
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
    told = "" if "" in ends else f"; 95 % interval {interval(ends, _signed)}"
    text = (
        f"The score less that of {row['variant']}, the best simple learner "
        f"({brief(row['macro_f1'])}{told}). {apart}"
    )
    return [Finding(title, _signed(lead), text, is_warning=lead < 0)]


def _told_apart(lead: float, tested: Mapping[str, Any]) -> str:
    p = tested["p_holm"]
    told = f"By the sign-flip test over persons (p {probability(p, sign='= ')})"
    if p >= ALPHA:
        return f"{told} this table cannot tell these apart."
    return f"{told} the {'network' if lead > 0 else 'simple learner'} is better."


def _signed(value: float) -> str:
    return brief(value, signed=True)


def _failing(run: Run, intervals: Intervals) -> Finding:
    """Who is no better off than with a guess."""
    protocol = run.protocols[-1]
    own, failing = intervals.own(protocol), intervals.failing(protocol)
    unknown = np.flatnonzero(np.isnan(intervals.chance(protocol).own)).tolist()
    if len(unknown) == len(own):
        text = "Each person shows one class, so none can be held against guessing alone."
        return Finding("People it fails", "not told", text)
    nobody = f" Of {listed(run.persons[at] for at in unknown)} with one class nobody can tell."
    if not failing:
        lowest = int(np.argmin(own))
        text = f"The lowest score of a person is {brief(own[lowest])} ({run.persons[lowest]})."
        return Finding("People it fails", "none", text + nobody * bool(unknown))
    named = listed(f"{run.persons[at]} ({brief(own[at])})" for at in failing)
    text = f"Not clearly better than guessing: person{'s' * (len(failing) > 1)} {named}."
    figure = f"{len(failing)} of {len(own) - len(unknown)}"
    return Finding("People it fails", figure, text + nobody * bool(unknown), is_warning=True)


def _generations(run: Run, intervals: Intervals) -> dict[str, Estimate]:
    """The leak-free score of every generation from the teacher on, none without any after it."""
    stages = run.stages("nested") if "nested" in run.protocols else []
    if "gen0" not in stages or run.last == "gen0":
        return {}
    return {stage: intervals.of("nested", stage) for stage in stages[stages.index("gen0") :]}


def _better_stop(run: Run, intervals: Intervals) -> str | None:
    """The best generation that scores above the last, and clearly above it or the next one."""
    found = _generations(run, intervals)
    better = [
        stage
        for stage, after in pairwise(found)
        if found[stage].value > found[run.last].value
        and any((found[other] - found[stage]).interval[1] < 0 for other in (after, run.last))
    ]
    return max(better, key=lambda stage: found[stage].value, default=None)


def _self_training(run: Run, intervals: Intervals) -> list[Finding]:
    """Whether the generations were worth it, where there are several."""
    found, stop = _generations(run, intervals), _better_stop(run, intervals)
    if not found:
        return []
    gain = found[run.last] - found["gen0"]
    told = ", ".join(f"{title(stage)} {brief(score.value)}" for stage, score in found.items())
    ends = interval(gain.interval, _signed)
    worth = f"It hurts beyond {title(stop)}: stop there." if stop else _worth(gain.interval)
    text = (
        f"From generation 0 to {title(run.last)}, on the same held-out people (95 % interval "
        f"{ends}; leak-free: {told}). {worth}{_step_by_step(found)}"
    )
    return [Finding("Self-training", _signed(gain.value), text, is_warning=stop is not None)]


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
        f"{title(stage)} {_signed(step.value)}{around(step.interval, _signed)}"
        for stage, step in steps
    )
    return f" Each against the one before it: {told}."


def _pseudo_labels(run: Run) -> list[Finding]:
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
                told.append(f"{_extent(counts)} in {title(f'gen{number}')} under {protocol}")
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


def _extent(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _better_variant(run: Run) -> dict[str, Any] | None:
    """The best of the variants above the configuration that are better than the baseline by the
    test, None without any."""
    better = (
        row
        for row in run.variants
        if row["p_holm"] != "" and row["p_holm"] < ALPHA and row["difference"] > 0
    )
    return next((r for r in better if r["macro_f1"] > own_row(run.variants)["macro_f1"]), None)


def _is_baseline_submitted(run: Run) -> bool:
    """Whether a variant better than the baseline is better than what is submitted, too."""
    submitted = run.submitted or own_row(run.variants)["variant"]
    return baseline(run.variants) == submitted


def _variants(run: Run) -> list[Finding]:
    """Whether another setting or a simpler learner does as well, or better."""
    if not run.variants:
        return []
    best, told = _better_variant(run), compared(run.variants)
    if best is None:
        return [Finding("Better variants", "none", told)]
    ends = [best["difference_low"], best["difference_high"]]
    text = (
        f"So much better than {baseline(run.variants)} is {best['variant']}, with "
        f"{brief(best['macro_f1'])} (95 % interval {interval(ends, _signed)}). "
        f"{' '.join([told, *choice(run.selection)])}"
    )
    return [Finding("Better variants", _signed(best["difference"]), text, True)]


def _suspicions(run: Run) -> list[Finding]:
    """What ingest found in the tables that makes the score lie, none where it found nothing."""
    warnings = run.json("table/quality.json")["warnings"]
    if not warnings:
        return []
    text = " ".join(f"{warning[0].upper()}{warning[1:]}." for warning in warnings)
    return [Finding("Doubts about the score", plural(len(warnings), "warning"), text, True)]


def _hidden(run: Run) -> Finding:
    first, *others = run.protocols
    scores = {name: float(np.mean(hidden_scores(run, name, run.last))) for name in run.protocols}
    score, of, ends = scores[first], f"the {first} protocol", ["", ""]
    if run.submitted is not None:
        row = next(row for row in run.variants if row["variant"] == run.submitted)
        score, of, others = row["hidden"], run.submitted, []
        ends = [row["hidden_low"], row["hidden_high"]]
    elif (counts := run.hidden_counts(first, run.last)) is not None:
        ends = estimate(counts).interval
    persons = 0 if run.test_person is None else int(run.test_person.max()) + 1
    sure = "no interval, as nothing tells whose they are"
    if persons:
        sure = "no interval, as they are one person's"
    if persons > 1:
        sure = f"95 % interval {interval(ends, brief)}, over {persons} persons"
    text = (
        f"Macro-F1 of the submission, which is of {of}, on the test table's rows, whose truth is "
        f"known here ({sure})."
    )
    text += "".join(f" The {name} protocol's: {brief(scores[name])}." for name in others)
    return Finding(HIDDEN, brief(score), text)


def _gap(run: Run, intervals: Intervals) -> Finding:
    published, nested = (intervals.of(name, run.last) for name in ("published", "nested"))
    reported, leaked = reported_score(run, "published", run.last), published - nested
    ends = interval(leaked.interval, _signed)
    seen = "teacher, pseudo-labels and learning rate have" if run.has_pool else "learning rate has"
    text = (
        f"The published protocol reports {brief(reported)}, the leak-free one "
        f"{brief(nested.value)}. Of the gap, {_signed(reported - published.value)} "
        f"comes of reporting the best epoch, and {_signed(leaked.value)} "
        f"(95 % interval {ends}) of labels that {seen} seen."
    )
    gap = _signed(reported - nested.value)
    return Finding("Optimism of the published protocol", gap, text, is_warning=True)


def _drift(run: Run) -> Finding:
    contrasts = [c for c in run.json("drift")["contrasts"] if c["effects"]]
    moved = [contrast for contrast in contrasts if contrast["first"] is not None]
    told = " ".join(
        f"{contrast['title']}: {contrast['verdict']}" for contrast in moved or contrasts
    )
    figure = f"{len(moved)} of {plural(len(contrasts), 'contrast')}"
    return Finding("Drift", figure if moved else "none", told, is_warning=bool(moved))
