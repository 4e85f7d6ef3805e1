"""`verify` and the store: each kind of damage in words, and a repair that deletes nothing."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from emodag.application import main
from ledger.cli import verify as verb
from ledger.disk.canonical import digest
from ledger.jobs.key import key_of
from ledger.jobs.manifest import Manifest, Output, Source, Upstream
from ledger.store.store import Action, Store
from tests.unit.ledger.test_store import ENVIRONMENT, action, manifest, publish
from tests.unit.obstacles import OBSTACLES

INGREDIENTS = {
    "code": {},
    "params": {},
    "environment": ENVIRONMENT,
}
KEY = key_of(INGREDIENTS, {})
OTHER = digest("other key")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The results of one job, as the working directory, and the store behind them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMODAG_STORE", "store")
    store = Store(tmp_path / "store")
    made = Output(logical=digest("l"), sha256=publish(store), bytes=7)
    facts = {"outputs": {"file": made}, "labels_seen": ()}
    (tmp_path / "results/j").mkdir(parents=True)
    (tmp_path / "results/j/file").write_bytes(b"content")
    manifest(job="j", key=KEY, ingredients=INGREDIENTS, inputs={}, **facts).write(
        tmp_path / "results/j/manifest.json"
    )
    store.record(KEY, Action(**facts, cost={"seconds": 1.5}))
    return store


def verify(capsys, *arguments):
    status = main(["verify", "--json", *arguments])
    damages = json.loads(capsys.readouterr().out)["damages"]
    assert status == any(not damage["restored"] for damage in damages)
    return damages


def test_a_misplaced_record_is_named_and_replaced(store, capsys):
    store.record(OTHER, action("file", publish(store, b"other")))
    store.action(KEY).unlink()
    shutil.copy(store.action(OTHER), store.action(KEY))
    (found,) = verify(capsys)
    assert found["path"] == str(store.action(KEY))
    assert found["found"] == f"the record of another computation (key {OTHER})"
    assert main(["verify"]) == 1
    assert "the record of another computation" in capsys.readouterr().out
    (found,) = verify(capsys, "--repair")
    assert found["restored"] and verify(capsys) == []
    assert OTHER in next(store.root.glob(f"quarantine/{KEY}.json-*[0-9]")).read_text()


def test_a_record_of_an_earlier_schema_is_no_damage(store, capsys):
    body = json.loads(store.action(KEY).read_text())
    del body["digest"], body["key"]
    body["schema"] = 2
    store.action(KEY).unlink()
    store.action(KEY).write_text(json.dumps({**body, "digest": digest(body)}))
    assert verify(capsys) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"labels_seen": ("a person that the manifest does not name",)},
        {"outputs": {"file": Output(logical=OTHER, sha256=OTHER, bytes=7)}},
        {"outputs": {}},
    ],
)
def test_a_record_of_another_result_is_told(store, capsys, facts):
    recorded = store.read(KEY)
    store.record(KEY, replace(recorded, **facts))
    (found,) = verify(capsys)
    assert found["found"] == "another result of the same computation"
    assert found["todo"].startswith(f"delete {store.action(KEY)}, ")


def test_a_record_that_is_gone_is_told(store, capsys):
    store.action(KEY).unlink()
    (found,) = verify(capsys)
    assert (found["path"], found["found"]) == (str(store.action(KEY)), "no such file")


def test_a_manifest_whose_key_is_not_that_of_its_ingredients(store, capsys):
    path = Path("results/j/manifest.json")
    made = Manifest.read(path)
    replace(made, ingredients={**made.ingredients, "stage": "another"}).write(path)
    (found,) = verify(capsys)
    assert found["path"] == str(path) and found["expected"].endswith(", by its ingredients")


def test_a_manifest_in_the_place_of_anothers(store, capsys):
    Path("results/k").mkdir()
    shutil.copy("results/j/manifest.json", "results/k/manifest.json")
    (found,) = verify(capsys)
    assert found["found"] == "that of 'j'" and found["path"] == "results/k/manifest.json"


def test_an_input_that_is_not_what_its_job_lists(store, capsys):
    """Nor a job that is not there, nor a raw file with other bytes; an absent one is only noted."""
    Path("raw.csv").write_text("raw")
    inputs = {"up": OTHER, "gone": OTHER, "raw": digest("raw"), "absent": OTHER}
    made = Manifest.read(Path("results/j/manifest.json"))
    origins = {
        "up": Upstream(manifest="results/j/manifest.json", file="file", plan=made.plan),
        "gone": Upstream(manifest="results/gone/manifest.json", file="file", plan=made.plan),
        "raw": Source(path="raw.csv", sha256=digest("raw")),
        "absent": Source(path="absent.csv", sha256=OTHER),
    }
    key = key_of(INGREDIENTS, inputs)
    found = replace(made, job="k", key=key, inputs=inputs, origins=origins, outputs={})
    found.write(Path("results/k/manifest.json"))
    store.record(key, Action(outputs={}, labels_seen=(), cost={"seconds": 1.5}))
    told = {damage["path"]: damage["found"] for damage in verify(capsys)}
    assert told.pop("raw.csv").startswith("sha256 ")
    assert told == {"results/k/manifest.json": OTHER, "results/gone/manifest.json": "no such file"}
    main(["verify"])
    assert "NOTE absent.csv: this raw file is not here" in capsys.readouterr().out


def test_what_rests_on_what_was_made_anew_by_another_plan_is_no_damage(store, capsys):
    made = Manifest.read(Path("results/j/manifest.json"))
    inputs = {"up": OTHER}
    origin = Upstream(manifest="results/j/manifest.json", file="file", plan=OTHER)
    key = key_of(INGREDIENTS, inputs)
    found = replace(made, job="k", key=key, inputs=inputs, origins={"up": origin}, outputs={})
    found.write(Path("results/k/manifest.json"))
    store.record(key, Action(outputs={}, labels_seen=(), cost={"seconds": 1.5}))
    assert verify(capsys) == []
    main(["verify"])
    assert "NOTE results/k/manifest.json: made before what it rests on" in capsys.readouterr().out


def test_a_file_that_is_not_as_recorded(store, capsys):
    Path("results/j/file").write_bytes(b"cOntent")
    (found,) = verify(capsys)
    assert found["path"] == "results/j/file" and found["found"].endswith(", 7 bytes")


@pytest.mark.parametrize("what", ["object", "record"])
@pytest.mark.parametrize("make", [None, *OBSTACLES], ids=lambda make: make and make.__name__)
def test_a_repair_keeps_what_was_damaged(store, capsys, what, make):
    path = next(store.root.glob("objects/*/*")) if what == "object" else store.action(KEY)
    path.unlink()
    path.write_bytes(b"damaged") if make is None else make(path)
    (found,) = verify(capsys)
    assert found["path"] == str(path)
    (found,) = verify(capsys, "--repair")
    assert found["restored"] and verify(capsys) == []
    assert len(list(store.root.glob("quarantine/*"))) == 2
    if make is None:
        (kept,) = store.root.glob("quarantine/*[0-9]")
        assert kept.read_bytes() == b"damaged"


def test_a_repair_leaves_alone_what_a_run_has_made_meanwhile(store, capsys, monkeypatch):
    path, really = Path("results/j/manifest.json"), verb.repair
    Path("results/j/file").write_bytes(b"cOntent")

    def late(found, store):
        replace(Manifest.read(path), plan=digest("another")).write(path)
        really(found, store)

    monkeypatch.setattr(verb, "repair", late)
    (found,) = verify(capsys, "--repair")
    assert not found["restored"] and "made anew meanwhile" in found["todo"]
    assert Path("results/j/file").read_bytes() == b"cOntent"
