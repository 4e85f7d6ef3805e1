"""What one invocation of Snakemake came to: a line per job while it runs, a sentence at its end.

The jobs know their run's name (`emodag.provenance.turn`); each appends one line to the run's file
when it is done. Nothing depends on these files.
"""

import contextlib
import json
from pathlib import Path

from emodag.provenance import turn

RUNS = Path(".emodag/runs")
KEPT = 20
"""How many runs' files are kept."""


def add(job: str, *, hit: bool, seconds: float) -> None:
    """Note that a job is done: `seconds` computing took, now or, for a hit, when it was computed.

    Does nothing outside a run, and nothing where the line cannot be written.
    """
    path = _file()
    if path is None:
        return
    line = json.dumps({"job": job, "hit": hit, "seconds": seconds}) + "\n"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write in append mode: lines of jobs that end at once do not mix.
        with path.open("ab", buffering=0) as stream:
            stream.write(line.encode())


def summary() -> str | None:
    """The run in a sentence, None where no job was done; forgets all but the last `KEPT` runs."""
    path = _file()
    if path is None:
        return None
    with contextlib.suppress(OSError):
        for old in sorted(RUNS.glob("*.jsonl"))[:-KEPT]:
            old.unlink()
    jobs = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return None
    for line in lines:
        # A line may be incomplete where the disk was full.
        with contextlib.suppress(ValueError):
            jobs.append(json.loads(line))
    computed = [job["seconds"] for job in jobs if not job["hit"]]
    saved = [job["seconds"] for job in jobs if job["hit"]]
    return (
        f"emodag: {_count(jobs, 'job')}, {_count(saved, 'hit')}; "
        f"computed {sum(computed):.1f} s, saved {sum(saved):.1f} s"
    )


def _count(things: list, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _file() -> Path | None:
    """The run's file, None outside a run."""
    name = turn.name()
    return RUNS / f"{name}.jsonl" if name else None
