"""What a comparison of variants comes to, in words."""

import csv
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from emodag.pages.words import brief, interval
from emodag.science.scores.exchanges import MOST_EXACT, least_p
from ledger.words import plural

ALPHA = 0.05
"""Below this p value a difference is called one."""


WORDS = {"variant", "changes", "leak_free", "environments", "env", "protocol", "stage"}
"""The columns of final tables that hold no numbers."""


def read_table(path: Path | None) -> list[dict[str, Any]]:
    """The rows of a final table, numbers as such and "" for what is not known; none without one."""
    if path is None or not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [
            {key: text if key in WORDS else _value(text) for key, text in row.items()}
            for row in csv.DictReader(stream)
        ]


def read_rows(path: Path | None) -> list[dict[str, Any]]:
    """The rows of variants.csv, best first; none without variants."""
    return sorted(read_table(path), key=lambda row: -row["macro_f1"])


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def verdict(rows: list[dict[str, Any]]) -> str:
    """How many variants differ from the baseline, in words."""
    tested = [row for row in rows if row["p_holm"] != ""]
    base = baseline(rows)
    better, worse = (
        [r["variant"] for r in tested if r["p_holm"] < ALPHA and sign * r["difference"] > 0]
        for sign in (1, -1)
    )
    found = len(better) + len(worse)
    if not tested:
        return f"No leak-free variant is compared with {base}."
    persons = int(rows[0]["persons"])
    if len(tested) * least_p(persons) >= ALPHA:
        return (
            f"With {plural(persons, 'person')} no difference among "
            f"{plural(len(tested), 'variant')} could be told from chance, however large: compare "
            f"fewer variants{', or more persons' * (persons < MOST_EXACT)}."
        )
    if not found:
        none = f"None of {plural(len(tested), 'variant')} differs"
        none = none if len(tested) > 1 else f"{tested[0]['variant']} does not differ"
        return (
            f"{none} from {base} by the sign-flip test over persons: this table cannot tell them "
            "apart."
        )
    told = [f"better: {_listed(better)}"] * bool(better) + [f"worse: {_listed(worse)}"] * bool(
        worse
    )
    differ = "differs" if found == 1 else "differ"
    return f"{found} of {plural(len(tested), 'variant')} {differ} from {base} ({'; '.join(told)})."


NETWORKS = ("network", "tabm")
"""The learners that are not simple."""


def simple_learner(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The best leak-free variant with a simple learner, the baseline too, None without any."""
    learner = re.compile(rf"\blearner=(?!{'|'.join(NETWORKS)})")
    found = (row for row in rows if learner.search(row["changes"]) and row["leak_free"] == "yes")
    return next(found, None)


def own_row(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of the configuration itself, which changes nothing."""
    return next(row for row in rows if row["changes"] == "")


def baseline(rows: list[dict[str, Any]]) -> str:
    """What all others are compared with."""
    return next(row["variant"] for row in rows if row["difference"] == "")


def choice(selection: dict[str, Any] | None) -> list[str]:
    """What pseudo-labels, and the best of the variants, are worth, in words.

    Nothing with too few persons or variants.
    """
    if selection is None or selection["variants"] < 2:
        return []
    ends = interval([selection["low"], selection["high"]], brief)
    return [
        *map(_over_the_control, selection.get("controls", [])),
        f"The best of {selection['variants']} is {selection['winner']} with "
        f"{brief(selection['naive'])}. Being the best of so many takes luck: what to expect of it "
        f"on new people is {brief(selection['corrected'])} (95 % interval {ends}).",
    ]


def _over_the_control(found: dict[str, Any]) -> str:
    """How much better a variant is than its control of equal compute."""
    more, low, high = (brief(found[name], signed=True) for name in ("difference", "low", "high"))
    return (
        f"Pseudo-labels of {found['of']}: {more} (95 % interval {low} to {high}) over as many "
        "steps on labelled rows alone."
    )


def _listed(names: list[str]) -> str:
    few = ", ".join(names[:5])
    return few if len(names) <= 5 else f"{few} and {len(names) - 5} more"
