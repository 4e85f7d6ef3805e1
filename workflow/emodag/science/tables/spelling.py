"""What of a name is left when spellings that people mix up are one."""

import re
import unicodedata
from collections.abc import Sequence

_ACCENTS = re.compile("[\u0300-\u036f]")
"""Those of Latin, Greek and Cyrillic letters; elsewhere such marks make other letters."""

TRUTH = {"true": "1", "false": "0"}
"""What booleans are as numbers, where both stand in one column."""

_MARKS = r"[\s!-/:-@[-`{-~]+"


def skeleton(name: str) -> str:
    """A name without case, spaces, accents, marks between its parts, and zeros before a number.

    Marks between two digits stay, as one: S1-1 is S1_1, and not S11. A negative number stays one.
    True is 1, and false is 0.
    """
    if re.fullmatch(r"-\d+", name):
        return name
    plain = re.sub(rf"(?<=\d){_MARKS}(?=\d)", "\0", _without_accents(name))
    plain = re.sub(_MARKS, "", plain).replace("\0", ".")
    plain = re.sub(r"(?<!\d)0+(?=\d)", "", plain).casefold() or name
    return TRUTH.get(plain, plain)


def several_spellings(classes: Sequence[str]) -> list[list[str]]:
    """Classes that only case, spaces, underscores or accents tell apart.

    Other marks may tell classes apart, as in V+A- and V-A+. True is 1, and false is 0.
    """
    alike: dict[str, list[str]] = {}
    for name in sorted(classes):
        plain = re.sub(r"[\s_]+", "", _without_accents(name)).casefold()
        alike.setdefault(TRUTH.get(plain, plain), []).append(name)
    return [names for names in alike.values() if len(names) > 1]


def _without_accents(name: str) -> str:
    letters = _ACCENTS.sub("", unicodedata.normalize("NFKD", name))
    return unicodedata.normalize("NFKC", letters)


def have_other_numbers(classes: Sequence[str]) -> bool:
    """Whether one of the classes is called by a whole number that is not its position from 0.

    Then a number may mean the class of this name, or the one at this position.
    """
    return any(whole_number(name) not in (None, at) for at, name in enumerate(classes))


def whole_number(text: str) -> int | None:
    """The whole number that is written, such as 1, 1. or 1.0; None where none is."""
    is_one = re.fullmatch(r"[+-]?\d+(\.0*)?", text, re.ASCII)
    return int(text.partition(".")[0]) if is_one else None
