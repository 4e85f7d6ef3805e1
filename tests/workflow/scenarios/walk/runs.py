"""Moves: runs that are killed, run into each other, or cannot succeed; and the other commands."""

import os
import re
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil

from tests.workflow.scenarios.walk.damage import delete_all
from tests.workflow.scenarios.walk.edits import setting
from tests.workflow.scenarios.walk.walked import ADVICE, Walked

COMPANY = ("cannot be locked", "(is|may be) running this workflow for")
"""What a run says that finds another one in its directory."""


def settle(walked: Walked) -> None:
    """Run twice; the second time there is nothing to do."""
    walked.check()
    done = walked.once()
    assert "Nothing to be done" in done.said, f"not settled:\n{done.said}"


def kill(walked: Walked, lost: list[str], after: float, whom: str) -> None:
    """`kill -9` a run after some seconds: all of it, Snakemake alone, or its jobs alone."""
    lose(walked, lost)
    running = walked.start()
    time.sleep(after)
    if running.process.poll() is not None:
        walked.counts["kills too late"] += 1
    elif whom == "all":
        os.killpg(running.process.pid, signal.SIGKILL)
    else:
        walked.orphaned += psutil.Process(running.process.pid).children(recursive=True)
        if whom == "snakemake":
            running.process.kill()
        else:
            walked.reap()
    running.end()


def fresh_clone(walked: Walked) -> None:
    """A fresh clone elsewhere, sharing the store."""
    elsewhere = walked.fresh_clone(walked.path.with_name("clone"))
    try:
        elsewhere.check()
    finally:
        shutil.rmtree(elsewhere.path)


def side_by_side(walked: Walked, lost: list[str], boost: int) -> None:
    """Here and in a fresh clone at once, with one configuration or two."""
    lose(walked, lost)
    elsewhere = walked.fresh_clone(walked.path.with_name("clone"))
    try:
        setting(elsewhere, "boost", boost)
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(project.check) for project in (walked, elsewhere)]:
                done.result()
    finally:
        shutil.rmtree(elsewhere.path)


def two_in_one_directory(walked: Walked, lost: list[str], after: float) -> None:
    """A run some seconds after another one in one directory: each does it, or gives way."""
    lose(walked, lost)
    known = re.compile("|".join((*COMPANY, *ADVICE)))
    one = walked.start()
    time.sleep(after)
    for running in (one, walked.start()):
        said = running.end()
        assert not running.process.returncode or known.search(said), said


def wrong_lock(walked: Walked) -> None:
    """An environment whose lock pins what is not installed, and back."""
    lock = walked.path / "envs/wrong.lock"
    lock.write_text("numpy==1.0.0 \\\n    --hash=sha256:0\n")
    before = walked.settings
    walked.configure(**{**before, "environments": {"local": {"locks": ["envs/wrong.lock"]}}})
    walked.fails("this interpreter is not the environment 'local'", "numpy: locked 1.0.0")
    walked.configure(**before)


def wrong_setting(walked: Walked) -> None:
    """A configuration that is none, and back."""
    before = walked.settings
    walked.configure(**{**before, "folds": "many"})
    walked.fails("the configuration is wrong", "folds: ", "found 'many'")
    walked.configure(**before)


def missing_table(walked: Walked, table: str) -> None:
    """A raw table is away, and comes back."""
    path = walked.path / f"{table}.csv"
    away = path.with_suffix(".away")
    path.rename(away)
    walked.fails(f"{table}.csv: No such file or directory. It is named under `data`")
    away.rename(path)


def wrong_table(walked: Walked) -> None:
    """A raw table holds a label that is no class, for one run."""
    path = walked.path / "train.csv"
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    *cells, _, person = lines[9].split(",")
    lines[9] = ",".join([*cells, "7", person])
    path.write_text("".join(lines))
    walked.fails("ERROR local/table: train.csv")
    path.write_text(text)


def unparsable_code(walked: Walked) -> None:
    """A module that does not parse, for one run."""
    path = walked.path / "workflow/emodag/science/blending.py"
    text = path.read_text()
    path.write_text(f"{text}def (\n")
    walked.fails("blending.py")
    path.write_text(text)


def why(walked: Walked) -> None:
    """Ask why the submission would be made anew."""
    _ask(walked, "why", "submission", "--configfile", "small.yaml")


def lineage(walked: Walked) -> None:
    """Ask where the submission comes from."""
    _ask(walked, "lineage")


def verify(walked: Walked, repair: bool) -> None:
    """Look for damage, and mend it."""
    _ask(walked, "verify", *["--repair"] * repair)


def gc(walked: Walked) -> None:
    """Throw away what the present results do not need."""
    walked.reap()
    _ask(walked, "gc", "--delete", "--older-than", "0")


def lose(walked: Walked, names: list[str]) -> None:
    """Delete directories, which makes work for the runs to come."""
    for name in names:
        delete_all(walked, name)


def _ask(walked: Walked, *arguments: str) -> None:
    """A command that says something sensible, whatever state the project is in."""
    done = walked.emodag(*arguments, **walked.variables)
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert done.returncode == 0 or "emodag: error: " in said or "DAMAGED" in said, said
