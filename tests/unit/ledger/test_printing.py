"""What is printed is in colour on a terminal only, and where nobody has asked for none."""

import io
import sys

import pytest

from ledger.cli.printing import complain, tell

WARNING = "\x1b[33mWARNING\x1b[0m a \\x1b[31m table\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "expected"),
    [
        (Terminal, {}, WARNING),
        (Terminal, {"NO_COLOR": ""}, WARNING),
        (Terminal, {"NO_COLOR": "1"}, "WARNING a \\x1b[31m table\n"),
        (Terminal, {"TERM": "dumb"}, "WARNING a \\x1b[31m table\n"),
        (io.StringIO, {}, "WARNING a \\x1b[31m table\n"),
    ],
)
def test_colour(monkeypatch, stream, variables, expected):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stream())
    tell("WARNING a \x1b[31m table")
    assert sys.stdout.getvalue() == expected


def test_complaints(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    complain("error: a\nb")
    assert sys.stderr.getvalue() == "\x1b[31memodag: error:\x1b[0m a\nb\n"
