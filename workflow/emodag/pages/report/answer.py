"""What the report opens with: the score, whom it fails, how far it flatters."""

import numpy as np

from emodag.pages.report.finding import Finding
from emodag.pages.report.run import Run
from emodag.pages.report.worth import against_simple, pseudo_labels, self_training, variants_told
from emodag.pages.words import HIDDEN, brief, expected, interval, signed, title
from emodag.science.scores.chance import Chance
from emodag.science.scores.resampling import Estimate, estimate
from ledger.words import listed, plural


def findings(run: Run) -> list[Finding]:
    """The answer, in the order of its weight."""
    score, *others = verdict(run)
    found = [score, *_submitted(run), *_suspicions(run), *others]
    found += [*pseudo_labels(run), *variants_told(run)]
    if {"published", "nested"} <= set(run.protocols):
        found.append(_gap(run))
    if run.leaderboard:
        found.append(_hidden(run))
    return found + ([_drift(run)] if "drift" in run.inputs else [])


def verdict(run: Run) -> list[Finding]:
    """What the end of a run says, too: the score, what it is held against, and whom it fails."""
    found = [_score(run), *against_simple(run), *self_training(run)]
    return [*found, _failing(run)]


def _submitted(run: Run) -> list[Finding]:
    """What the submission is of, where it is not of what this page tells most of."""
    if run.submitted is None:
        return []
    text = (
        f"`results/submission.csv` is of {run.submitted} by `submit`. The scores here are of the "
        "configuration itself; those of all others are under “Variants”."
    )
    return [Finding("Submitted", run.submitted, text, is_warning=True)]


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


def _score(run: Run) -> Finding:
    protocol = run.told
    estimate = run.estimate(protocol, run.last)
    ends = f"95 % interval {interval(estimate.interval, brief)}, {sample(run)}"
    guessing = run.chance(protocol)
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


def dotted(guessing: Chance, protocol: str) -> str:
    """What a caption says of the line at `guessing.mean`."""
    exchanged = ", or exchanged between persons of one class each" * np.isnan(guessing.own).any()
    return (
        f"Dotted: guessing, {brief(guessing.mean)}: what the {protocol} predictions score after "
        f"each person's labels were shuffled among that person's rows{exchanged}."
    )


def _failing(run: Run) -> Finding:
    """Who is no better off than with a guess."""
    protocol = run.told
    own, failing = run.own(protocol), run.failing(protocol)
    unknown = np.flatnonzero(np.isnan(run.chance(protocol).own)).tolist()
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


def _gap(run: Run) -> Finding:
    published, nested = (run.estimate(name, run.last) for name in ("published", "nested"))
    reported, leaked = reported_score(run, "published", run.last), published - nested
    ends = interval(leaked.interval, signed)
    seen = "teacher, pseudo-labels and learning rate have" if run.has_pool else "learning rate has"
    text = (
        f"The published protocol reports {brief(reported)}, the leak-free one "
        f"{brief(nested.value)}. Of the gap, {signed(reported - published.value)} "
        f"comes of reporting the best epoch, and {signed(leaked.value)} "
        f"(95 % interval {ends}) of labels that {seen} seen."
    )
    gap = signed(reported - nested.value)
    return Finding("Optimism of the published protocol", gap, text, is_warning=True)


def _drift(run: Run) -> Finding:
    contrasts = [c for c in run.json("drift")["contrasts"] if c["effects"]]
    moved = [contrast for contrast in contrasts if contrast["first"] is not None]
    told = " ".join(
        f"{contrast['title']}: {contrast['verdict']}" for contrast in moved or contrasts
    )
    figure = f"{len(moved)} of {plural(len(contrasts), 'contrast')}"
    return Finding("Drift", figure if moved else "none", told, is_warning=bool(moved))
