"""Scenarios 8, 9, 13, 14 and 15: flipped bytes, lost metadata, files touched and copied over."""

import os
import shutil
import subprocess
import time

from tests.workflow.scenarios.scenario import BOOST, CHAIN, SUBMISSION, TINY, flip

OTHER = {**TINY, "pseudo_labels": BOOST}


def test_08_a_byte_of_an_intermediate_flipped(scenario, correct):
    flip(scenario.home("gen1/blend") / "test.parquet")
    scenario.configure(**OTHER)
    done = scenario.run()
    assert done.ran == {"submission"}
    assert "gen1/blend/test.parquet is damaged; restored from the store" in done.said
    correct(scenario)


def test_08_a_byte_flipped_that_the_store_cannot_heal(scenario, correct):
    """A clear error, whose advice works."""
    flip(scenario.home("gen1/blend") / "test.parquet")
    shutil.rmtree(scenario.store)
    scenario.configure(**OTHER)
    done = scenario.run(check=False)
    assert done.status != 0 and done.ran == {"submission"}
    assert "gen1/blend/test.parquet: is damaged" in done.said
    assert "Delete the manifest beside it and run the same command again" in done.said
    (scenario.home("gen1/blend") / "manifest.json").unlink()
    assert scenario.run().ran == {"gen1/blend", "submission"}
    correct(scenario)


def test_08_a_byte_of_the_submission_flipped(scenario, correct):
    """No job reads the last table, so planning does."""
    flip(scenario.path / SUBMISSION, -2)
    why = scenario.emodag("why", SUBMISSION, "--configfile", "small.yaml")
    assert "results/submission.csv is damaged" in why.stdout
    done = scenario.run()
    assert (done.ran, done.hit) == (set(), {"submission"})
    correct(scenario)


def test_09_bytes_of_store_objects_flipped(scenario, correct):
    """Every object and record of three jobs: found before use, computed again."""
    damaged = {"table", "scaled/all", "gen1/blend"}
    for job in damaged:
        manifest = scenario.json(scenario.home(job).relative_to(scenario.path) / "manifest.json")
        for output in manifest["outputs"].values():
            sha256 = output["sha256"]
            flip(scenario.store / "objects" / sha256[:2] / sha256[2:], 40)
    key = scenario.json("results/submission.manifest.json")["key"]
    flip(scenario.store / "actions" / key[:2] / f"{key[2:]}.json", 40)
    shutil.rmtree(scenario.path / "results")
    done = scenario.run()
    assert done.ran == {*damaged, "submission"} and done.hit == CHAIN - done.ran
    assert "object was damaged; it is now" in done.said
    correct(scenario)


def test_13_snakemakes_metadata_lost_and_a_parameter_changed(scenario, correct):
    shutil.rmtree(scenario.path / ".snakemake")
    scenario.configure(**OTHER)
    done = scenario.run()
    assert done.ran == {"submission"} and done.hit == set()
    correct(scenario)


def test_14_all_outputs_touched_after_a_plan(scenario, correct):
    scenario.configure(**OTHER)
    scenario.run("--touch", SUBMISSION)
    assert scenario.run().ran == {"submission"}
    correct(scenario)


def test_14_everything_stamped_in_the_future(scenario, correct):
    """A clock that ran ahead must not make what there is look newer than every later change."""
    later = time.time() + 10 * 365 * 86400
    for path in (scenario.path / "results").rglob("*"):
        os.utime(path, (later, later))
    scenario.configure(**OTHER)
    assert scenario.run().ran == {"submission"}
    correct(scenario)
    assert scenario.started_nothing()


def test_14_raw_files_stamped_in_the_future(scenario, correct):
    """As an archive from another time zone leaves them; Snakemake must not call the job failed."""
    later = time.time() + 86400
    for name in ("train.csv", "test.csv"):
        os.utime(scenario.path / name, (later, later))
    scenario.forget("results", ".emodag/store")
    assert scenario.run().ran == CHAIN
    correct(scenario)
    assert scenario.started_nothing()


def test_14_copied_without_times(scenario, tmp_path, correct):
    """Snakemake may start anything, in whatever order the copies were made; nothing is computed."""
    results = scenario.path / "results"
    shutil.copytree(results, tmp_path / "copied", copy_function=shutil.copyfile)
    shutil.rmtree(results)
    (tmp_path / "copied").rename(results)
    assert scenario.run().ran == set()
    correct(scenario)


def test_15_older_results_copied_over_the_present_ones(tiny, scenario, correct):
    scenario.configure(**OTHER)
    assert scenario.run().ran == {"submission"}
    for options in ("-a", "-r"):  # with the times they had, and with new ones
        subprocess.run(["cp", options, f"{tiny.path}/results/.", f"{scenario.path}/results/"])
        done = scenario.run()
        assert done.ran == set() and "submission" in done.hit
        correct(scenario)
