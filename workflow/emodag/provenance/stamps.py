"""Has a file changed? Told without reading it."""

import os
from collections.abc import Iterable
from operator import attrgetter

Stamp = tuple[int, int, int, int, int]

stamp = attrgetter("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")
"""os.stat_result -> Stamp: device, inode, size, modification and change time in ns.

Nobody can set the change time, so whatever changes a file moves it, but for a second change within
one tick of the file system's clock.
"""


def stamps_of(paths: Iterable[str]) -> list[Stamp | None]:
    """The stamp of each path; None where nothing is. Links are followed."""
    return [_stamp_at(path) for path in paths]


def _stamp_at(path: str) -> Stamp | None:
    try:
        return stamp(os.stat(path))  # noqa: PTH116 - a Path costs as much as the look at the file
    except (OSError, ValueError):
        return None
