"""Numbers and steps of the chain as people read them."""

from collections.abc import Iterable, Sequence
from typing import Any

MINUS = "\N{MINUS SIGN}"

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
"""Digits as powers are written."""

CALLED = {
    "gen": "generation",
    "by_person": "features by person",
    "scaled": "scaled features",
    "pseudo_labels": "pseudo-labels",
}
"""What the steps of the chain are called, where not as their results are."""


def title(step: str) -> str:
    """What people call a step of the chain, such as `generation 2` for `gen2`."""
    home, _, part = step.rpartition("/")
    kind = part.rstrip("0123456789")
    called = f"{CALLED.get(kind, kind.replace('_', ' '))} {part[len(kind) :]}".rstrip()
    return f"{called} of {title(home)}" if home else called


def capital(text: str) -> str:
    """The same with a capital letter to begin with."""
    return text[:1].upper() + text[1:]


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


def signed(value: float) -> str:
    """A difference of scores to three decimals, with its sign."""
    return brief(value, signed=True)


def probability(value: float, *, sign: str = "") -> str:
    """A p value to three decimals behind a sign; one that is not 0 never reads as 0."""
    return f"{sign}{brief(value)}" if value >= 0.0005 else "< 0.001"


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


def extent(values: Iterable[Any], show=str) -> str:
    """The least and the greatest of some values, once where they read alike."""
    values = list(values)
    return " to ".join(dict.fromkeys((show(min(values)), show(max(values)))))


def around(ends: Sequence[float], show) -> str:
    """An interval behind its value, in brackets; nothing where too few people tell of it."""
    low, high = ends
    return f" ({interval(ends, show)})" if low < high else ""


HIDDEN = "Score on the hidden people"
"""What the score on the test table is called."""


def expected(protocol: str) -> str:
    """What the score of a protocol is called."""
    return "Score to expect of new people" if protocol == "nested" else "Score, flattered"


def short(names: Sequence[str]) -> list[str]:
    """Names, those too long for a figure cut where they stay apart, about the middle if they do."""
    for head in sorted(range(26), key=lambda head: abs(head - 12)):
        found = [name if len(name) <= 26 else _cut(name, head, 25 - head) for name in names]
        if len({*found}) == len({*names}):
            return found
    return [*names]


def _cut(name: str, head: int, tail: int) -> str:
    return f"{name[:head]}…{name[len(name) - tail :]}"
