"""The store of a lab: what roots keep there."""

import shutil

from tests.project import jobs
from tests.words import Words, behind
from tests.workflow.test_roots import age, gc, store


def test_a_lab_keeps_what_pushed_results_need_and_what_was_fetched(tmp_path):
    """Of what else was pushed there, that which was used longest ago goes first."""
    (lab := tmp_path / "lab").mkdir()
    one, two = Words.create(tmp_path / "one"), behind(Words.create(tmp_path / "two"), lab)
    for top in ("top=3", "top=4", "top=5"):
        one.run("--config", top)
        assert "put there" in one.ends("words", "push", f"--to={lab}").stderr
    age(lab)
    done = two.run("--config", "top=4")
    assert jobs(done, "RUN") == [] and len(jobs(done, "HIT")) == 3
    at = ("--store", str(lab))
    assert [root["records"] for root in store(one, *at)["roots"]] == [3]
    # Five records and five objects: three for `one`, of the others one was fetched just now.
    assert sorted(entry["kind"] for entry in gc(one, *at, "--delete")) == ["actions", "objects"]
    assert jobs(one.run("--config", "top=3"), "RUN") == []
    shutil.rmtree(two.path / "results")
    shutil.rmtree(two.path / ".words")
    # What is pulled is for results to come, and stays as long as these may.
    assert "has 3 of 3 jobs now" in two.ends("words", "pull", "--config", "top=4").stderr
    age(two.path / ".words/store")
    assert gc(two) == [] and store(two)["roots"][0]["records"] == 3
    lab.rename(tmp_path / "away")
    assert jobs(two.run("--config", "top=4"), "RUN") == []
