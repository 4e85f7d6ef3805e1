"""`audit`: jobs computed anew in scratch; what does not repeat its bits or was forged is found."""

import json
import shutil

from ledger.disk.documents import sealed, unsealed
from ledger.store.store import SCHEMA
from tests.words import ALL


def audit(words, *arguments, **variables):
    """What `audit --json` finds in all jobs, or in those of the arguments."""
    done = words.ends("words", "audit", "--json", "--sample", "100%", *arguments, **variables)
    found = json.loads(done.stderr)
    assert done.returncode == bool(found["wrong"])
    return found


def everything(words):
    """Every file of the results and the store, with its bytes."""
    places = (words.path / "results", words.path / ".words/store")
    files = (path for place in places for path in place.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files}


def record(words, job):
    """The path of the store's record of a job, and what it holds."""
    key = json.loads(words.results()[f"results/{job}/manifest.json"])["key"]
    path = words.path / f".words/store/actions/{key[:2]}/{key[2:]}.json"
    return path, unsealed(path.read_bytes(), SCHEMA)


def forge(path, body):
    """Write a record that vouches for itself."""
    path.unlink()
    path.write_bytes(sealed(body, SCHEMA))


def test_all_as_recorded_and_nothing_is_written(words):
    before = everything(words)
    found = audit(words)
    assert sorted(found["computed"]) == ALL and found["wrong"] == [] and found["left_out"] == {}
    assert everything(words) == before
    assert not list((words.path / ".words/store/scratch").iterdir())
    assert sorted(audit(words, "count/moby")["computed"]) == ["count/moby"]


def test_a_seed_draws_the_sample(words):
    said = words.ends("words", "audit", "--seed", "7").stderr
    assert "1 of 3 finished jobs computed anew (seed 7): all as recorded." in said
    one, two = (
        audit(words, "--seed", "7", "--sample", share)["computed"] for share in ("5%", "50%")
    )
    assert len(one) == 1 and len(two) == 2 and two[0] == one[0]
    done = words.ends("words", "audit", "--sample", "0%")
    assert done.returncode == 2 and "expected 5%, 0.5%, 100% or the like" in done.stderr


def test_a_record_with_another_valid_object(words):
    """Which vouches for itself, and which no check of digests can tell from a right one."""
    path, body = record(words, "count/moby")
    _, other = record(words, "count/alice")
    forge(path, {**body, "outputs": other["outputs"]})
    (one,) = audit(words)["wrong"]
    assert one["job"] == "count/moby" and one["is_repeated"] is True and one["key"] == []
    assert one["wrong"] == {str(path): "it says other values than are computed now"}
    assert one["outputs"]["counts.json"]["changes"]
    # The results then come from it, and agree with it.
    shutil.rmtree(words.path / "results")
    words.run()
    (one,) = audit(words)["wrong"]
    assert one["job"] == "count/moby" and len(one["wrong"]) == 2


def test_what_cannot_be_computed_anew_is_told(words):
    words.edit("words/ranking.py", "total = Counter()", "total = Counter(())")
    found = audit(words)
    assert sorted(found["computed"]) == ["count/alice", "count/moby"]
    assert found["left_out"] == {"made of other code, parameters or inputs than there are now": 1}
    done = words.ends("words", "audit", "--config", "least=5")
    assert done.returncode == 1 and "no job was computed anew" in done.stderr
    assert "NOTE 3 jobs left out: made of other code" in done.stderr
    done = words.ends("words", "audit", "rankin")
    assert done.returncode == 1 and "did you mean 'ranking'?" in done.stderr
