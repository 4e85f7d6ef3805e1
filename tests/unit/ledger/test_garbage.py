"""`gc`: ages by the clock of the store's file system, and what is in quarantine."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from emodag.application import main
from ledger.disk.canonical import digest
from ledger.disk.documents import sealed, unsealed
from ledger.errors import IntegrityError
from ledger.jobs.manifest import Output
from ledger.store import garbage, roots
from ledger.store.store import NOTE, SCHEMA, Store
from tests.unit.ledger.test_store import KEY, action, manifest, publish

DAY = 86400


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with one object that the results need."""
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "store")
    needed = Output(logical=KEY, sha256=publish(store, b"needed"), bytes=6)
    manifest(outputs={"file": needed}).write(tmp_path / "results/j/manifest.json")
    roots.register(store, tmp_path / "results", is_open=False)
    return store


def gc(capsys, *arguments):
    assert main(["gc", "--json", "--store", "store", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def age(path, days):
    then = path.lstat().st_mtime - days * DAY
    os.utime(path, (then, then), follow_symlinks=False)


@pytest.mark.parametrize("days", [-400, -2, 2, 400])
def test_a_wrong_clock_of_this_machine_decides_nothing(store, capsys, monkeypatch, days):
    """A day old is garbage, an hour old is not, whatever the local clock says."""
    young, old = (store.object(publish(store, content)) for content in (b"young", b"old"))
    record = store.action(KEY)
    store.record(KEY, action("file", young.parent.name + young.name))
    age(young, 1 / 24)
    age(old, 1.1)
    skewed = time.time() + days * DAY
    monkeypatch.setattr(time, "time", lambda: skewed)
    found = gc(capsys, "--delete")
    assert [Path(entry["path"]).name for entry in found["entries"]] == [old.name]
    assert young.exists() and record.exists() and not old.exists()


@pytest.mark.parametrize("days", [-400, -2, 2, 400])
def test_a_server_whose_clock_is_another(store, capsys, monkeypatch, days):
    """All times of the store are the server's, as is that of the file that tells the present."""
    young, old = (store.object(publish(store, content)) for content in (b"young", b"old"))
    for path in store.root.rglob("*"):
        age(path, -days)
    age(young, 1 / 24)
    age(old, 1.1)
    fstat = os.fstat

    def skewed(handle):
        status = fstat(handle)
        facts = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
        return SimpleNamespace(**{**facts, "st_mtime": status.st_mtime + days * DAY})

    monkeypatch.setattr(garbage.os, "fstat", skewed)
    found = gc(capsys, "--delete")
    assert [Path(entry["path"]).name for entry in found["entries"]] == [old.name]


def test_a_store_that_nothing_can_be_made_in_is_looked_at(store, capsys, monkeypatch):
    def fail(**_):
        raise PermissionError

    old = store.object(publish(store, b"old"))
    age(old, 2)
    monkeypatch.setattr(garbage.tempfile, "TemporaryFile", fail)
    assert [Path(entry["path"]) for entry in gc(capsys)["entries"]] == [old]


def test_quarantine_is_told_and_removed_as_other_garbage_is(store, tmp_path, capsys):
    thing = store.object(publish(store, b"damaged"))
    directory = store.object(publish(store, b"replaced"))
    thing.chmod(0o644)
    thing.write_bytes(b"dAmaged")
    age(thing, 30)
    directory.unlink()
    directory.mkdir()
    (directory / "kept").write_text("kept")
    for path in (thing, directory):
        with pytest.raises(IntegrityError):
            store.place(path.parent.name + path.name, tmp_path / "out")
    ours = store.root / "quarantine" / "notes.txt"
    ours.write_text("mine")
    aside = sorted(store.root.glob("quarantine/*[0-9]"))
    assert len(aside) == 2

    found = gc(capsys, "--delete")
    assert found["entries"] == [] and found["quarantine"]["entries"] == 2, "put there just now"
    assert found["quarantine"]["bytes"] > 11
    assert main(["gc", "--store", "store"]) == 0
    assert "set aside as damaged, in " in capsys.readouterr().out
    assert all(map(os.path.lexists, aside))

    for path in store.root.rglob("quarantine/**/*"):
        age(path, 2)
    found = gc(capsys)
    assert {entry["kind"] for entry in found["entries"]} == {"quarantine"}
    assert all(map(os.path.lexists, aside)), "only told"
    assert len(gc(capsys, "--delete")["entries"]) == 2
    assert list(store.root.glob("quarantine/*")) == [ours]


def test_a_note_of_nothing_is_garbage_when_old(store, capsys):
    note = store.root / "quarantine" / f"{KEY}.json-1{NOTE}"
    note.parent.mkdir()
    note.write_text("{}")
    assert gc(capsys, "--delete")["entries"] == []
    age(note, 2)
    assert len(gc(capsys, "--delete")["entries"]) == 1
    assert not note.exists()


def test_signatures_go_with_their_records_and_so_does_what_was_being_written(store, capsys):
    old, young, lost = digest("old"), digest("young"), digest("lost")
    signed = {}
    for key in (old, young, lost):
        signed[key] = store.root / f"signatures/{key[:2]}/{key[2:]}-0123456789abcdef"
        signed[key].parent.mkdir(parents=True, exist_ok=True)
        signed[key].write_bytes(b"s" * 64)
        age(signed[key], 3)
        if key != lost:
            store.record(key, action("file", publish(store, key.encode())))
    age(store.action(old), 2)
    left = [
        signed[young].with_name(f".{signed[young].name}.1a2b3c4d"),
        store.root / f"roots/.{KEY}.json.1a2b3c4d",
        store.action(young).with_name(f".{store.action(young).name}.1a2b3c4d"),
    ]
    for path in left:
        path.write_bytes(b"")
    assert gc(capsys, "--delete", "--max-size", "1MB")["entries"] == []
    assert all(path.exists() for path in (*signed.values(), *left))
    assert main(["store", "--store", "store"]) == 0
    assert "  signatures: 4, 192 B" in capsys.readouterr().out
    for path in left:
        age(path, 2)
    gc(capsys, "--delete")
    assert not any(path.exists() for path in (signed[old], signed[lost], store.action(old), *left))
    assert signed[young].exists() and store.action(young).exists()
    assert len(list(store.root.glob("roots/*.json"))) == 1


def test_a_record_of_a_newer_format_is_told_and_keeps_all(store, capsys):
    """What it needs is not known; what an older version has left is of no use, and goes."""
    store.record(KEY, action("file", publish(store, b"theirs")))
    body = unsealed(store.action(KEY).read_bytes(), SCHEMA)
    (sha256,) = {output["sha256"] for output in body["outputs"].values()}
    for path in (store.action(KEY), store.object(sha256)):
        path.chmod(0o644)
    store.action(KEY).write_bytes(sealed({**body, "outputs": []}, SCHEMA + 1))
    for path in (store.action(KEY), store.object(sha256)):
        age(path, 2)
    assert main(["gc", "--delete", "--store", "store"]) == 1
    said = capsys.readouterr().err
    assert f"{store.action(KEY)}: a record of format {SCHEMA + 1}, and this version" in said
    assert store.object(sha256).exists()
    assert main(["store", "--store", "store"]) == 0
    assert "  (of a newer format): 1 record, " in capsys.readouterr().out
    assert main(["verify", "--store", "store"]) == 0
    assert f"NOTE {store.action(KEY)}: of a newer format" in capsys.readouterr().out
    store.action(KEY).write_bytes(sealed({**body, "outputs": []}, SCHEMA - 1))
    age(store.action(KEY), 2)
    gc(capsys, "--delete")
    assert not store.object(sha256).exists()
