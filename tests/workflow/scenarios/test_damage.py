"""Scenarios 8, 9, 13, 14 and 15: flipped bytes, lost metadata, files touched and copied over.

To `examples/words`, as they are the affair of `ledger`; `make walk` does them to a chain of emodag.
"""

import os
import shutil
import subprocess
import time

import pytest

from tests.project import jobs
from tests.words import ALL, COUNTS, Words
from tests.workflow.scenarios.scenario import flip

MOBY = "results/count/moby/counts.json"
RANKING = "results/ranking.csv"
TOP = ("--config", "top=3")


def is_right(words: Words, first: Words) -> bool:
    """Whether the counts are those of the first run, and the ranking the first lines of its own."""
    assert all(
        (words.path / "results" / job / "counts.json").read_bytes()
        == (first.path / "results" / job / "counts.json").read_bytes()
        for job in COUNTS
    )
    return words.results()[RANKING].splitlines() == first.results()[RANKING].splitlines()[:4]


def test_08_a_byte_of_an_intermediate_flipped(finished_words, words):
    flip(words.path / MOBY)
    done = words.run(*TOP)
    assert jobs(done, "RUN") == ["ranking"]
    assert "count/moby/counts.json is damaged; restored from the store" in done.stderr
    assert is_right(words, finished_words)


def test_08_a_byte_flipped_that_the_store_cannot_heal(finished_words, words):
    """A clear error, whose advice works."""
    flip(words.path / MOBY)
    shutil.rmtree(words.path / ".words/store")
    done = words.ends("snakemake", "-c2", *TOP)
    assert done.returncode != 0 and jobs(done, "RUN") == ["ranking"]
    assert "count/moby/counts.json: is damaged" in done.stderr
    assert "Delete the manifest beside it and run the same command again" in done.stderr
    (words.path / MOBY).with_name("manifest.json").unlink()
    assert jobs(words.run(*TOP), "RUN") == ["count/moby", "ranking"]
    assert is_right(words, finished_words)


def test_08_a_byte_of_the_last_table_flipped(finished_words, words):
    """No job reads it, so planning does."""
    flip(words.path / RANKING, -2)
    assert f"{RANKING} is damaged" in words.ends("words", "why", "ranking").stderr
    done = words.run()
    assert (jobs(done, "RUN"), jobs(done, "HIT")) == ([], ["ranking"])
    assert words.results() == finished_words.results()


def test_09_bytes_of_the_store_flipped(finished_words, words):
    """An object and a record: found before use, computed again."""
    store, manifests = words.path / ".words/store", words.manifests()
    (made,) = manifests["count/moby"]["outputs"].values()
    flip(store / "objects" / made["sha256"][:2] / made["sha256"][2:], 40)
    key = manifests["ranking"]["key"]
    flip(store / "actions" / key[:2] / f"{key[2:]}.json", 40)
    shutil.rmtree(words.path / "results")
    done = words.run()
    assert (jobs(done, "RUN"), jobs(done, "HIT")) == (["count/moby", "ranking"], ["count/alice"])
    assert "object was damaged; it is now" in done.stderr
    assert words.results() == finished_words.results()


def lose_metadata(words: Words) -> None:
    shutil.rmtree(words.path / ".snakemake")


def touch(words: Words) -> None:
    words.run("--touch", *TOP)


def stamp(words: Words) -> None:
    """A clock that ran ahead must not make what there is look newer than every later change."""
    later = time.time() + 10 * 365 * 86400
    for path in (words.path / "results").rglob("*"):
        os.utime(path, (later, later))


@pytest.mark.parametrize("mislead", [lose_metadata, touch, stamp])
def test_13_and_14_what_snakemake_goes_by_is_lost_or_wrong(finished_words, words, mislead):
    mislead(words)
    done = words.run(*TOP)
    assert (jobs(done, "RUN"), jobs(done, "HIT")) == (["ranking"], [])
    assert is_right(words, finished_words)
    assert "Nothing to be done" in words.run(*TOP).stderr


def test_14_raw_files_stamped_in_the_future(finished_words, words):
    """As an archive from another time zone leaves them; Snakemake must not call the job failed."""
    later = time.time() + 86400
    for path in (words.path / "texts").iterdir():
        os.utime(path, (later, later))
    shutil.rmtree(words.path / "results")
    shutil.rmtree(words.path / ".words")
    assert jobs(words.run(), "RUN") == ALL
    assert words.results() == finished_words.results()
    assert words.started_nothing()


def test_14_copied_without_times(finished_words, words, tmp_path):
    """Snakemake may start anything, in whatever order the copies were made; nothing is computed."""
    results = words.path / "results"
    shutil.copytree(results, tmp_path / "copied", copy_function=shutil.copyfile)
    shutil.rmtree(results)
    (tmp_path / "copied").rename(results)
    assert jobs(words.run(), "RUN") == []
    assert words.results() == finished_words.results()


def test_15_older_results_copied_over_the_present_ones(finished_words, words):
    assert jobs(words.run(*TOP), "RUN") == ["ranking"]
    for options in ("-a", "-r"):  # with the times they had, and with new ones
        older = f"{finished_words.path}/results/."
        subprocess.run(["cp", options, older, f"{words.path}/results/"])
        done = words.run(*TOP)
        assert jobs(done, "RUN") == [] and "ranking" in jobs(done, "HIT")
        assert is_right(words, finished_words)
