"""Results seen through their manifests: names, places, and an order that respects needs."""

import pytest

from ledger.disk.canonical import digest
from ledger.errors import InputError
from ledger.jobs.manifest import Manifest, Output
from ledger.jobs.results import in_order, job_below, read_manifests


def manifest(inputs, outputs):
    return Manifest(
        job="j",
        stage="s",
        plan=digest(0),
        key=digest(1),
        ingredients={},
        inputs={f"r{n}": digest(name) for n, name in enumerate(inputs)},
        origins={},
        outputs={
            f"f{n}": Output(logical=digest(name), sha256=digest(name), bytes=1)
            for n, name in enumerate(outputs)
        },
        labels_seen=(),
    )


def test_each_job_comes_after_one_that_made_its_inputs():
    jobs = {
        "a": manifest(["model"], ["score"]),
        "b": manifest(["table"], ["model"]),
        "c": manifest(["raw"], ["table"]),
    }
    assert in_order(jobs) == ["c", "b", "a"]


def test_generations_whose_pseudo_labels_are_equal():
    """Equal outputs of several jobs make a circle of the digests, not of the jobs."""
    jobs = {
        "gen1/labels": manifest(["teacher"], ["empty"]),
        "gen1/student": manifest(["empty"], ["one"]),
        "gen2/labels": manifest(["one"], ["empty"]),
        "gen2/student": manifest(["empty", "one"], ["two"]),
    }
    assert in_order(jobs) == ["gen1/labels", "gen1/student", "gen2/labels", "gen2/student"]


def test_manifests_that_rest_on_each_other_come_all_the_same():
    jobs = {"a": manifest(["y"], ["x"]), "b": manifest(["x"], ["y"]), "c": manifest([], ["z"])}
    assert in_order(jobs) == ["c", "a", "b"]


def test_places_and_names(tmp_path):
    places = ["x.manifest.json", "env/table/manifest.json", ".plan/manifest.json", "y/fit.json"]
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    found = [path for path, _ in read_manifests(tmp_path)]
    assert [job_below(tmp_path, path) for path in found] == ["env/table", "x"]
    assert job_below(tmp_path / "env/table", found[0]) == ""


def test_a_directory_without_manifests_is_an_error(tmp_path):
    with pytest.raises(InputError, match="holds no manifest"):
        next(read_manifests(tmp_path))
    with pytest.raises(InputError, match=r"nowhere: no such directory"):
        next(read_manifests(tmp_path / "nowhere"))
