"""Scenarios 17 and 18: results on a full disk, a store that is read-only, or gone.

`tests/long/test_full_store.py` has a store on a full disk.
"""

import contextlib
import os
import shutil
import stat
import subprocess

import pytest

from tests.project import jobs
from tests.words import Words
from tests.workflow.scenarios.test_damage import TOP, is_right


@pytest.fixture
def mount():
    """Mount something at a directory until the end of the test, where that is permitted."""
    with contextlib.ExitStack() as undo:

        def do(*options, at):
            if subprocess.run(["mount", *options, at], capture_output=True).returncode:
                pytest.skip("mounting needs root")
            undo.callback(subprocess.run, ["umount", "--lazy", at])

        yield do


def fill(directory):
    """Use up the rest of a file system; returns the file that does."""
    filler = directory / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while stream.write(bytes(4096)):
            pass
    return filler


def test_17_the_results_disk_is_full(finished_words, words, tmp_path, mount):
    results = words.path / "results"
    results.rename(tmp_path / "kept")
    results.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", at=results)
    shutil.copytree(tmp_path / "kept", results, dirs_exist_ok=True)
    filler = fill(results)
    done = words.ends("snakemake", "-c2", *TOP)
    assert done.returncode != 0 and "the disk is full; free some space" in done.stderr
    filler.unlink()
    assert jobs(words.run(*TOP), "RUN") == ["ranking"]
    assert is_right(words, finished_words)


def test_18_a_read_only_store(finished_words, words, mount):
    store = words.path / ".words/store"
    mount("--bind", store, at=store)
    mount("-o", "remount,bind,ro", at=store)
    shutil.rmtree(words.path / "results/count/moby")
    done = words.run()
    assert jobs(done, "RUN") == [] and "count/moby" in jobs(done, "HIT"), "reading is enough"
    assert words.results() == finished_words.results()
    done = words.ends("snakemake", "-c2", *TOP)
    assert done.returncode != 0 and jobs(done, "RUN") == ["ranking"]
    assert "the file system is read-only; results" in done.stderr
    assert "Traceback" not in done.stderr


def test_18_a_deleted_store(finished_words, words):
    """The results are as good as a store; what they lack is recomputed."""
    shutil.rmtree(words.path / ".words/store")
    shutil.rmtree(words.path / "results/count/moby")
    done = words.run(*TOP)
    assert (jobs(done, "RUN"), jobs(done, "HIT")) == (["count/moby", "ranking"], [])
    assert is_right(words, finished_words)


def test_nothing_is_writable_for_everybody(tmp_path):
    """Whatever the umask, in a run whose jobs are no forks of one with another umask."""
    before = os.umask(0)
    try:
        words = Words.create(tmp_path)
        words.run(LEDGER_LOADED="")
    finally:
        os.umask(before)
    for directory in ("results", ".words"):
        for path in (words.path / directory).rglob("*"):
            assert not path.stat().st_mode & stat.S_IWOTH, path
