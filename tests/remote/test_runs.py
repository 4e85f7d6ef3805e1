"""Real runs with further stores: hits without a job, one warning where they are away."""

import time

from tests.project import Project, jobs
from tests.words import ALL, Words, behind

from .conftest import requests
from .hung import hung


def test_the_example(far, line, tmp_path):
    first = Words.create(tmp_path / "first")
    first.run()
    said = first.ends("words", "push", "--to", far.address)
    assert "3 records and 3 files put there" in said.stderr
    other = behind(Words.create(tmp_path / "other"), far.address)
    done = other.run()
    assert jobs(done, "HIT") == ALL and jobs(done, "RUN") == []
    assert "Nothing to be done" in done.stderr and other.results() == first.results()
    # A server that says nothing: asked in vain once, by one process.
    place = far.at(line(far.port, silent=True).port)
    third = behind(Words.create(tmp_path / "third"), place)
    began = time.monotonic()
    done = third.run()
    assert jobs(done, "RUN") == ALL and third.results() == first.results()
    assert done.stderr.count(f"{place} is passed over: ") == 1
    assert time.monotonic() - began < 120


def test_a_mount_that_hangs(tmp_path):
    """Costs each command a bounded wait and a warning; it ends, and leaves nobody waiting."""
    (lab := tmp_path / "lab").mkdir()
    first = Words.create(tmp_path / "first")
    first.run()
    with hung(lab):
        other = behind(Words.create(tmp_path / "other"), str(lab))
        began = time.monotonic()
        done = other.run()
        assert jobs(done, "RUN") == ALL and other.results() == first.results()
        assert done.stderr.count(f"{lab} is passed over: no answer in 10 s") == 1
        assert time.monotonic() - began < 120


def test_the_chain(s3, moto, tmp_path):
    _, log = moto
    first = Project.create(tmp_path / "first", store=[".emodag/store", s3.address])
    cold = first.snakemake("results/submission.csv")
    said = first.emodag("push", "--configfile", "small.yaml")
    assert said.returncode == 0 and " files put there" in said.stdout
    second = Project.create(tmp_path / "second", store=[".emodag/store", s3.address])
    before = requests(log)
    warm = second.snakemake("results/submission.csv")
    made = {kind: count - before.get(kind, 0) for kind, count in requests(log).items()}
    assert jobs(warm, "HIT") == jobs(cold, "RUN") and jobs(warm, "RUN") == []
    assert second.digests() == first.digests()
    assert second.read("results/submission.csv") == first.read("results/submission.csv")
    # A record for each job, and an object for each file but those that several have.
    assert made["GET"] <= len(jobs(warm, "HIT")) + len(second.digests())
    assert sum(made.values()) == made["GET"]
    again = second.snakemake("results/submission.csv")
    assert "Nothing to be done" in again.stderr
    assert requests(log)["GET"] == before.get("GET", 0) + made["GET"]
