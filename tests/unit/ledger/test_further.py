"""Further stores: how they are named, and what comes through from a directory, which needs nothing.

On real servers of S3 and SSH the same is in tests/remote.
"""

import errno
import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from ledger.disk.documents import sealed, unsealed
from ledger.errors import ConfigError
from ledger.remote import address as addresses
from ledger.remote import remote as remotes
from ledger.remote import served
from ledger.remote.address import Address, address, divided, require_packages
from ledger.remote.push import push
from ledger.remote.remote import RemoteError, connect
from ledger.remote.through import StoreThrough
from ledger.run import tally, turn
from ledger.run.stores import VARIABLE, store_here
from ledger.store.store import SCHEMA, Store
from tests.filled import bar, files, filled, key_of
from tests.unit.obstacles import OBSTACLES

CONTENTS = [b"", b"one", b"two", b"two", b"three" * 1_000_000]
KEYS = [key_of(number) for number in range(len(CONTENTS))]


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    """Starting the usual number of them would take most of the time of these tests."""
    monkeypatch.setattr(remotes, "PROCESSES", 1)


@pytest.fixture
def lab(tmp_path) -> Path:
    """A further store with something for every key."""
    return filled(tmp_path / "lab", CONTENTS).root


@pytest.fixture
def mine(tmp_path, lab) -> StoreThrough:
    """A store with nothing in it, before that one."""
    return StoreThrough(tmp_path / "mine", [str(lab)])


def brought(store: StoreThrough) -> list[str]:
    """What is warned of while all is brought here."""
    said: list[str] = []
    store.bring(store.find(KEYS, said.append), said.append)
    return said


def spoil(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_addresses():
    for text, found in {
        "lab": Address("lab", "", "lab"),
        "/shared/lab/": Address("/shared/lab/", "", "/shared/lab"),
        "./a:/b": Address("./a:/b", "", "./a:/b"),
        "s3://my.lab": Address("s3://my.lab", "s3", "", "my.lab"),
        "s3://lab/a/b/": Address("s3://lab/a/b/", "s3", "a/b", "lab"),
        "ssh://host/srv/lab": Address("ssh://host/srv/lab", "ssh", "/srv/lab", "host"),
        "ssh://me@host:22/~/lab": Address("ssh://me@host:22/~/lab", "ssh", "lab", "host", "me", 22),
        "ssh://host:65535/~": Address("ssh://host:65535/~", "ssh", ".", "host", None, 65535),
        "ssh://host/~/": Address("ssh://host/~/", "ssh", ".", "host"),
        "a:b/c": Address("a:b/c", "", "a:b/c"),
        "ssh://[::1]/lab": Address("ssh://[::1]/lab", "ssh", "/lab", "::1"),
    }.items():
        assert address(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no store; expected a directory, s3://BUCKET/PREFIX or ssh://"),
        ("a\0b", "names no store"),
        ("s3:/lab/x", "it begins otherwise than 's3://'"),
        ("S3://lab/x", "it begins otherwise than 's3://'"),
        ("s3://", "a bucket has 3 to 63 of a-z"),
        ("s3://Lab_1/x", "a bucket has 3 to 63 of a-z"),
        ("s3://lab/../x", "a prefix no odd signs and no '..'"),
        ("s3://lab/x?y", "a prefix no odd signs"),
        ("s3://lab/a//b", "a prefix no odd signs"),
        ("s3://lab/\x1b[2J", r"a prefix no odd signs"),
        ("ssh://host", "it needs a host and the path of a directory"),
        ("ssh://host:99999/x", "it needs a host"),
        ("ssh://host:0/x", "it needs a host"),
        ("ssh://host/a/../b", "without '..'"),
        ("ssh://me:secret@host/x", "it holds a password"),
        ("ssh://-oProxyCommand=x/y", "it needs a host"),
        ("ssh://-l/y", "it needs a host"),
        ("ssh://host:65536/x", "it needs a host"),
        ("me@host:/srv/lab", "did you mean 'ssh://me@host/srv/lab'"),
        ("me@host:srv/lab", "did you mean 'ssh://me@host/~/srv/lab'"),
        ("gs://lab/x", "nothing here reads gs://"),
        ("file:///lab", "nothing here reads file://"),
    ],
)
def test_what_is_no_address(text, said):
    with pytest.raises(ValueError) as caught:
        address(text)
    assert said in str(caught.value) and "\x1b" not in str(caught.value)


def test_the_first_store_is_the_one_that_is_written():
    assert divided("a") == ("a", [])
    assert divided(["a", "b", "s3://lab"]) == ("a", ["b", "s3://lab"])
    with pytest.raises(ValueError, match=r"'s3://lab' comes first, .* must be a directory"):
        divided(["s3://lab", "a"])
    for stores in (["a", "a/"], ["a", "s3://lab/x", "s3://lab/x/"]):
        with pytest.raises(ValueError, match="is there twice"):
            divided(stores)


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(addresses.PACKAGES, "s3", "no_such_package")
    monkeypatch.setenv("LEDGER_SETUP", "make setup")
    with pytest.raises(ConfigError, match=r"s3://lab: .*no_such_package.*; `make setup remote`"):
        require_packages(["a", "s3://lab"])
    monkeypatch.delenv("LEDGER_SETUP")
    with pytest.raises(ConfigError, match=r"-m pip install no_such_package` installs it"):
        require_packages(["s3://lab"])


def test_all_comes_through_and_is_as_it_was(lab, mine):
    assert brought(mine) == [] and files(mine.root) == files(lab)
    assert [mine.lookup(key) for key in KEYS] == [Store(lab).lookup(key) for key in KEYS]


def test_only_what_is_asked_for(lab, mine, tmp_path):
    action = mine.lookup(KEYS[2])
    mine.place(action.outputs["file"].sha256, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"two"
    assert mine.lookup("0" * 64) is None and len(files(mine.root)) == 2
    # What has been lost here since comes again.
    mine.object(action.outputs["file"].sha256).unlink()
    assert mine.lookup(KEYS[2]) == action and mine.holds(action)


@pytest.mark.parametrize("spoilt", [b"onE", b"on", b"one and more", b""])
def test_a_damaged_object_is_passed_over(lab, mine, tmp_path, spoilt):
    sha256 = Store(lab).peek(KEYS[1]).outputs["file"].sha256
    spoil(Store(lab).object(sha256), spoilt)
    name = mine.name(mine.object(sha256))
    assert brought(mine) == [f"{lab}: {name} is not what its name says; not used"]
    assert mine.peek(KEYS[1]) is None and not mine.object(sha256).exists()
    # Another store behind it has a sound one.
    other = filled(tmp_path / "other", CONTENTS[:2]).root
    store = StoreThrough(tmp_path / "third", [str(lab), str(other)])
    assert len(brought(store)) == 1 and store.holds(store.lookup(KEYS[1]))


def test_records_that_no_store_can_have_made(lab, mine):
    """Of another key, of another format, with names that lead elsewhere, with sizes that lie."""
    paths = [Store(lab).action(key) for key in KEYS]
    body = unsealed(paths[4].read_bytes(), SCHEMA)
    output = body["outputs"]["file"]

    def told(**changes) -> bytes:
        return sealed({**body, **changes}, SCHEMA)

    spoil(paths[0], paths[1].read_bytes())
    spoil(paths[1], sealed({**body, "key": KEYS[1]}, SCHEMA + 1))
    spoil(paths[2], told(key=KEYS[2], outputs={"../../x": output}))
    spoil(paths[3], told(key=KEYS[3], outputs={"x": {**output, "sha256": "../../../x"}}))
    spoil(paths[4], told(outputs={"x": {**output, "bytes": 7}}))
    said = brought(mine)
    assert len(said) == 2 and files(mine.root) == {}
    assert "(and 3 more like it); not used" in said[0] and "is not what its name says" in said[1]
    for size, why in ((1 << 62, "for which there is no room here"), (-1, "(and 4 more like it)")):
        spoil(paths[4], told(outputs={"x": {**output, "bytes": size}}))
        again = StoreThrough(mine.root, [str(lab)])
        assert why in brought(again)[-1] and files(mine.root) == {}


def test_a_record_without_end_is_not_read_to_its_end(lab, mine):
    path = Store(lab).action(KEYS[1])
    path.unlink()
    with path.open("wb") as made:
        made.truncate(1 << 40)
    assert len(brought(mine)) == 1 and mine.peek(KEYS[1]) is None


@pytest.mark.parametrize("obstruct", OBSTACLES)
def test_what_is_no_file_is_passed_over_and_nothing_else(lab, mine, obstruct):
    record, other = Store(lab).action(KEYS[1]), Store(lab).action(KEYS[3])
    for path in (record, Store(lab).object(Store(lab).peek(KEYS[4]).outputs["file"].sha256)):
        path.unlink()
        obstruct(path)
    other.unlink()
    other.symlink_to(other)
    brought(mine)
    assert [mine.peek(key) is not None for key in KEYS] == [True, False, True, False, False]


def test_one_that_cannot_be_read_is_told_and_the_others_are_used(lab, mine):
    """As on a disk with a bad sector; of a disk that is away nothing can be listed either."""
    record = Store(lab).action(KEYS[1])
    record.unlink()
    record.symlink_to("/proc/self/mem")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        record.read_bytes()
    said = brought(mine)
    assert [mine.peek(key) is not None for key in KEYS] == [True, False, True, True, True]
    assert len(said) == 1 and said[0].startswith(f"{lab}: ") and said[0].endswith("; not used")
    for number in (errno.EIO, errno.EACCES):
        assert served._is_of_one_file(OSError(number, "", ""), lab)
        assert not served._is_of_one_file(OSError(number, "", ""), lab / "gone")


def test_one_that_is_away_is_warned_of_once(tmp_path, monkeypatch):
    gone = str(tmp_path / "gone")
    store, said = StoreThrough(tmp_path / "mine", [gone]), []
    assert [store.lookup(key, said.append) for key in KEYS] == [None] * 5
    assert said == [f"{gone} is passed over: there is no such directory"]
    # Nor do the run's other processes ask it.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, json.dumps([[gone], []]))
    turn.begin()
    assert isinstance(store_here(tmp_path / "mine"), StoreThrough)
    tally.warn("job", said[0])
    assert type(store_here(tmp_path / "mine")) is Store
    monkeypatch.delenv(turn.VARIABLE)


def test_one_that_hangs_is_waited_for_a_while(lab, monkeypatch):
    """Once, however many ask; the process that waits for it is stopped here."""
    begun, really = [], subprocess.Popen

    def begin(*command, **how):
        begun.append(really(*command, **how))
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", begin)
    remote = connect(address(str(lab)), 60)
    assert remote.size("nothing") is None and remote.read("nothing") is None and len(begun) == 1
    begun[0].send_signal(signal.SIGSTOP)
    monkeypatch.setattr(remote, "patience", 0.5)
    for ask in (remote.size, remote.read, remote.use):
        with pytest.raises(RemoteError, match=r"no answer in 0\.5 s"):
            ask("nothing")
    assert len(begun) == 1
    begun[0].send_signal(signal.SIGCONT)
    assert begun[0].wait(60) == 0  # as nobody asks it any more


def test_what_is_fetched_counts_as_used(lab, mine):
    paths = [Store(lab).action(key) for key in KEYS]
    for path in paths:
        os.utime(path, (1e9, 1e9))
    mine.find(KEYS, print)
    assert mine.lookup(KEYS[2]) and mine.lookup(KEYS[2])
    assert [path.stat().st_mtime == 1e9 for path in paths] == [True, True, False, True, True]


def test_a_push_goes_on_where_it_was(lab, tmp_path):
    (tmp_path / "far").mkdir()
    mine, place = Store(lab), address(str(tmp_path / "far"))
    first = push(mine, place, KEYS[:2], bar)
    assert (first.records, first.objects, first.bytes) == (2, 2, 3)
    done = push(mine, place, KEYS, bar)
    assert (done.records, done.objects, done.lost, done.others) == (3, 2, [], [])
    assert files(tmp_path / "far") == files(lab)
    done = push(mine, place, KEYS, bar)
    assert (done.records, done.objects, done.bytes) == (0, 0, 0)
    assert list((tmp_path / "far/scratch").iterdir()) == []


def test_a_push_says_what_is_lost_and_what_is_otherwise_there(lab, tmp_path):
    other = filled(tmp_path / "other", [b"", b"ONE"])
    done = push(Store(lab), address(str(other.root)), [*KEYS, "0" * 64], bar)
    assert done.others == [KEYS[1]] and done.lost == ["0" * 64]
    assert other.peek(KEYS[1]).outputs["file"].bytes == 3
    path = Store(lab).object(Store(lab).peek(KEYS[4]).outputs["file"].sha256)
    spoil(path, b"4" * 5_000_000)
    (tmp_path / "far").mkdir()
    done = push(Store(lab), address(str(tmp_path / "far")), KEYS, bar)
    assert (done.lost, done.records) == ([KEYS[4]], 4)
    assert Store(tmp_path / "far").peek(KEYS[4]) is None


def test_a_push_mends_what_it_sees_and_refuses_a_newer_format(lab, tmp_path):
    far = filled(tmp_path / "far", CONTENTS)
    paths = [far.action(key) for key in KEYS]
    spoil(far.object(far.peek(KEYS[4]).outputs["file"].sha256), b"three")
    spoil(paths[0], b"{")
    body = unsealed(paths[1].read_bytes(), SCHEMA)
    spoil(paths[1], sealed(body, SCHEMA - 1))
    push(Store(lab), address(str(far.root)), KEYS, bar)
    assert files(far.root) == files(lab)
    spoil(paths[1], sealed(body, SCHEMA + 1))
    with pytest.raises(RemoteError, match=f"it has records of format {SCHEMA + 1}, "):
        push(Store(lab), address(str(far.root)), KEYS, bar)


def test_one_that_cannot_be_written(lab, tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far/objects").write_bytes(b"in the way")
    with pytest.raises(RemoteError, match="objects"):
        push(Store(lab), address(str(tmp_path / "far")), KEYS, bar)
    with pytest.raises(RemoteError, match="there is no such directory"):
        push(Store(lab), address(str(tmp_path / "gone")), KEYS, bar)


def test_several_who_bring_the_same(lab, tmp_path):
    said: list[str] = []
    stores = [StoreThrough(tmp_path / "mine", [str(lab)]) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda store=store: said.extend(brought(store))) for store in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [] and files(tmp_path / "mine") == files(lab)


def test_costs_and_circumstances_that_nothing_has_are_not_believed(tmp_path):
    wrong = [
        *({"cost": {"seconds": told}} for told in ("5", True, [1], None, -1.0, 1e300)),
        {"cost": {"seconds": 1.0, "peak_bytes": "many"}},
        {"cost": {}},
        *({"made": {name: ["x"]}} for name in ("job", "stage", "started", "host")),
    ]
    lab, keys = filled(tmp_path / "lab", [b"x"] * len(wrong)), [*map(key_of, range(len(wrong)))]
    for path, told in zip(map(lab.action, keys), wrong, strict=True):
        spoil(path, sealed({**unsealed(path.read_bytes(), SCHEMA), **told}, SCHEMA))
    mine, said = StoreThrough(tmp_path / "mine", [str(lab.root)]), []
    mine.bring(mine.find(keys, said.append), said.append)
    assert len(said) == 1 and "is a damaged record" in said[0] and "11 more like it" in said[0]
    assert not any(map(mine.peek, keys)) and files(mine.root) == {}


def test_what_a_record_says_is_not_told_at_length(lab, mine):
    paths = [Store(lab).action(key) for key in KEYS]
    body = unsealed(paths[1].read_bytes(), SCHEMA)
    far = "x" * 1_000_000
    wrong = {**body, "key": far}, {**body, far: 1}, {**body, "outputs": {"x": {far: 1}}}
    for path, content in zip(paths, wrong, strict=False):
        spoil(path, sealed(content, SCHEMA))
    spoil(paths[3], sealed(body, far))
    for key in KEYS[:4]:
        said: list[str] = []
        mine.find([key], said.append)
        assert len(said) == 1 and len(said[0]) < 500


def test_many_records_of_another_format_are_one_thing_to_say(lab, tmp_path):
    for key in KEYS:
        path = Store(lab).action(key)
        spoil(path, sealed(unsealed(path.read_bytes(), SCHEMA), SCHEMA + 1))
    said: list[str] = []
    for asked in (KEYS, KEYS[:1], KEYS[1:2]):
        StoreThrough(tmp_path / "mine", [str(lab)]).find(asked, said.append)
    assert set(said) == {
        f"{lab}: it has records of format {SCHEMA + 1}, and this version knows {SCHEMA}; not used"
    }


def test_what_a_push_finds_there_counts_as_used(lab, tmp_path):
    far = filled(tmp_path / "far", CONTENTS)
    alone = far.object(far.peek(KEYS[4]).outputs["file"].sha256)
    far.action(KEYS[4]).unlink()
    for name in files(far.root):
        os.utime(far.root / name, (1e9, 1e9))
    push(Store(lab), address(str(far.root)), KEYS, bar)
    assert all(path.stat().st_mtime > 1e9 for path in (alone, *map(far.action, KEYS)))
