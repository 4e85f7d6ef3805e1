"""`drift.html`: verdicts, then figures and tables of each contrast, in one file of its own."""

from collections.abc import Mapping
from typing import Any

from emodag.pages.drawing import Figure
from emodag.pages.drift import figures
from emodag.pages.drift.tables import SCORES, tables
from emodag.pages.drift.terms import TERMS
from emodag.pages.drift.verdicts import lead
from emodag.pages.page_parts import render
from emodag.pages.words import title
from ledger.words import plural


def page(facts: Mapping[str, Any]) -> str:
    """The page.

    Parameters
    ----------
    facts : what `drift.json` holds.
    """
    contrasts = [_contrast(contrast, facts["yardstick"]) for contrast in facts["contrasts"]]
    told = {"lead": lead(facts), "contrasts": contrasts, "terms": TERMS}
    return render("drift/page.html", title="Drift", top="Verdict", contents=contrasts, **told)


def _contrast(contrast: Mapping[str, Any], yardstick: Mapping[str, Any]) -> dict[str, Any]:
    """A contrast as the template wants it."""
    factors = contrast["factors"]
    return {
        "name": contrast["name"],
        "title": contrast["title"],
        "verdict": contrast["verdict"],
        "differs": contrast["first"] is not None and contrast["effects"],
        "caution": _caution([factor["name"] for factor in factors]),
        "changes": [
            {"what": change["what"], **{side: change[side] or "(not set)" for side in "ab"}}
            for factor in factors
            for change in factor["changes"]
        ],
        "figures": _figures(contrast, yardstick),
        "tables": tables(contrast, yardstick),
    }


def _caution(names: list[str]) -> str:
    if len(names) < 2:
        return ""
    return (
        f"The two sides differ in {len(names)} factors ({', '.join(names)}), so this contrast "
        "cannot tell which of them does what."
    )


def _figures(contrast: Mapping[str, Any], yardstick: Mapping[str, Any]) -> list[Figure]:
    name, steps = contrast["name"], contrast["steps"]
    spreads, effects = (_by_title(scores) for scores in (yardstick, contrast["effects"]))
    grown = any(step["amplification"] for step in steps)
    return [
        figures.distances(steps, notes(contrast), f"{name}-distances"),
        *([figures.amplification(steps, f"{name}-amplification")] if grown else []),
        figures.effects(spreads, effects, f"{name}-effects"),
    ]


def _by_title(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What is known by generation and score, by what a figure calls it."""
    return {
        f"{title(step)}: {text.lower()}": found[key]
        for step, found in scores.items()
        for key, text in SCORES.items()
        if key in found
    }


def notes(contrast: Mapping[str, Any]) -> dict[str, str]:
    """By step that makes decisions, how many of them differ in the pair where most do."""
    found: dict[str, int] = {}
    for pair in contrast["pairs"]:
        changed: dict[str, int] = {}
        for entry in pair["pseudo_labels"]:
            count = entry["gained"] + entry["lost"] + entry["flipped"]
            changed[entry["step"]] = changed.get(entry["step"], 0) + count
        found |= {step: max(count, found.get(step, 0)) for step, count in changed.items()}
    persons = max(len(pair["folds"]["moved"]) for pair in contrast["pairs"])
    up_to = "up to " if len(contrast["pairs"]) > 1 else ""
    texts = {step: f"{up_to}{plural(count, 'label')}" for step, count in found.items() if count}
    return texts | ({"folds": plural(persons, "person")} if persons else {})
