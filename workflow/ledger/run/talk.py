"""What a job says: lines for people, and the same lines in its log.

Its log has all of them. On standard error some are left out where they are seen otherwise, see
`ledger.run.progress`.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ledger.run import progress, tally, turn
from ledger.run.progress import Bar, Drawn
from ledger.shown import shown
from ledger.words import SHORT

ERASE = "\r\x1b[K"
"""Goes back to the beginning of a terminal's line, and empties it."""


class Talk:
    """Says things on standard error and, where a log is given, in the log as well.

    Parameters
    ----------
    job : the job's name, which opens every line.
    log : a file to write the same lines to, emptied first.
    """

    def __init__(self, job: str, log: Path | None = None) -> None:
        self.job, self.log = job, log
        if log is not None:
            with suppress(OSError):  # a log is no reason to fail
                log.parent.mkdir(parents=True, exist_ok=True)
                log.unlink(missing_ok=True)  # where it is a link, what it leads to stays as it is
                log.touch()

    def say(self, *lines: str, aloud: bool = True) -> None:
        """Lines, to both; in one piece, since other jobs speak at the same time.

        A terminal that is gone is no reason to fail, and what cannot be logged is said aloud.

        Parameters
        ----------
        aloud : whether they are for standard error, too.
        """
        text = "".join(f"{shown(line)}\n" for line in lines)
        if not self._logs(text) or aloud:
            with suppress(OSError):
                sys.stderr.write(ERASE + text if progress.is_drawn() else text)
                sys.stderr.flush()

    def _logs(self, text: str) -> bool:
        """Write to the log; whether there is none, or it could be done."""
        try:
            if self.log is not None:
                with self.log.open("a") as stream:
                    stream.write(text)
        except OSError:
            return False
        return True

    def hit(self, key: str, saved: float) -> None:
        """The outputs were in the store."""
        self.say(
            f"HIT  {key[:SHORT]}  {self.job}  (saved {saved:.1f} s)", aloud=not progress.is_drawn()
        )
        progress.tell(hit=self.job)

    def run(self, key: str) -> None:
        """The outputs must be computed."""
        self.say(f"RUN  {key[:SHORT]}  {self.job}", aloud=not progress.is_drawn())

    def done(self, key: str, seconds: float) -> None:
        """The outputs have been computed."""
        is_seen = progress.is_drawn() or progress.is_lines()
        self.say(f"DONE {key[:SHORT]}  {self.job}  ({seconds:.1f} s)", aloud=not is_seen)

    def note(self, message: str) -> None:
        """Something worth knowing that needs no action."""
        self.say(f"NOTE {self.job}: {message}")

    def warn(self, message: str) -> None:
        """Something the user should know that does not stop the chain.

        What another job of the run has said already is for the log.
        """
        is_new = all(message != said for _, said in tally.warnings())
        self.say(f"WARNING {self.job}: {message}", aloud=is_new)
        tally.warn(self.job, message)

    def error(self, message: str) -> None:
        """What stopped the job; where the run's own process shows it at the end, for the log.

        Of a run that another one has followed nobody is left to show it.
        """
        is_alone = self.log is None or turn.is_followed()
        at_once = is_alone or progress.VARIABLE not in os.environ
        self.say(*f"ERROR {self.job}: {message}".split("\n"), aloud=at_once)

    @contextmanager
    def progress(self, total: int, unit: str) -> Iterator[Bar | Drawn]:
        """How far a job of `total` steps is; the unit `B` is bytes.

        On a terminal on which nobody else draws, it is drawn here.
        """
        if progress.VARIABLE in os.environ or not sys.stderr.isatty():
            yield Bar(self.job, total, unit)
            return
        from tqdm import tqdm

        look = {"leave": False, "dynamic_ncols": True, "unit_scale": unit == "B"}
        with tqdm(total=total, unit=unit, desc=self.job, **look) as bar:
            yield Drawn(bar)
