"""Numbers and steps of the chain as people read them."""

import re
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
"""Digits as powers are written."""

TITLES = {
    r"table": "Table",
    r"folds": "Folds",
    r"stage0": "Stage 0",
    r"by_person": "Features by person",
    r"scaled": "Scaled features",
    r"gen0": "Teacher",
    r"gen(\d+)/pseudo_labels": r"Pseudo-labels \1",
    r"gen(\d+)": r"Students \1",
    r"gen(\d+)/blend": r"Blend \1",
}
"""What the steps of the chain are called."""


def title(step: str) -> str:
    """The title of a step, such as `Students 2` for `gen2`."""
    for pattern, text in TITLES.items():
        if match := re.fullmatch(pattern, step):
            return match.expand(text)
    return step


def number(value: float, digits: int = 2) -> str:
    """A number to so many significant digits, with powers of ten where they are shorter.

    Nought, and integers below 100,000, are written in full.
    """
    if value == 0 or (isinstance(value, int) and abs(value) < 100_000):
        return f"{value:,.0f}".replace("-", MINUS)
    rounded = f"{value:.{digits - 1}e}"
    mantissa, _, exponent = rounded.partition("e")
    power = int(exponent)
    if -4 < power < 5:
        text = f"{float(rounded):,.{max(digits - 1 - power, 0)}f}"
    else:
        text = f"{mantissa}\N{MULTIPLICATION SIGN}10{str(power).translate(RAISED)}"
    return text.replace("-", MINUS)


def score(value: float, *, signed: bool = False) -> str:
    """A score or a difference of scores, to four decimals."""
    return _decimals(value, 4, signed=signed)


def brief(value: float, *, signed: bool = False) -> str:
    """A score to three decimals, for where its interval is wider than that."""
    return _decimals(value, 3, signed=signed)


def _decimals(value: float, digits: int, *, signed: bool) -> str:
    text = f"{value:{'+' if signed else ''}.{digits}f}".replace("-", MINUS)
    return text if text.strip(f"+0.{MINUS}") else text.lstrip(f"+{MINUS}")


def percent(share: float) -> str:
    """A share, to one decimal; one that is neither none nor all never reads as either."""
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if 0.9999 < share < 1:
        return "> 99.99 %"
    decimals = 1 if 0.01 <= share <= 0.99 else 2
    return f"{100 * share:.{decimals}f} %"


def interval(ends: Sequence[float], show=number) -> str:
    """An interval by its ends."""
    return " to ".join(show(end) for end in ends)


def around(ends: Sequence[float], show) -> str:
    """An interval behind its value, in brackets; nothing where too few people tell of it."""
    low, high = ends
    return f" ({interval(ends, show)})" if low < high else ""


def worth(gain: Sequence[float]) -> str:
    """What the interval of self-training's gain says, and what to do."""
    low, high = gain
    if low > 0:
        return "It helps."
    if high < 0:
        return "It hurts: set `generations: 0`."
    return "These people cannot tell whether it helps; `generations: 0` is quicker."


def short(name: str) -> str:
    """A name, without its middle where it is too long for a figure."""
    return name if len(name) <= 26 else f"{name[:12]}…{name[-13:]}"
