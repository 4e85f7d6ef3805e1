"""What the verbs print, and standard streams that are not there."""

import json
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TextIO

from ledger import called
from ledger.shown import shown

_YELLOW = re.compile(r"^WARNING\b|\bUNSURE:")
_RED = re.compile(r"^((DAMAGED|DIFFERS)\b|\w+: error:)")


def tell(*lines: str) -> None:
    """Print lines, in which nothing but our own colours steers a terminal."""
    for line in lines:
        print(_painted(shown(line), sys.stdout))


def answer(as_json: bool, facts: Any, lines: Iterable[str]) -> None:
    """Print what a verb has found: its facts as JSON where these were asked for, else lines."""
    if as_json:
        print(json.dumps(facts, indent=1))
    else:
        tell(*lines)


def _painted(line: str, stream: TextIO) -> str:
    """A line with what to look at in colour, if it is for a terminal and NO_COLOR is not set."""
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return line
    line = _YELLOW.sub("\x1b[33m\\g<0>\x1b[0m", line)
    return _RED.sub("\x1b[31m\\g<0>\x1b[0m", line)


def complain(message: str) -> None:
    """Say what is wrong on standard error; that nobody can be told is no reason to fail."""
    with suppress(OSError):
        lines = (
            _painted(shown(line), sys.stderr) for line in f"{called.name()}: {message}".split("\n")
        )
        print("\n".join(lines), file=sys.stderr)


def stand_in_for_closed_streams() -> None:
    """Have something behind the three standard streams where the caller closed them (`>&-`).

    Otherwise the next files to be opened would get their numbers, and with them whatever a library
    writes there. Nothing can be read from the stand-in of standard input; what is written to that
    of standard output is an error, since the answer would be lost; standard error is lost silently.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free; for whatever is started from here, too.
            os.set_inheritable(os.open(os.devnull, mode), True)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", buffering=1 if number == 2 else -1, closefd=False))  # noqa: SIM115


def drop(stream) -> None:
    """Have what a stream could not write, and shall not try again at the exit, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
