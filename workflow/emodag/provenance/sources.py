"""Digests of raw files, recomputed only when a file may have changed."""

import json
import time
from collections.abc import Iterable
from pathlib import Path

from emodag.errors import InputError
from emodag.provenance.atomic import write_bytes
from emodag.provenance.canonical import digest, file_sha256

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
    known = _read(memory)
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
        files = {**known, **settled}
        record = {"files": files, "digest": digest(files)}
        write_bytes(memory, json.dumps(record, indent=1).encode())
    return {name: entry["sha256"] for name, entry in current.items()}


def _read(memory: Path) -> dict:
    """What is remembered, or nothing where the memory is not as it was written."""
    try:
        record = json.loads(memory.read_bytes())
        return record["files"] if record["digest"] == digest(record["files"]) else {}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
