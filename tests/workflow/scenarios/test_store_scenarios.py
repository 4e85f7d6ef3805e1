"""Scenarios 17 and 18: a store on a full disk, read-only, or gone."""

import contextlib
import shutil
import stat
import subprocess

import pytest

from tests.workflow.scenarios.scenario import BOOST, TINY, is_sound
from tests.workflow.scenarios.test_edits import edit_blending

OTHER = {**TINY, "pseudo_labels": BOOST}


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


def test_17_the_stores_disk_is_full(scenario, tmp_path, mount, correct):
    scenario.store.rename(tmp_path / "kept")
    scenario.store.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", at=scenario.store)
    shutil.copytree(tmp_path / "kept", scenario.store, dirs_exist_ok=True)
    filler = fill(scenario.store)
    edit_blending(scenario)
    done = scenario.run(check=False)
    assert done.status != 0 and done.ran == {"gen1/blend"}
    advice = "the disk is full; free some space and run the same command again"
    assert advice in done.said and "Traceback" not in done.said
    assert is_sound(scenario.store) and not list((scenario.store / "scratch").iterdir())

    # Weights are not written by Arrow, and fail in a way of their own.
    scenario.forget_computing("gen0/all")
    scenario.forget("results/local/published/seed1/gen0/all/manifest.json")
    done = scenario.run("results/local/published/seed1/gen0/all/manifest.json", check=False)
    assert done.status != 0 and done.ran == {"gen0/all"}
    assert advice in done.said and "Traceback" not in done.said

    filler.unlink()
    assert scenario.run().ran == {"gen0/all", "gen1/blend", "submission"}
    correct(scenario)


def test_17_the_results_disk_is_full(scenario, tmp_path, mount, correct):
    results = scenario.path / "results"
    results.rename(tmp_path / "kept")
    results.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", at=results)
    shutil.copytree(tmp_path / "kept", results, dirs_exist_ok=True)
    scenario.configure(**OTHER)
    filler = fill(results)
    done = scenario.run(check=False)
    assert done.status != 0 and "the disk is full; free some space" in done.said
    filler.unlink()
    assert scenario.run().ran == {"submission"}
    correct(scenario)


def test_18_a_read_only_store(scenario, mount, correct):
    mount("--bind", scenario.store, at=scenario.store)
    mount("-o", "remount,bind,ro", at=scenario.store)
    shutil.rmtree(scenario.home("gen1/blend"))
    done = scenario.run()
    assert done.ran == set() and "gen1/blend" in done.hit, "reading is enough for what it holds"
    correct(scenario)
    scenario.configure(**OTHER)
    done = scenario.run(check=False)
    assert done.status != 0 and done.ran == {"submission"}
    assert "the file system is read-only; results" in done.said
    assert "Traceback" not in done.said


def test_18_a_deleted_store(scenario, correct):
    """The results are as good as a store; what they lack is recomputed."""
    shutil.rmtree(scenario.store)
    shutil.rmtree(scenario.home("gen1/blend"))
    scenario.configure(**OTHER)
    done = scenario.run()
    assert (done.ran, done.hit) == ({"gen1/blend", "submission"}, set())
    correct(scenario)


def test_nothing_is_writable_for_everybody(tiny):
    """Though the fixture has been computed under umask 0."""
    for directory in ("results", ".emodag"):
        for path in (tiny.path / directory).rglob("*"):
            assert not path.stat().st_mode & stat.S_IWOTH, path
