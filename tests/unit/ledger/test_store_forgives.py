"""What is damaged or misplaced in the store is never used, never deleted, and never in the way."""

import errno
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.disk import atomic
from ledger.disk.canonical import digest
from ledger.errors import IntegrityError
from ledger.jobs.manifest import Manifest
from ledger.store import store as module
from ledger.store.store import NOTE, RecordError, Store, StoreError
from tests.unit.ledger.test_store import KEY, action, publish
from tests.unit.obstacles import OBSTACLES

OTHER = digest("other key")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def quarantine(store):
    """What is in quarantine, by name, with its note."""
    found = {}
    for note in (store.root / "quarantine").glob(f"*{NOTE}"):
        found[note.name.removesuffix(NOTE)] = json.loads(note.read_text())
        assert os.path.lexists(note.with_name(note.name.removesuffix(NOTE)))
    return found


def overwrite(path, content):
    path.chmod(0o644)
    path.write_bytes(content)


def rename(source, target):
    source.rename(target)


def link(source, target):
    target.symlink_to(source)


@pytest.mark.parametrize("put", [shutil.copy, rename, os.link, link])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_record_in_the_place_of_another_is_refused_and_set_aside(store, put, is_there):
    mine, others = action("file", publish(store)), action("file", publish(store, b"other"))
    store.record(OTHER, others)
    path = store.action(KEY)
    if is_there:
        store.record(KEY, mine)
        path.unlink()
    path.parent.mkdir(exist_ok=True)
    put(store.action(OTHER), path)
    with pytest.raises(RecordError, match=rf"the record of another computation \(key {OTHER}\)"):
        store.read(KEY)
    assert store.peek(KEY) is None and os.path.lexists(path)
    warnings = []
    assert store.lookup(KEY, warnings.append) is None
    assert "the record of another computation" in warnings[0] and str(path) in warnings[0]
    assert not os.path.lexists(path)
    ((name, note),) = quarantine(store).items()
    assert name.startswith(f"{KEY}.json-") and note["was"] == f"actions/{KEY[:2]}/{KEY[2:]}.json"
    assert KEY in note["expected"] and OTHER in note["found"]
    store.record(KEY, mine)
    assert store.lookup(KEY, warnings.append) == mine and len(warnings) == 1
    assert store.lookup(OTHER) in (others, None)


def test_a_record_whose_key_was_edited_is_an_altered_one(store):
    store.record(OTHER, action("file", publish(store)))
    path = store.action(KEY)
    path.parent.mkdir()
    path.write_text(store.action(OTHER).read_text().replace(OTHER, KEY))
    with pytest.raises(RecordError, match="does not match its own digest"):
        store.read(KEY)


@pytest.mark.parametrize("schema", [1, 2, 3, 5])
def test_a_record_of_another_schema_is_a_miss_and_no_damage(store, schema):
    made = action("file", publish(store))
    store.record(KEY, made)
    path = store.action(KEY)
    body = json.loads(path.read_text())
    del body["digest"], body["key"]
    body["schema"] = schema
    overwrite(path, json.dumps({**body, "digest": digest(body)}).encode())
    assert store.lookup(KEY, pytest.fail) is None
    assert path.exists() and quarantine(store) == {}
    store.record(KEY, made)
    assert store.lookup(KEY) == made


@pytest.mark.parametrize("content", [b"", b"cOntent", b"content and more", bytes(7)])
def test_a_damaged_object_leaves_for_quarantine(store, tmp_path, content):
    name = publish(store)
    overwrite(store.object(name), content)
    with pytest.raises(IntegrityError, match=r"damaged; it is now .*/quarantine/"):
        store.place(name, tmp_path / "out")
    ((aside, note),) = quarantine(store).items()
    assert (store.root / "quarantine" / aside).read_bytes() == content
    assert note["expected"] == f"sha256 {name}" and note["found"].startswith("sha256 ")
    assert not (tmp_path / "out").exists() and not store.object(name).exists()


def cannot_be_read(monkeypatch, number, times):
    """Have reading an open file fail so many times."""
    left, really = [None] * times, module.stream_sha256

    def read(stream):
        if left:
            left.pop()
            raise OSError(number, os.strerror(number))
        return really(stream)

    monkeypatch.setattr(module, "stream_sha256", read)


@pytest.mark.parametrize("number", [errno.EACCES, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN])
def test_what_cannot_be_read_need_not_be_damaged(store, tmp_path, monkeypatch, number):
    """As where a disk is away, or a file is another user's."""
    name = publish(store)
    cannot_be_read(monkeypatch, number, 2)
    with pytest.raises(StoreError, match=os.strerror(number)):
        store.examine(name)
    with pytest.raises(StoreError, match=os.strerror(number)):
        store.place(name, tmp_path / "out")
    assert quarantine(store) == {} and store.examine(name) is None


def test_a_bad_block_is_damage_and_a_moment_without_the_disk_is_none(store, monkeypatch):
    name = publish(store)
    cannot_be_read(monkeypatch, errno.EIO, 1)
    assert store.examine(name) is None and quarantine(store) == {}
    cannot_be_read(monkeypatch, errno.EIO, 2)
    assert "it is now" in store.examine(name) and not store.object(name).exists()
    assert [note["found"] for note in quarantine(store).values()] == [
        f"unreadable: {os.strerror(errno.EIO)}"
    ]


def test_each_that_is_set_aside_keeps_a_name_of_its_own(store, tmp_path):
    for content in (b"1", b"2", b"3"):
        name = publish(store)
        overwrite(store.object(name), content)
        with pytest.raises(IntegrityError):
            store.place(name, tmp_path / "out")
    kept = {(store.root / "quarantine" / aside).read_bytes() for aside in quarantine(store)}
    assert kept == {b"1", b"2", b"3"}


def test_a_damaged_copy_of_a_sound_object_costs_the_object_nothing(store, tmp_path, monkeypatch):
    name = publish(store)

    def fail(stream, sink):
        sink.write(b"cOntent")
        sink.flush()

    monkeypatch.setattr(module, "copy_into", fail)
    with pytest.raises(StoreError, match="differs from the sound object"):
        store.place(name, tmp_path / "out")
    monkeypatch.undo()
    assert quarantine(store) == {} and list(tmp_path.glob("*out*")) == []
    store.place(name, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"content"


def test_publishing_over_a_damaged_object_keeps_that_one(store, tmp_path):
    name = publish(store)
    overwrite(store.object(name), b"cOntent")
    assert publish(store) == name and len(quarantine(store)) == 1
    assert publish(store) == name and len(quarantine(store)) == 1, "a sound one is no damage"
    store.place(name, tmp_path / "out")


@pytest.mark.parametrize("make", OBSTACLES, ids=lambda make: make.__name__)
def test_what_is_no_file_is_set_aside_at_once(store, tmp_path, make):
    name = publish(store)
    made = action("file", name)
    store.record(KEY, made)
    for path in (store.object(name), store.action(KEY)):
        path.unlink()
        make(path)
    with pytest.raises(IntegrityError, match=f"{name[2:]}: is a .*; it is now"):
        store.place(name, tmp_path / "out")
    warnings = []
    assert store.lookup(KEY, warnings.append) is None and "no record" in warnings[0]
    assert len(quarantine(store)) == 2
    make(store.object(name))
    assert publish(store) == name
    store.record(KEY, made)
    assert store.lookup(KEY) == made
    store.place(name, tmp_path / "out")


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EACCES])
@pytest.mark.parametrize("at", ["mkdir", "open", "write_text", "rename"])
def test_a_store_that_cannot_be_written_keeps_what_is_damaged(
    store, tmp_path, monkeypatch, number, at
):
    made = action("file", publish(store))
    name = made.outputs["file"].sha256
    store.record(KEY, made)
    overwrite(store.object(name), b"cOntent")
    overwrite(store.action(KEY), b"{}")
    where = os if at == "open" else Path
    really = getattr(where, at)

    def fail(*arguments, **named):
        if any("quarantine" in str(argument) for argument in arguments):
            raise OSError(number, os.strerror(number))
        return really(*arguments, **named)

    monkeypatch.setattr(where, at, fail)
    warnings = []
    assert store.lookup(KEY, warnings.append) is None
    assert "could not be set aside" in warnings[0]
    with pytest.raises(IntegrityError, match="damaged; it could not be set aside"):
        store.place(name, tmp_path / "out")
    monkeypatch.undo()
    assert store.object(name).read_bytes() == b"cOntent" and store.action(KEY).exists()
    assert list(store.root.glob("quarantine/*")) == []
    assert publish(store) == name
    store.place(name, tmp_path / "out")


def test_names_are_on_the_disk_before_what_refers_to_them(store, tmp_path, monkeypatch):
    """Content before its name, an object before the record, both before the manifest."""
    events = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(handle):
        events.append(("sync", Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    def note_replace(self, target):
        events.append(("rename", Path(target)))
        return replace(self, target)

    monkeypatch.setattr(atomic.os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    name = publish(store)
    store.record(KEY, action("file", name))
    Manifest(
        **{"job": "j", "stage": "s", "plan": KEY, "key": KEY, "ingredients": {}, "inputs": {}},
        **{"origins": {}, "outputs": {}, "labels_seen": ()},
    ).write(tmp_path / "manifest.json")
    renamed = [path for what, path in events if what == "rename"]
    assert renamed == [store.object(name), store.action(KEY), tmp_path / "manifest.json"]
    for path in renamed:
        at = events.index(("rename", path))
        assert events[at - 1][0] == "sync" and events[at + 1] == ("sync", path.parent)
    # A new directory has a name, too.
    for path in (store.object(name).parent, store.action(KEY).parent):
        at = events.index(
            ("rename", path / name[2:] if path.parent.name == "objects" else renamed[1])
        )
        assert ("sync", path.parent) in events[:at]


def test_many_that_find_one_damage_set_it_aside_once(store, tmp_path):
    name = publish(store)
    overwrite(store.object(name), b"cOntent")

    def place(number):
        with pytest.raises(IntegrityError, match=r"damaged|no such object"):
            store.place(name, tmp_path / f"out{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(place, range(32)))
    assert len(quarantine(store)) == 1 and len(list(store.root.glob("quarantine/*"))) == 2
    assert publish(store) == name
