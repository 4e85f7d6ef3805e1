"""What is put in order before a run begins: tables of an earlier configuration, times, leftovers.

What lies directly in the results is there to be read, and so are some tables below. All of it
belongs to one configuration, the one that was run last, and `results/configuration.yaml` says
which. Tables of another one are made anew from the store, or set aside.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.canonical import file_sha256
from ledger.errors import IntegrityError
from ledger.jobs.job import RESULTS, Job
from ledger.jobs.manifest import Manifest
from ledger.jobs.plan import Plan
from ledger.jobs.results import job_of
from ledger.store.sidecar import sidecar_path
from ledger.words import SHORT

CONFIGURATION = Path(RESULTS, "configuration.yaml")
EARLIER = Path(RESULTS, "earlier")
"""Where final tables of earlier configurations go, without their manifests."""

UNFINISHED = re.compile(r"\.(.+)\.[a-z0-9_]{8}")
"""What `tempfile` calls a file that is to be put in place once it is whole."""


def keep_together(
    text: bytes,
    finals: Iterable[str],
    plan_of: Callable[[str], Plan | None],
    is_made_anew: Callable[[str], bool],
    holds: Callable[[str], bool],
) -> dict[Path, Path]:
    """Leave in the results only what a configuration leads to, and write that down beside it.

    Parameters
    ----------
    text : the configuration in full.
    finals : names of all tables that some configuration could have below the results; a part of one
        may be ``*``.
    plan_of : the plan of the job with a name, None where the configuration has no such job.
    is_made_anew : whether a job's outputs could be restored from the store, over what was there.
    holds : whether the store has the bytes with a sha256, undamaged.

    Returns
    -------
    Where files have been moved to.
    """
    strangers: list[Path] = []
    orphaned: list[Path] = []
    listed: set[Path] = set()
    finals = sorted(finals)
    known = _manifests(finals)
    for path in known:
        name = job_of(path)
        try:
            manifest = Manifest.read(path)
        except IntegrityError:
            continue
        if manifest.job != name:  # somebody's copy, which says nothing of what lies here now
            continue
        ours = list(map(path.with_name, manifest.outputs))
        files = {file: file_sha256(file) for file in ours if file.is_file()}
        unique = [file for file, sha256 in files.items() if not holds(sha256)]
        plan = plan_of(name)
        listed.update(ours)  # also what is missing, as it may be about to be made anew
        if plan is not None and manifest.plan == plan.identity:
            # As recorded it stays, whatever the store has; what took its place does not.
            others = [f for f in files if files[f] != manifest.outputs[f.name].sha256]
            if others and (not set(unique).isdisjoint(others) or not is_made_anew(name)):
                strangers += others
        elif plan is None or unique or not is_made_anew(name):
            strangers += files
            orphaned += [sidecar_path(path), path]
    # With a table that was made anew came those that it rests on.
    for path in set(_manifests(finals)).difference(known):
        listed.update(map(path.with_name, Manifest.read(path).outputs))
    # Of those whose manifest is gone or damaged nobody can tell what they are of.
    made_here = (file for name in finals for file in sorted(Path(RESULTS).glob(name)))
    strangers += [file for file in made_here if file.is_file() and file not in listed]
    moved: dict[Path, Path] = {}
    before = _last()
    if strangers and before not in (None, text):
        # Before any table is: should this run die, it is known what they were made with.
        moved[CONFIGURATION] = _aside(CONFIGURATION)
        write_bytes(moved[CONFIGURATION], before, lasting=True)
    for file in strangers:
        aside = _aside(file)
        aside.parent.mkdir(parents=True, exist_ok=True)
        moved[file] = file.replace(aside)
    for path in orphaned:  # last, so that no table is forgotten
        path.unlink(missing_ok=True)
    if before != text:
        write_bytes(CONFIGURATION, text)
    return moved


def is_last(text: bytes) -> bool:
    """Whether a configuration, in full, is the one that was run last."""
    return _last() == text


def _last() -> bytes | None:
    return read_bytes(CONFIGURATION) if CONFIGURATION.is_file() else None


def bring_to_the_present(jobs: Iterable[Job], now: float) -> None:
    """Give files whose time lies in the future the present one, as the file system tells it.

    A clock that ran ahead elsewhere leaves such times. No decision of ours rests on them, but
    Snakemake takes a job for failed whose outputs are older than its inputs.

    Parameters
    ----------
    jobs : each after those it rests on, so that its files do not become older than theirs.
    now : the time of a file that has just been written in the results.
    """
    for job in jobs:
        for path in map(Path, (*map(job.path, job.outputs), job.manifest)):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime > now:
                    os.utime(path)


def is_of_the_future(path: str | Path) -> bool:
    """Whether a file that is not ours to touch has a time that is still to come."""
    with contextlib.suppress(OSError):
        return max(Path(path).stat().st_mtime, Path(path).lstat().st_mtime) > time.time()
    return False


def clear_away(jobs: Iterable[Job]) -> None:
    """Remove what killed processes have left of files that they were about to put in place.

    Only the run whose turn it is may do that, and before its jobs start: nobody else then writes
    there. What is about to become a file has its name between a dot and eight characters.
    """
    names: dict[str, set[str]] = {RESULTS: {CONFIGURATION.name}}
    for job in jobs:
        manifest = Path(job.manifest)
        ours = {*job.outputs, manifest.name, sidecar_path(manifest).name}
        names.setdefault(job.directory, set()).update(ours)
    for directory, ours in names.items():
        with contextlib.suppress(OSError):
            for path in list(Path(directory).iterdir()):
                found = UNFINISHED.fullmatch(path.name)
                if found and found[1] in ours:
                    path.unlink()


def _aside(file: Path) -> Path:
    """Where a file goes: under a name that tells its content, so nothing is ever overwritten."""
    stem, dot, ending = file.name.partition(".")
    place = EARLIER / file.relative_to(RESULTS).parent
    return place / f"{stem}-{file_sha256(file)[:SHORT]}{dot}{ending}"


def _manifests(finals: Iterable[str]) -> list[Path]:
    """The manifests beside tables that are there to be read."""
    places = sorted({PurePath(name).parent.as_posix() for name in finals} | {"."})
    return [
        path for place in places for path in sorted(Path(RESULTS).glob(f"{place}/*.manifest.json"))
    ]
