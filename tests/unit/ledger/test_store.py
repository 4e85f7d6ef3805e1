"""The store and the documents around it: whole or absent, verified, never outside their place."""

import errno
import stat
import threading
from dataclasses import replace

import pytest

from ledger.disk.canonical import digest
from ledger.errors import IntegrityError
from ledger.jobs.manifest import Manifest, Output, Upstream
from ledger.machine.builds import PARTS
from ledger.store.store import Action, Store, StoreError

KEY = digest("key")

ENVIRONMENT = {part: {} for part in ("distributions", "variables", *PARTS)}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def publish(store, content=b"content"):
    with store.scratch() as scratch:
        (scratch / "file").write_bytes(content)
        return store.publish(scratch / "file")


def action(name, sha256):
    output = Output(logical=digest(name), sha256=sha256, bytes=7)
    return Action(outputs={name: output}, labels_seen=("p1",), cost={"seconds": 1.5})


def test_an_object_comes_back_whole_and_an_edit_does_not_reach_it(store, tmp_path):
    name = publish(store)
    placed = tmp_path / "out" / "file"
    store.place(name, placed)
    placed.write_bytes(b"edited!")
    store.place(name, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "again").stat().st_mode) & 0o200


def test_objects_are_read_only_and_nothing_is_world_writable(store):
    name = publish(store)
    store.record(KEY, action("file", name))
    for path in store.root.rglob("*"):
        assert not path.stat().st_mode & stat.S_IWOTH, path
    assert not (store.root / "objects" / name[:2] / name[2:]).stat().st_mode & 0o222


def test_a_damaged_object_is_noticed_and_set_aside(store, tmp_path):
    name = publish(store)
    path = store.root / "objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(b"cOntent")
    with pytest.raises(IntegrityError, match="damaged"):
        store.place(name, tmp_path / "out")
    assert not path.exists() and not (tmp_path / "out").exists()
    with pytest.raises(IntegrityError, match="no such object"):
        store.place(name, tmp_path / "out")
    assert list(tmp_path.glob(".out*")) == []


def test_it_has_what_is_undamaged(store, tmp_path):
    name = publish(store)
    path = store.object(name)
    assert store.has(name) and not store.has(KEY)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert not store.has(name)
    path.unlink()
    path.write_bytes(b"cOntent")
    assert not store.has(name) and path.exists()
    path.unlink()
    path.mkdir()
    assert not store.has(name)


def test_actions_come_back_and_damaged_ones_do_not(store):
    made = action("file", publish(store))
    assert store.lookup(KEY) is None
    store.record(KEY, made)
    assert store.lookup(KEY) == made
    path = store.root / "actions" / KEY[:2] / f"{KEY[2:]}.json"
    path.write_text(path.read_text().replace("p1", "p2"))
    assert store.lookup(KEY) is None
    assert not path.exists()


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a/b", "..", ""])
def test_an_action_cannot_name_a_place_outside(store, name):
    store.record(KEY, action(name, publish(store)))
    assert store.lookup(KEY) is None


@pytest.mark.parametrize("name", ["../" * 10 + "etc/passwd", "x" * 64, "/" + "a" * 63])
def test_only_a_sha256_names_an_object(store, tmp_path, name):
    with pytest.raises(IntegrityError, match="not a sha256"):
        store.place(name, tmp_path / "out")


def test_many_writers_of_one_object_end_with_one(store, tmp_path):
    names = []
    writers = [threading.Thread(target=lambda: names.append(publish(store))) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(set(names)) == 1
    assert len([p for p in (store.root / "objects").rglob("*") if p.is_file()]) == 1
    assert list((store.root / "scratch").iterdir()) == []


def manifest(**changes):
    fields = {
        "job": "j",
        "stage": "s",
        "plan": digest("plan"),
        "key": KEY,
        "ingredients": {
            "code": {},
            "params": {"seed": 1},
            "environment": ENVIRONMENT,
        },
        "inputs": {"rows": digest("rows")},
        "outputs": {"file": Output(logical=digest("l"), sha256=digest("s"), bytes=3)},
        "labels_seen": ("a", "b"),
    }
    fields |= changes
    origin = Upstream(manifest="results/up/manifest.json", file="file", plan=digest("up"))
    return Manifest(**{"origins": dict.fromkeys(fields["inputs"], origin), **fields})


def test_a_manifest_comes_back(tmp_path):
    manifest().write(tmp_path / "manifest.json")
    assert Manifest.read(tmp_path / "manifest.json") == manifest()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"schema": 1}', b"\xff\xfe"])
def test_what_is_not_a_manifest_is_refused_by_name(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"manifest\.json: not a manifest"):
        Manifest.read(path)


def test_an_altered_manifest_is_refused(tmp_path):
    path = tmp_path / "manifest.json"
    manifest().write(path)
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(IntegrityError, match="does not match its own digest"):
        Manifest.read(path)


def test_a_crafted_manifest_cannot_name_a_path(tmp_path):
    output = Output(logical=digest("l"), sha256=digest("s"), bytes=3)
    manifest(outputs={"../../x": output}).write(tmp_path / "manifest.json")
    with pytest.raises(IntegrityError, match="not a plain file name"):
        Manifest.read(tmp_path / "manifest.json")
    for path in ("../../m.json", "/etc/m.json"):
        origin = Upstream(manifest=path, file="x", plan=KEY)
        manifest(origins={"rows": origin}).write(tmp_path / "m.json")
        with pytest.raises(IntegrityError, match=r"is not .*Upstream"):
            Manifest.read(tmp_path / "m.json")


def test_an_object_is_lent_whole_and_stays_though_it_is_removed(store):
    name = publish(store)
    with store.scratch() as room:
        assert store.lend(name, room / "file")
        store.object(name).unlink()
        assert (room / "file").read_bytes() == b"content"


def test_what_is_missing_or_damaged_is_not_lent(store):
    name = publish(store)
    with store.scratch() as room:
        assert not store.lend(digest("another"), room / "missing")
        store.object(name).chmod(0o644)
        store.object(name).write_bytes(b"damaged")
        assert not store.lend(name, room / "damaged")
        assert list(room.iterdir()) == []


def test_a_link_in_the_place_of_an_object_is_not_lent(store, tmp_path):
    """Its content is right now, and somebody else's to change."""
    name = publish(store)
    store.object(name).rename(tmp_path / "elsewhere")
    store.object(name).symlink_to(tmp_path / "elsewhere")
    with store.scratch() as room:
        assert not store.lend(name, room / "file")
        assert not (room / "file").is_symlink()


def test_it_holds_an_action_whose_objects_are_all_there(store):
    names = [publish(store, content) for content in (b"one", b"two")]
    made = action("one", names[0])
    made = replace(made, outputs={**made.outputs, **action("two", names[1]).outputs})
    assert store.holds(made)
    store.object(names[1]).unlink()
    assert not store.holds(made)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_while_a_job_computes_is_a_clear_error(store, number):
    with pytest.raises(StoreError, match="store"), store.scratch() as room:
        raise OSError(number, "no room", str(room / "file"))
    assert list(store.root.glob("scratch/*")) == []
