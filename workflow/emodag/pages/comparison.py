"""What a comparison of variants comes to, in words."""

import csv
from collections.abc import Iterable
from typing import Any

from emodag.pages.words import brief, interval
from ledger.words import plural

ALPHA = 0.05
"""Below this p value a difference is called one."""


def read_rows(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of variants.csv, best first, with numbers as such and "" for what is not known."""
    rows = [
        {key: text if key in WORDS else _value(text) for key, text in row.items()}
        for row in csv.DictReader(lines)
    ]
    return sorted(rows, key=lambda row: -row["macro_f1"])


WORDS = {"variant", "changes", "leak_free", "environments"}
"""The columns that hold no numbers."""


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


CONTROL = "pseudo_labels.control=true"
"""What the control of equal compute changes, as the table has it."""


def verdict(rows: list[dict[str, Any]]) -> str:
    """How many variants differ from the baseline, in words, and what pseudo-labels are worth."""
    return " ".join([_how_many_differ(rows), *_over_the_control(rows)])


def _over_the_control(rows: list[dict[str, Any]]) -> list[str]:
    """How much better the configuration is than its control of equal compute, if there is one."""
    found = [row for row in rows if row.get("changes") == CONTROL and row["difference"] != ""]
    is_to_configuration = any(row["difference"] == row.get("changes") == "" for row in rows)
    if not found or not is_to_configuration:
        return []
    (row,) = found
    low, high = (brief(-row[f"difference_{end}"], signed=True) for end in ("high", "low"))
    return [
        f"Pseudo-labels: {brief(-row['difference'], signed=True)} (95 % interval {low} to {high}) "
        "over as many steps on labelled rows alone."
    ]


def _how_many_differ(rows: list[dict[str, Any]]) -> str:
    tested = [row for row in rows if row["p_holm"] != ""]
    base = next(row["variant"] for row in rows if row["difference"] == "")
    better, worse = (
        [r["variant"] for r in tested if r["p_holm"] < ALPHA and sign * r["difference"] > 0]
        for sign in (1, -1)
    )
    found = len(better) + len(worse)
    if not tested:
        return f"No leak-free variant is compared with {base}."
    persons = int(rows[0]["persons"])
    if len(tested) * 2 / 2**persons >= ALPHA:
        return (
            f"With {plural(persons, 'person')} no difference among "
            f"{plural(len(tested), 'variant')} could be told from chance, however large: compare "
            "fewer variants, or more persons."
        )
    if not found:
        return (
            f"None of {plural(len(tested), 'variant')} differs from {base} by the sign-flip test "
            "over persons: this table cannot tell them apart."
        )
    told = [f"better: {_listed(better)}"] * bool(better) + [f"worse: {_listed(worse)}"] * bool(
        worse
    )
    differ = "differs" if found == 1 else "differ"
    return f"{found} of {plural(len(tested), 'variant')} {differ} from {base} ({'; '.join(told)})."


def choice(selection: dict[str, Any] | None) -> list[str]:
    """What the best of them is worth, in words; nothing with too few persons or variants."""
    if selection is None or selection["variants"] < 2:
        return []
    ends = interval([selection["low"], selection["high"]], brief)
    return [
        f"The best of {selection['variants']} is {selection['winner']} with "
        f"{brief(selection['naive'])}. Being the best of so many takes luck: what to expect of it "
        f"on new people is {brief(selection['corrected'])} (95 % interval {ends})."
    ]


def _listed(names: list[str]) -> str:
    few = ", ".join(names[:5])
    return few if len(names) <= 5 else f"{few} and {len(names) - 5} more"
