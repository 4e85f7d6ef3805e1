"""`verify` and the store: each kind of damage in words, and a repair that deletes nothing."""

import json
import shutil

import pytest

from emodag.face.cli import main
from emodag.provenance.canonical import digest
from emodag.provenance.key import key_of
from emodag.provenance.manifest import Output
from emodag.provenance.store import Action, Store
from tests.unit.obstacles import OBSTACLES
from tests.unit.test_store import action, manifest, publish

INGREDIENTS = {
    "code": {},
    "params": {},
    "environment": {"distributions": {}, "variables": {}},
}
KEY = key_of(INGREDIENTS, {})
OTHER = digest("other key")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The results of one job, as the working directory, and the store behind them."""
    monkeypatch.chdir(tmp_path)
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
    status = main(["verify", "--json", "--store", "store", *arguments])
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
    assert main(["verify", "--store", "store"]) == 1
    assert "the record of another computation" in capsys.readouterr().out
    (found,) = verify(capsys, "--repair")
    assert found["restored"] and verify(capsys) == []
    assert OTHER in (store.root / f"quarantine/{KEY}.json-1").read_text()


def test_a_record_of_an_earlier_schema_is_no_damage(store, capsys):
    body = json.loads(store.action(KEY).read_text())
    del body["digest"], body["key"]
    body["schema"] = 2
    store.action(KEY).unlink()
    store.action(KEY).write_text(json.dumps({**body, "digest": digest(body)}))
    assert verify(capsys) == []


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
        (kept,) = store.root.glob("quarantine/*-1")
        assert kept.read_bytes() == b"damaged"
