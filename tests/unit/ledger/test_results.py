"""Results seen through their manifests: names, places, and an order that respects needs."""

import pytest

from ledger.disk.canonical import digest
from ledger.errors import InputError
from ledger.jobs.manifest import Manifest, Output
from ledger.jobs.results import in_order, job_below, read_manifests
from ledger.store.sidecar import execution, sidecar_path, write_record


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


TOOK = {"seconds": 1.5, "cpu_seconds": 2.0, "peak_bytes": 3}
MADE = {"started": "2026-11-28T10:00:00.123+00:00", "host": "here"}
COMPUTED = {"key": "k", "hit": False, **MADE, "cost": TOOK}
FOUND = {"key": "k", "hit": True, "made": MADE, "saved": TOOK, "cost": {}}


@pytest.mark.parametrize("record", [COMPUTED, FOUND])
def test_how_a_job_was_computed(tmp_path, record):
    manifest = tmp_path / "blend.manifest.json"
    assert execution(manifest, "k") is None
    write_record(sidecar_path(manifest), record)
    found = execution(manifest, "k")
    assert (found["hit"], found["cost"], found["host"]) == (record["hit"], TOOK, "here")
    assert found["started"] < found["ended"]
    assert execution(manifest, "another") is None


@pytest.mark.parametrize("spoilt", [None, [], "x", {}, {"seconds": 1}, {**TOOK, "seconds": 1e300}])
@pytest.mark.parametrize(
    ("record", "part"),
    [
        (COMPUTED, "key"),
        (COMPUTED, "started"),
        (COMPUTED, "cost"),
        (FOUND, "made"),
        (FOUND, "saved"),
    ],
)
def test_a_sidecar_that_is_none(tmp_path, record, part, spoilt):
    manifest = tmp_path / "blend.manifest.json"
    write_record(sidecar_path(manifest), {**record, part: spoilt})
    assert execution(manifest, "k") is None
