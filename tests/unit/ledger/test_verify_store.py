"""`verify --store`: all records and objects of a store, or as many as there is time for."""

import json
import os
import shutil

import pytest

from emodag.application import main
from ledger.disk.canonical import digest
from ledger.jobs.manifest import Output
from ledger.store.store import Action, Store
from tests.unit.ledger.test_store import publish

KEYS = [digest(number) for number in range(20)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of twenty records with an object each; there are no results."""
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "store")
    for number, key in enumerate(KEYS):
        content = f"content {number}".encode()
        made = Output(logical=key, sha256=publish(store, content), bytes=len(content))
        store.record(key, Action(outputs={"file": made}, labels_seen=(), cost={"seconds": 1.0}))
    return store


def verify(capsys, *arguments):
    status = main(["verify", "--store", "store", "--json", *arguments])
    found = json.loads(capsys.readouterr().out)
    assert status == bool(found["damages"])
    return found


def damage(path, content):
    """Change a file, keeping its size and times."""
    status = path.stat()
    path.chmod(0o644)
    path.write_bytes(content + path.read_bytes()[len(content) :])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_sound_store(store, capsys, monkeypatch):
    found = verify(capsys)
    counts = {name: found[name] for name in ("records", "objects", "hashed", "damages")}
    assert counts == {"records": 20, "objects": 20, "hashed": 20, "damages": []}
    monkeypatch.setenv("EMODAG_STORE", "store")
    assert main(["verify", "--store"]) == 0
    said = capsys.readouterr().out
    assert "20 records read, 20 of 20 objects hashed (190 B): all is as its name says." in said


def test_damage_is_named_and_set_aside(store, capsys):
    spoilt = store.object(store.read(KEYS[0]).outputs["file"].sha256)
    damage(spoilt, b"CON")
    half, other = store.action(KEYS[1]), store.action(KEYS[2])
    damage(half, b"{{")
    other.unlink()
    shutil.copy(store.action(KEYS[3]), other)
    lost = store.object(store.read(KEYS[4]).outputs["file"].sha256)
    lost.unlink()
    found = {one["path"]: one["found"] for one in verify(capsys)["damages"]}
    assert found.keys() == {str(path) for path in (spoilt, half, other, store.action(KEYS[4]))}
    assert "it is now" in found[str(spoilt)] and "a damaged record" in found[str(half)]
    assert f"the record of another computation (key {KEYS[3]})" in found[str(other)]
    assert not spoilt.exists() and not half.exists() and not other.exists()
    aside = [path for path in (store.root / "quarantine").iterdir() if path.suffix != ".note"]
    assert len(aside) == 3
    # What lacks its object now goes where that went; what did before is named each time.
    left = {one["path"]: one["expected"] for one in verify(capsys)["damages"]}
    assert left.keys() == {str(store.action(key)) for key in (KEYS[0], KEYS[4])}
    assert all("a record whose object" in expected for expected in left.values())
    assert main(["verify", "--store", "store"]) == 1
    said = capsys.readouterr().out
    assert f"DAMAGED {store.action(KEYS[4])}" in said and str(store.action(KEYS[0])) not in said
    assert not store.action(KEYS[0]).exists()


def test_samples_add_up_to_the_whole_store(store, capsys):
    """Whatever is damaged is found once, in one of them."""
    spoilt = store.object(store.read(KEYS[7]).outputs["file"].sha256)
    damage(spoilt, b"CON")
    found = [verify(capsys, "--sample", "25%") for _ in range(4)]
    assert [one["hashed"] for one in found] == [5, 5, 5, 5]
    named = [damage["path"] for one in found for damage in one["damages"]]
    assert named.count(str(spoilt)) == 1


def test_no_time_is_no_error(store, capsys):
    found = verify(capsys, "--max-minutes", "0.00000001")
    assert found["hashed"] < found["objects"] == 20 and found["records"] == 20
    assert verify(capsys, "--max-minutes", "10")["hashed"] == 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--store", "nowhere"), "nowhere: no such store"),
        (("--store", "store/objects"), "store/objects: no such store"),
        (("--sample", "5%"), "add --store"),
        (("--store", "store", "--repair"), "give it without --store"),
    ],
)
def test_what_makes_no_sense_is_refused(store, capsys, arguments, said):
    assert main(["verify", *arguments]) == 1
    assert said in capsys.readouterr().err
    assert not (store.root.parent / "nowhere").exists()


def test_wrong_numbers_are_refused(store, capsys):
    for wrong in (("--sample", "5"), ("--sample", "101%"), ("--max-minutes", "0")):
        assert main(["verify", "--store", "store", *wrong]) == 2
        assert "or the like, found" in capsys.readouterr().err


def test_a_store_of_another_machine_is_looked_at_there(store, capsys, monkeypatch):
    for verb in ("verify", "store", "gc"):
        for place, said in {
            "s3://lab/x": "copy it, as by `aws s3 sync s3://lab/x copy`",
            "ssh://me@host/srv/x": "give the command on host, with `--store /srv/x`",
            "s3:/lab": "it begins otherwise than 's3://'",
        }.items():
            assert main([verb, "--store", place]) == 2
            assert said in capsys.readouterr().err
    monkeypatch.setenv("EMODAG_STORE", "s3://lab/x")
    assert main(["store"]) == 1
    assert "EMODAG_STORE: s3://lab/x is no directory" in capsys.readouterr().err
    monkeypatch.setenv("HOME", str(store.root.parent))
    assert main(["verify", "--store=~/store"]) == 0
