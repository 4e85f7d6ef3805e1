"""How much of a run is done: by the seconds of its own jobs."""

import pytest

from ledger.snakemake.estimate import Running, seconds_left, share_done

LONG = ("teacher", "student")


def test_nothing_is_known_until_a_fit_has_come_some_way():
    counts = {"ingest": 1, "teacher": 1, "student": 2}
    assert share_done(counts, {"ingest": [5.0]}, [Running("teacher", 9.0, 0.01)], LONG) is None
    assert share_done(counts, {"ingest": [5.0]}, [Running("teacher", 9.0, None)], LONG) is None
    # A teacher of 20 s in all, and two students like it.
    share = share_done(counts, {"ingest": [5.0]}, [Running("teacher", 5.0, 0.25)], LONG)
    assert share == pytest.approx(10 / 65)


def test_what_has_been_measured_counts_and_long_jobs_do_not_count_as_over():
    counts = {"folds": 1, "student": 4}
    ended = {"student": [10.0, 14.0]}
    running = [Running("student", 6.0, 0.5), Running("folds", 30.0)]
    # Students of 12 s, as two that have ended and one that is half done tell.
    assert share_done(counts, ended, running, LONG) == pytest.approx(60 / (60 + 6 + 12))


def test_without_fits_from_the_first_job_on():
    assert share_done({"student": 4}, {}, [], LONG) is None
    assert share_done({"contrast": 4}, {}, [], LONG) is None
    assert share_done({"contrast": 4}, {"contrast": [2.0]}, [], LONG) == pytest.approx(0.25)
    assert share_done({"contrast": 1}, {"contrast": [2.0]}, [], LONG) == 1.0


def test_the_rest_goes_on_as_it_went():
    assert seconds_left(0.25, 10.0) == pytest.approx(30.0)
    assert seconds_left(1.0, 10.0) == 0.0
    assert seconds_left(None, 10.0) is None and seconds_left(0.0, 10.0) is None
