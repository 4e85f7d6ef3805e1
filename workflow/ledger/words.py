"""Numbers, lists and digests as people read them."""

import json
import re
from collections.abc import Iterable
from typing import Any

SHORT = 12
"""How many digits of a digest people are shown."""

LONG = 60
"""A value that takes more characters is not shown as a whole."""

FEW = 8
"""Of more things than these, people are shown the first."""


def plural(count: int, noun: str) -> str:
    """A count with its noun, such as `1 job` or `3 jobs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(things: Iterable[object], few: int = FEW) -> str:
    """The first few of some things, and how many more there are."""
    first = [str(thing) for thing in things]
    more = f" and {len(first) - few:,} more" if len(first) > few else ""
    return ", ".join(first[:few]) + more


def naturally(name: str) -> list[str | int]:
    """What to sort names by so that numbers in them count: `p2` is before `p10`."""
    parts = re.split(r"(\d+)", name)
    return [int(part) if at % 2 else part for at, part in enumerate(parts)]


def spelt(value: Any) -> str:
    """A JSON value, every digest in it by its first digits."""
    text = value if isinstance(value, str) else json.dumps(value)
    return re.sub(r"\b[0-9a-f]{64}\b", lambda match: match[0][:SHORT], text)


def duration(seconds: float) -> str:
    """About how long something takes, such as `40 s`, `3 minutes` or `1.6 hours`."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
