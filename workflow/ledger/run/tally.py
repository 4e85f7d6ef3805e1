"""What one invocation of Snakemake came to: a line per job while it runs, a sentence at its end.

The jobs know their run's name (`ledger.run.turn`); each appends one line to the run's file
when it is done, and one for each warning. Nothing depends on these files.
"""

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ledger import called
from ledger.run import turn
from ledger.words import plural

KEPT = 20
"""How many runs' files are kept."""


_BEGAN = time.monotonic()


def add(job: str, *, hit: bool, seconds: float) -> None:
    """Note that a job is done: `seconds` computing took, now or, for a hit, when it was computed.

    Does nothing outside a run, and nothing where the line cannot be written.
    """
    _append({"job": job, "hit": hit, "seconds": seconds})


def warn(job: str, message: str) -> None:
    """Note what a job has warned of; does as much as `add`."""
    _append({"job": job, "warning": message})


def summary() -> str | None:
    """The run in a sentence, None where no job was done; forgets all but the last `KEPT` runs."""
    if _file() is None:
        return None
    with contextlib.suppress(OSError):
        for old in sorted(_runs().glob("*.jsonl"))[:-KEPT]:
            old.unlink()
    jobs = done()
    if not jobs:
        return None
    computed = [job["seconds"] for job in jobs if not job["hit"]]
    saved = [job["seconds"] for job in jobs if job["hit"]]
    return (
        f"{called.name()}: {plural(len(jobs), 'job')}, {plural(len(saved), 'hit')}; "
        f"took {time.monotonic() - _BEGAN:.1f} s, "
        f"computed {sum(computed):.1f} s summed over jobs, saved {sum(saved):.1f} s"
    )


def done() -> list[dict[str, Any]]:
    """What `add` has noted in this run, each job once: as computed, if it ever was.

    Snakemake may start a job that has been restored, for reasons of its own.
    """
    jobs: dict[str, dict[str, Any]] = {}
    for record in _records(_file()):
        if "seconds" in record and (not record["hit"] or record["job"] not in jobs):
            jobs[record["job"]] = record
    return list(jobs.values())


def warnings() -> list[tuple[str, str]]:
    """What `warn` has noted in this run, by job, each once."""
    noted = (record for record in _records(_file()) if "warning" in record)
    return list(dict.fromkeys((record["job"], record["warning"]) for record in noted))


def _append(record: dict[str, Any]) -> None:
    path = _file()
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write in append mode: lines of jobs that end at once do not mix.
        with path.open("ab", buffering=0) as stream:
            stream.write(json.dumps(record).encode() + b"\n")


def _records(path: Path | None) -> Iterator[dict[str, Any]]:
    """What the lines of a run's file hold, nothing where there is none."""
    lines: Iterable[bytes] = ()
    with contextlib.suppress(OSError):
        lines = path.read_bytes().splitlines() if path else ()
    for line in lines:
        # A line may be incomplete where the disk was full.
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def _runs() -> Path:
    """The directory with a file per run."""
    return called.home() / "runs"


def _file() -> Path | None:
    """The run's file, None outside a run."""
    name = turn.name()
    return _runs() / f"{name}.jsonl" if name else None
