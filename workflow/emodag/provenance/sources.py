"""Digests of raw files, recomputed only when a file may have changed."""

import time
from collections.abc import Iterable
from pathlib import Path

from emodag.errors import InputError
from emodag.provenance.canonical import file_sha256
from emodag.provenance.remembered import keep, recall

TICK = 2_000_000_000
"""Nanoseconds between two distinguishable file times, where they are coarsest (FAT)."""


def source_digests(
    paths: Iterable[str], memory: Path, *, read_only: bool = False
) -> dict[str, str]:
    """sha256 by path of raw files.

    A digest is remembered in the file `memory` with the file's size, inode and change times. A
    user can set the modification time but not the change time, so an edit is always noticed. A
    file that has just changed is not remembered: it could change again within the same tick. With
    `read_only`, nothing new is remembered.

    Raises
    ------
    InputError
        When a file does not exist or cannot be read.
    """
    known = recall(memory)
    current, fresh = {}, set()
    for name in paths:
        try:
            status = Path(name).stat()
            stamp = [status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]
            entry = known.get(name)
            if entry is None or entry["stamp"] != stamp:
                if time.time_ns() - status.st_ctime_ns < TICK:
                    fresh.add(name)
                entry = {"stamp": stamp, "sha256": file_sha256(Path(name))}
        except OSError as error:
            raise InputError(
                f"{name}: {error.strerror}. It is named under `data` in the configuration; "
                f"paths are relative to {Path.cwd()}."
            ) from None
        current[name] = entry
    settled = {name: entry for name, entry in current.items() if name not in fresh}
    if not read_only and settled != {name: known.get(name) for name in settled}:
        keep(memory, {**known, **settled})
    return {name: entry["sha256"] for name, entry in current.items()}
