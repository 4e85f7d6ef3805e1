"""One store for several users, and for nobody else: permissions and links."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from ledger.disk.canonical import digest
from ledger.errors import IntegrityError, UserError
from ledger.store.store import Store
from tests.unit.ledger.test_store import KEY, action, publish

LAB, ALICE, BOB, EVE = 54321, 54322, 54323, 54324


@pytest.fixture
def public():
    """A directory that other users can reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def as_user(user, group, umask, do) -> str:
    """What `do` returns as text, or the message of its error, in a process of another user."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.setgroups([group])
            os.setgid(user)
            os.setuid(user)
            os.umask(umask)
            said = str(do())
        except UserError as error:
            said = str(error)
        finally:
            os.write(writer, said.encode())
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as stream:
        return stream.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as several users")
def test_a_group_shares_a_store_whatever_its_members_umasks(public):
    store = Store(public / "store")
    store.root.mkdir()
    os.chown(store.root, 0, LAB)
    store.root.chmod(0o2770)

    def work(content):
        name = publish(store, content)
        store.record(KEY, action("file", name))
        return name

    first = as_user(ALICE, LAB, 0o077, lambda: work(b"alice"))
    second = as_user(BOB, LAB, 0o022, lambda: work(b"bob"))
    assert first == as_user(BOB, LAB, 0o077, lambda: work(b"alice"))

    def look():
        with tempfile.TemporaryDirectory() as home:
            store.place(second, Path(home, "file"))
            content = Path(home, "file").read_text()
        return content, store.lookup(KEY).outputs["file"].sha256

    assert as_user(ALICE, LAB, 0o077, look) == str(("bob", first))
    for attempt in (look, lambda: store.lookup(KEY), lambda: publish(store)):
        assert "Permission denied: ask for access" in as_user(EVE, EVE, 0o022, attempt)


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o777, 0o1777])
def test_nothing_is_writable_for_everybody_nor_objects_for_anybody(tmp_path, mode):
    store = Store(tmp_path / "store")
    store.root.mkdir()
    store.root.chmod(mode)
    before = os.umask(0)
    try:
        store.record(KEY, action("file", publish(store)))
    finally:
        os.umask(before)
    for path in store.root.rglob("*"):
        bits = stat.S_IMODE(path.stat().st_mode)
        assert not bits & stat.S_IWOTH, path
        assert bits == (mode & 0o775 if path.is_dir() else 0o444)


@pytest.mark.parametrize("link", ["objects", "actions", "scratch", "objects/{}", "actions/{}"])
def test_a_link_in_the_store_is_refused(tmp_path, link):
    """Into another directory, where writing and removing would go astray."""
    store = Store(tmp_path / "store")
    name = publish(store)
    store.record(KEY, action("file", name))
    kind = link.partition("/")[0]
    path = store.root / link.format((name if kind == "objects" else KEY)[:2])
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match=r"is or lies behind a link"):
        store.place(publish(store), tmp_path / "out")
        store.lookup(KEY)


def test_an_object_that_is_a_link_is_refused(tmp_path):
    store = Store(tmp_path / "store")
    name = publish(store)
    path = store.root / "objects" / name[:2] / name[2:]
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="is a link"):
        store.place(name, tmp_path / "out")
    assert publish(store) == name and not path.is_symlink()


def test_the_root_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk")
    store = Store(tmp_path / "store")
    store.place(publish(store), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"content"


def test_only_a_sha256_names_an_action(tmp_path):
    with pytest.raises(IntegrityError, match="not a sha256"):
        Store(tmp_path).lookup("../" + digest("key"))
