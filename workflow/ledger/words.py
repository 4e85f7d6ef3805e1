"""Numbers and lists as people read them."""

from collections.abc import Iterable

FEW = 8
"""Of more things than these, people are shown the first."""


def plural(count: int, noun: str) -> str:
    """A count with its noun, such as `1 job` or `3 jobs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(things: Iterable[object]) -> str:
    """The first few of some things, and how many more there are."""
    first = [str(thing) for thing in things]
    more = f" and {len(first) - FEW:,} more" if len(first) > FEW else ""
    return ", ".join(first[:FEW]) + more


def duration(seconds: float) -> str:
    """About how long something takes, such as `40 s`, `3 minutes` or `1.6 hours`."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
