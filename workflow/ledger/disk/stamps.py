"""Has a file changed? Told without reading it."""

import os
from collections.abc import Iterable

TICK = 2_000_000_000
"""Nanoseconds between two distinguishable file times, where they are coarsest (FAT)."""


def stamps_of(paths: Iterable[str]) -> list[list[int] | None]:
    """The stamp of each path; None where nothing is. Links are followed."""
    return [_stamp_at(path) for path in paths]


def stamp(status: os.stat_result) -> list[int]:
    """Device, inode, size, modification and change time in ns.

    Nobody can set the change time, so whatever changes a file moves it, but for a second change
    within one tick of the file system's clock.
    """
    return [
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    ]


def _stamp_at(path: str) -> list[int] | None:
    try:
        return stamp(os.stat(path))  # noqa: PTH116 - a Path costs as much as the look at the file
    except (OSError, ValueError):
        return None
