"""The last lines of a run that failed or was stopped: what failed, and what to do."""

from collections.abc import Iterable, Iterator

from ledger import called
from ledger.snakemake.screen import Failure
from ledger.words import plural

STOPPED = "stopped; what is finished is kept, and the same command goes on from there"

MEND = "Mend that, and give the same command again: what is finished is kept."

LINES = 12
"""Of an error in more lines the others are in the log."""


def of_failures(failures: Iterable[Failure]) -> Iterator[str]:
    """What to say after jobs have failed."""
    found = {failure.job: failure for failure in failures}
    yield f"{called.name()}: {plural(len(found), 'job')} failed"
    for job, failure in found.items():
        yield from failure.said[:LINES] or [f"ERROR {job}: what it said is above, and in its log"]
        if failure.logs:
            yield f"  log: {', '.join(failure.logs)}"
    yield MEND
