"""Further stores on real servers: what comes through, what is refused, what a fault costs."""

import os
import threading
import time
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest

from ledger.remote.address import address
from ledger.remote.push import push
from ledger.remote.remote import RemoteError
from ledger.remote.through import StoreThrough
from tests.filled import bar, files, filled, key_of

CONTENTS = [b"", b"small", bytes(range(256)) * 50_000, *(b"%d" % n for n in range(8))]
KEYS = [key_of(number) for number in range(len(CONTENTS))]


def pushed(tmp_path, place: str):
    return push(filled(tmp_path / "mine", CONTENTS), address(place), KEYS, bar)


def through(tmp_path, *places: str):
    """A store with nothing in it, and what is warned of when all keys are looked for."""
    store, said = StoreThrough(tmp_path / "theirs", places), []
    store.bring(store.find(KEYS, said.append), said.append)
    return store, said


def test_what_is_pushed_comes_through(far, tmp_path):
    done = pushed(tmp_path, far.address)
    assert (done.records, done.objects, done.lost, done.others) == (11, 11, [], [])
    assert done.bytes == sum(map(len, CONTENTS))
    again = pushed(tmp_path, far.address)
    assert (again.records, again.objects, again.bytes) == (0, 0, 0)
    store, said = through(tmp_path, far.address)
    assert said == [] and files(store.root) == files(tmp_path / "mine")


def test_one_key_is_looked_for_when_it_is_needed(far, tmp_path):
    pushed(tmp_path, far.address)
    store = StoreThrough(tmp_path / "theirs", [far.address])
    assert store.lookup(KEYS[1]).cost == {"seconds": 1.0}
    store.place(store.peek(KEYS[1]).outputs["file"].sha256, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"small"
    assert store.lookup("0" * 64) is None and len(files(store.root)) == 2


@pytest.mark.parametrize("spoilt", [b"smalL", b"sma", b"small and more" * 1000, b""])
def test_a_damaged_object_is_passed_over(far, tmp_path, spoilt):
    pushed(tmp_path, far.address)
    mine = filled(tmp_path / "mine", CONTENTS)
    name = mine.name(mine.object(mine.peek(KEYS[1]).outputs["file"].sha256))
    far.write(name, spoilt)
    store, said = through(tmp_path, far.address)
    assert said == [f"{far.address}: {name} is not what its name says; not used"]
    assert store.peek(KEYS[1]) is None and not store.object(name[8:10] + name[11:]).exists()
    assert len(files(store.root)) == 2 * len(CONTENTS) - 2
    if len(spoilt) != 5:  # seen by its size, so whoever pushes next puts it right
        assert pushed(tmp_path, far.address).objects == 1
        assert through(tmp_path, far.address)[1] == []


def test_records_that_are_damaged_others_or_of_another_format(far, tmp_path):
    pushed(tmp_path, far.address)
    mine = filled(tmp_path / "mine", CONTENTS)
    names = [mine.name(mine.action(key)) for key in KEYS]
    far.write(names[0], far.read(names[0])[:-9])
    far.write(names[1], far.read(names[2]))
    store, said = through(tmp_path, far.address)
    assert len(said) == 1 and "(and 1 more like it); not used" in said[0]
    assert store.peek(KEYS[0]) is None and store.peek(KEYS[1]) is None
    assert pushed(tmp_path, far.address).records == 2


def test_the_line_is_cut_in_the_middle(far, line, tmp_path):
    pushed(tmp_path, far.address)
    cut = line(far.port, bytes=4_000_000)
    store, said = through(tmp_path, far.at(cut.port))
    assert len(said) == 1 and "is passed over: " in said[0]
    assert set(files(store.root).items()) <= set(files(tmp_path / "mine").items())
    had = len(files(store.root))
    store, said = through(tmp_path, far.at(far.port))
    assert said == [] and files(store.root) == files(tmp_path / "mine") and had < 22


def test_a_push_is_cut_and_goes_on(far, line, tmp_path):
    mine = filled(tmp_path / "mine", CONTENTS)
    cut = line(far.port, bytes=9_000)
    with pytest.raises(RemoteError):
        push(mine, address(far.at(cut.port)), KEYS, bar)
    pushed(tmp_path, far.at(far.port))
    assert through(tmp_path, far.at(far.port))[1] == []


def test_a_server_that_says_nothing_costs_a_bounded_wait(far, line, tmp_path, monkeypatch):
    monkeypatch.setattr("ledger.remote.through.PATIENCE", 1)
    silent = line(far.port, silent=True)
    began = time.monotonic()
    store, said = through(tmp_path, far.at(silent.port))
    assert time.monotonic() - began < 30 and len(said) == 1 and "is passed over: " in said[0]
    assert store.lookup(KEYS[0]) is None and len(said) == 1


def test_a_server_that_is_away_and_one_that_is_not(far, tmp_path):
    pushed(tmp_path, far.address)
    (tmp_path / "lab").mkdir()
    push(filled(tmp_path / "mine", CONTENTS), address(str(tmp_path / "lab")), KEYS, bar)
    nobody = far.at(1)
    store, said = through(tmp_path, nobody, str(tmp_path / "lab"))
    assert len(said) == 1 and said[0].startswith(f"{nobody} is passed over: ")
    assert files(store.root) == files(tmp_path / "mine")


def test_two_writers_of_the_same_keys(far, tmp_path):
    mine = filled(tmp_path / "mine", CONTENTS)
    wrong = []

    def write() -> None:
        try:
            push(mine, address(far.address), KEYS, bar)
        except Exception as error:
            wrong.append(error)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert wrong == []
    store, said = through(tmp_path, far.address)
    assert said == [] and files(store.root) == files(tmp_path / "mine")


def test_a_bucket_that_may_only_be_read(s3, as_user, tmp_path):
    pushed(tmp_path, s3.address)
    as_user("s3:GetObject", "s3:ListBucket")
    store, said = through(tmp_path, s3.address)
    assert said == [] and files(store.root) == files(tmp_path / "mine")
    with pytest.raises(RemoteError, match="the server says AccessDenied: "):
        push(filled(tmp_path / "mine", [*CONTENTS, b"new"]), address(s3.address), [key_of(11)], bar)


def test_a_user_who_may_do_nothing_and_one_whom_nobody_knows(s3, as_user, tmp_path, monkeypatch):
    pushed(tmp_path, s3.address)
    as_user("s3:DeleteObject")
    _, said = through(tmp_path, s3.address)
    assert len(said) == 1 and "is passed over: the server says AccessDenied: " in said[0]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    _, said = through(tmp_path, s3.address)
    assert len(said) == 1 and "is passed over: the server says InvalidAccessKeyId: " in said[0]


def test_no_such_bucket_and_no_server_of_s3(s3, tmp_path, monkeypatch):
    for place in ("s3://no-such-bucket/x", "s3://no-such-bucket"):
        store, said = through(tmp_path, place)
        assert len(said) == 1 and "NoSuchBucket: " in said[0] and files(store.root) == {}
        with pytest.raises(RemoteError, match="NoSuchBucket: "):
            pushed(tmp_path, place)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    _, said = through(tmp_path, s3.address)
    assert len(said) == 1 and "no credentials here; set AWS_ACCESS_KEY_ID" in said[0]
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
        _, said = through(tmp_path, s3.at(other.server_port))
        assert len(said) == 1 and "is passed over: " in said[0] and "404" in said[0]
        other.shutdown()


def test_hosts_and_users_that_ssh_does_not_know(ssh, sshd, tmp_path, monkeypatch):
    _, home = sshd
    known, root = home / ".ssh/known_hosts", ssh.address.partition(f":{ssh.port}")[2]
    of_another = known.read_text().partition(" ")[0]
    for text in ("", f"{of_another} {(home / '.ssh/id_ed25519.pub').read_text()}"):
        known.write_text(text)
        _, said = through(tmp_path, ssh.address)
        assert len(said) == 1 and "log in once by `ssh`" in said[0]
    ssh.at(ssh.port)
    _, said = through(tmp_path, f"ssh://nobody@127.0.0.1:{ssh.port}{root}")
    assert len(said) == 1 and "Permission denied" in said[0]
    _, said = through(tmp_path, f"{ssh.address}/gone")
    assert said == [f"{ssh.address}/gone is passed over: there is no such directory on the host"]


def test_a_directory_behind_ssh_that_may_only_be_read(ssh, tmp_path):
    """As a file is in the way of its directories, which stops root as well."""
    ssh.write("objects", b"")
    with pytest.raises(RemoteError, match=r"objects|Failure|directory"):
        pushed(tmp_path, ssh.address)


def test_what_is_fetched_by_ssh_counts_there_as_used(ssh, tmp_path):
    pushed(tmp_path, ssh.address)
    records = list((tmp_path / "far/actions").glob("*/*"))
    for record in records:
        os.utime(record, (1e9, 1e9))
    StoreThrough(tmp_path / "theirs", [ssh.address]).lookup(KEYS[1])
    assert sum(record.stat().st_mtime > 1e9 for record in records) == 1
