"""What the store has is in place before Snakemake looks: no job is started for it."""

import re
import shutil
from pathlib import Path

import pytest

from tests.project import Project, jobs

SUBMISSION = "results/submission.csv"
NOTHING = "Nothing to be done"


@pytest.fixture
def warm(nested) -> Project:
    """A project with a filled store, without results and what Snakemake remembers."""
    shutil.rmtree(nested.path / "results")
    shutil.rmtree(nested.path / ".snakemake")
    return nested


def test_no_job_is_started(finished_nested, warm):
    done = warm.snakemake()
    assert NOTHING in done.stderr and len(jobs(done, "HIT")) == 15 and not jobs(done, "RUN")
    assert warm.digests() == finished_nested.digests()
    assert jobs(warm.snakemake(), "HIT") == []
    # Each job leaves what it leaves elsewhere: a log, and a record of where the hit was found.
    assert warm.read("results/submission.log").startswith("HIT ")
    assert warm.json("results/submission.provenance.json")["hit"] is True
    summary, score, *_, following = done.stderr.splitlines()[-5:]
    assert summary.startswith("emodag: 15 jobs, 15 hits; took ")
    assert re.match(r"Score to expect of new people: 0\.\d{3}\. The report has", score)
    assert following.startswith("Next: snakemake results/report.html -c2 --configfile small.yaml ")


def test_only_the_rest_is_started(warm):
    warm.configure(pseudo_labels={"boost": {"HVHA": 2.0}})
    done = warm.snakemake(SUBMISSION)
    assert jobs(done, "RUN") == ["submission"] and len(jobs(done, "HIT")) == 11
    assert "1 job to run" in done.stderr


def test_who_only_looks_finds_nothing_changed(warm, option="--dry-run"):
    warm.snakemake(SUBMISSION, option, check=False)
    assert not [p for p in (warm.path / "results").rglob("*") if p.name == "submission.csv"]


def test_a_damaged_object_is_computed_again(finished_nested, warm):
    made = finished_nested.json("results/submission.manifest.json")
    record = made["outputs"]["submission.csv"]["sha256"]
    stored = warm.path / ".emodag/store/objects" / record[:2] / record[2:]
    stored.chmod(0o644)
    stored.write_text("other")
    done = warm.snakemake()
    assert jobs(done, "RUN") == ["submission"] and "damaged" in done.stderr
    assert warm.digests() == finished_nested.digests()


@pytest.mark.skipif(Path("/proc/driver/nvidia/gpus").exists(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(warm):
    """`auto` takes the processor, and its results; `cuda` says what is missing."""
    assert NOTHING in warm.snakemake(SUBMISSION, "--config", "training={device: auto}").stderr
    done = warm.snakemake(SUBMISSION, "--config", "training={device: cuda}", check=False)
    assert done.returncode and "the device is to be `cuda`, and this process sees no" in done.stderr
