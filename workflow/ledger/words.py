"""Numbers as people read them."""


def plural(count: int, noun: str) -> str:
    """A count with its noun, such as `1 job` or `3 jobs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """About how long something takes, such as `40 s`, `3 minutes` or `1.6 hours`."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
