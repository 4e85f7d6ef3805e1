"""Raw files: their digests, recomputed only when one may have changed; none is written over."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from ledger.disk import owner
from ledger.disk.canonical import file_sha256
from ledger.disk.documents import keep, recall
from ledger.disk.regular import open_regular
from ledger.disk.stamps import TICK, stamp
from ledger.errors import InputError


def source_digests(
    paths: Iterable[str], memory: Path, *, read_only: bool = False
) -> dict[str, str]:
    """sha256 by path of raw files.

    A digest is remembered in the file `memory` with the file's size, inode and change times. A
    user can set the modification time but not the change time, so an edit shows, unless it falls
    into the same tick of the file system's clock. So a digest is trusted only if it was made a tick
    or more after these times had first been seen: whatever changed the file before is in it, and
    whatever does later has another time. No file time is compared with a clock of this machine.
    With `read_only`, nothing new is remembered.

    Raises
    ------
    InputError
        When a file does not exist or cannot be read.
    """
    known = recall(memory)
    current = {}
    for name in paths:
        try:
            current[name] = _looked_at(Path(name), known.get(name))
        except OSError as error:
            raise InputError(
                f"{name}: {error.strerror}. It is named under `data` in the configuration; "
                f"paths are relative to {Path.cwd()}."
            ) from None
    if not read_only and current != {name: known.get(name) for name in current}:
        with contextlib.suppress(OSError):  # it only saves work
            keep(memory, {**known, **current})
    return {name: entry["sha256"] for name, entry in current.items()}


def refuse_raw(out: Path, raw: Iterable[str | Path]) -> None:
    """See that what is to be written is none of the raw files, also by a link or another spelling.

    Raises
    ------
    InputError
        When it is one.
    """
    for name in raw:
        with contextlib.suppress(OSError):  # where either is not there, nothing is lost
            if out.samefile(name):
                raise InputError(
                    f"{out}: is the raw file {name}, which would be lost; name another file"
                )


def _looked_at(path: Path, known: dict | None) -> dict:
    """What is to be remembered of a file: the same as before, if that can be trusted."""
    found, (boot, now) = _stamp(path), owner.uptime()
    is_same = known is not None and known["stamp"] == found
    if is_same and known["trusted"]:
        return known
    since = known["since"] if is_same and known["since"][0] == boot else [boot, now]
    sha256 = file_sha256(path)
    trusted = now - since[1] >= TICK and _stamp(path) == found
    return {"stamp": found, "since": since, "trusted": trusted, "sha256": sha256}


def _stamp(path: Path) -> list[int]:
    with open_regular(path) as stream:  # over NFS, opening has the times looked up anew
        return stamp(os.fstat(stream.fileno()))
