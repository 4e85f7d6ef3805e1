"""Moves: what happens beside a run, and other configurations in the same directory."""

import contextlib
import os
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from tests.workflow.scenarios.scenario import SUBMISSION
from tests.workflow.scenarios.walk.edits import SETTINGS
from tests.workflow.scenarios.walk.runs import COMPANY, lose
from tests.workflow.scenarios.walk.walked import ADVICE, LEADERBOARD, Running, Walked

OTHER = "other.yaml"
KNOWN = re.compile("|".join((*COMPANY, *ADVICE)))
UNREADABLE = re.compile(r"\b(train|test)\.csv\b")
"""What a run says of a raw file that it cannot make sense of, or that was changed meanwhile."""

HOSTS = {"here": (), "elsewhere": ("unshare", "-u", "sh", "-c", 'hostname other && exec "$@"', "-")}

QUESTIONS = {
    "dry run": ("snakemake", "-c1", "-n", SUBMISSION, "--configfile", OTHER),
    "summary": ("snakemake", "-c1", "--summary", SUBMISSION, "--configfile", OTHER),
    "why": ("emodag", "why", "submission", "--configfile", OTHER),
    **{verb: ("emodag", verb) for verb in ("verify", "gc", "lineage", "cost")},
    "diff": ("emodag", "diff", "results", "results"),
    "pack": ("emodag", "pack", "packed.zip"),
}
"""What may be asked, about another configuration where one can be named."""


def raw_meanwhile(
    walked: Walked, lost: list[str], table: str, how: str, digit: int, after: float
) -> None:
    """A raw file changes while a run is on: it ends with what there was, or refuses."""
    lose(walked, lost)
    path = walked.path / f"{table}.csv"
    before = path.read_text()
    lines = before.splitlines(keepends=True)
    cells = lines[12].split(",")
    lines[12] = ",".join([*cells[:2], f"{cells[2][:-1]}{digit}", *cells[3:]])
    running = walked.start()
    _until(running, "RUN .*local/table", after)
    HOW[how](path, "".join(lines))
    said = running.end()
    assert not running.process.returncode or KNOWN.search(said) or UNREADABLE.search(said), said
    if how == "truncated":
        path.write_text(before)


def company(walked: Walked, lost: list[str], setting: str, after: float, host: str) -> None:
    """A second run with another configuration: whoever ends well has the result of its own."""
    lose(walked, lost)
    other = _other(walked, setting)
    one = walked.start()
    time.sleep(after)
    two = walked.start(OTHER, before=HOSTS[host] if may_change_host() else ())
    last = _last(one, two)
    for running in (one, two):
        said = running.end()
        assert not running.process.returncode or KNOWN.search(said), said
    if last is one:
        walked.compare()
    elif last is two:
        with walked.configured(other):
            walked.compare()


def question(walked: Walked, lost: list[str], setting: str, after: float, what: str) -> None:
    """A command that only reads, beside a run: the run is right nevertheless."""
    lose(walked, lost)
    _other(walked, setting)
    running = walked.start()
    time.sleep(after)
    asked = subprocess.run(
        [sys.executable, "-m", *QUESTIONS[what]],
        cwd=walked.path,
        env={**os.environ, "PYTHONPATH": str(walked.path / "workflow"), **walked.variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert "Traceback" not in asked.stdout and "[Errno" not in asked.stdout, asked.stdout
    said = running.end()
    assert not running.process.returncode or KNOWN.search(said), said
    if not running.process.returncode:
        walked.compare()


def other_tables(walked: Walked, setting: str, leaderboard: bool, back: bool) -> None:
    """Final tables of another configuration, and perhaps of this one right after them."""
    targets = (SUBMISSION, LEADERBOARD) if leaderboard else (SUBMISSION,)
    with walked.configured(_other(walked, setting)):
        walked.check(*targets)
    if back:
        walked.check(*targets)


def times(walked: Walked, how: str, days: int) -> None:
    """All files get one time, or some of them another one than the rest."""
    then = time.time() + days * 86400
    for number, path in enumerate(sorted(walked.path.rglob("*"))):
        if how == "all" or number % 3 == 0:
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (then, then))


def _other(walked: Walked, setting: str) -> dict:
    """Another configuration, which differs in one setting; also written to a file."""
    section, key, values = SETTINGS[setting]
    now = walked.settings.get(section, {})
    (value,) = (value for value in values if value != now.get(key, values[0]))
    other = {**walked.settings, section: {**now, key: value}}
    with walked.configured(other):
        text = walked.read("small.yaml")
    (walked.path / OTHER).write_text(text)
    return other


def _until(running: Running, line: str, after: float) -> None:
    """Wait until a run has said something, and some seconds more, or until it has ended."""
    while running.process.poll() is None and not re.search(line, running.log.read_text()):
        time.sleep(0.005)
    time.sleep(after)


def _last(one: Running, two: Running) -> Running | None:
    """The run that was the last one to end well, None where neither did."""
    ended: list[Running] = []
    while len(ended) < 2:
        time.sleep(0.005)
        for running in (one, two):
            if running not in ended and running.process.poll() is not None:
                ended.append(running)
    well = [running for running in ended if running.process.returncode == 0]
    return well[-1] if well else None


@cache
def may_change_host() -> bool:
    """Whether a process may have another host name here."""
    try:
        return not subprocess.run([*HOSTS["elsewhere"], "true"], capture_output=True).returncode
    except OSError:
        return False


def _moved(path: Path, text: str) -> None:
    other = path.with_name("moved")
    other.write_text(text)
    other.replace(path)


def _overwritten(path: Path, text: str) -> None:
    path.write_text(text)


def _truncated(path: Path, text: str) -> None:
    os.truncate(path, len(text) // 2)


def _swapped(path: Path, text: str) -> None:
    """A link that leads to another file, as `ln -sfn` makes it."""
    number = len(list(path.parent.glob("linked-*")))
    path.with_name(f"linked-{number}").write_text(text)
    link = path.with_name("link")
    link.symlink_to(f"linked-{number}")
    link.replace(path)


HOW = {"moved": _moved, "overwritten": _overwritten, "truncated": _truncated, "swapped": _swapped}
