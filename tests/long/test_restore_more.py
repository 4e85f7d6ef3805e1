"""What the store has, and who wants it computed all the same."""

import shutil

import pytest

from tests.project import jobs
from tests.workflow import test_restore
from tests.workflow.test_restore import SUBMISSION


def test_what_must_be_computed_anew_lends_no_old_results(finished_nested, warm):
    """A job whose input is still to be made is not mistaken for what it was with the old one."""
    shutil.copytree(finished_nested.path / "results", warm.path / "results")
    warm.configure(scaling={"n_quantiles": 10}, pseudo_labels={"boost": {"HVHA": 2.0}})
    done = warm.snakemake(SUBMISSION)
    assert len(jobs(done, "RUN")) == 10 and not jobs(done, "HIT")


def test_whoever_forces_a_job_gets_a_job(warm):
    done = warm.snakemake(SUBMISSION, "--forceall")
    assert "12 jobs to run" in done.stderr and len(jobs(done, "HIT")) == 12


@pytest.mark.parametrize("option", ["--touch", "--dag"])
def test_who_only_looks_finds_nothing_changed(warm, option):
    test_restore.test_who_only_looks_finds_nothing_changed(warm, option)
