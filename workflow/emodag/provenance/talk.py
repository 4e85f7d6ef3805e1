"""What a job says: lines for people, the same lines in its log, and a progress bar on terminals."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from emodag.shown import shown

SHORT = 12
"""How many digits of a key people are shown."""


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

    def say(self, *lines: str) -> None:
        """Lines, to both; in one piece, since other jobs speak at the same time.

        A terminal that is gone is no reason to fail.
        """
        text = "".join(f"{shown(line)}\n" for line in lines)
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
        if self.log is not None:
            with suppress(OSError), self.log.open("a") as stream:
                stream.write(text)

    def hit(self, key: str, saved: float) -> None:
        """The outputs were in the store."""
        self.say(f"HIT  {key[:SHORT]}  {self.job}  (saved {saved:.1f} s)")

    def run(self, key: str) -> None:
        """The outputs must be computed."""
        self.say(f"RUN  {key[:SHORT]}  {self.job}")

    def done(self, key: str, seconds: float) -> None:
        """The outputs have been computed."""
        self.say(f"DONE {key[:SHORT]}  {self.job}  ({seconds:.1f} s)")

    def note(self, message: str) -> None:
        """Something worth knowing that needs no action."""
        self.say(f"NOTE {self.job}: {message}")

    def warn(self, message: str) -> None:
        """Something the user should know that does not stop the chain."""
        self.say(f"WARNING {self.job}: {message}")

    def error(self, message: str) -> None:
        """What stopped the job."""
        self.say(*f"ERROR {self.job}: {message}".split("\n"))

    @contextmanager
    def progress(self, total: int, unit: str) -> Iterator["Bar"]:
        """A bar over `total` steps, drawn only where standard error is a terminal.

        The unit `B` is shown in kB, MB and so on.
        """
        if not sys.stderr.isatty():
            yield Bar(None)
            return
        from tqdm import tqdm

        look = {"leave": False, "dynamic_ncols": True, "unit_scale": unit == "B"}
        with tqdm(total=total, unit=unit, desc=self.job, **look) as bar:
            yield Bar(bar)


class Bar:
    """See `emodag.context.Progress`."""

    def __init__(self, bar) -> None:
        self._bar = bar

    def update(self, steps: int = 1, **figures: object) -> None:
        """Advance the bar, if there is one, and show `figures` beside it."""
        if self._bar is not None:
            if figures:
                self._bar.set_postfix(figures, refresh=False)
            self._bar.update(steps)
