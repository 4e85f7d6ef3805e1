"""Further stores on real servers: what comes through, what is refused, what a fault costs."""

import contextlib
import os
import shutil
import stat
import threading
import time
import urllib.request
from http.server import (
    BaseHTTPRequestHandler,
    HTTPServer,
    SimpleHTTPRequestHandler,
    ThreadingHTTPServer,
)

import pytest

from ledger.remote.address import address
from ledger.remote.push import push
from ledger.remote.remote import RemoteError, connect
from ledger.remote.through import StoreThrough
from ledger.store.store import Store
from tests.filled import bar, files, filled, key_of
from tests.unit.obstacles import OBSTACLES

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


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_ENDPOINT_URL", "127.0.0.1:9", "AWS_ENDPOINT_URL is '127.0.0.1:9'; expected https://"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9 ", "AWS_ENDPOINT_URL_S3 is 'http://"),
        ("AWS_SECRET_ACCESS_KEY", "mine\n", "AWS_SECRET_ACCESS_KEY holds a line break"),
        ("AWS_REGION", "us\teast", "AWS_REGION holds a line break or the like"),
    ],
)
def test_wrong_settings_of_s3_are_one_warning(s3, tmp_path, monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    assert said in "".join(found := through(tmp_path, s3.address)[1]) and len(found) == 1


def test_what_obstore_panics_of_is_one_warning(s3, tmp_path, monkeypatch):
    monkeypatch.setattr("ledger.remote.remote._endpoints", list)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:9")
    _, said = through(tmp_path, s3.address)
    assert len(said) == 1 and "is passed over: obstore has failed: " in said[0]


@pytest.mark.parametrize("name", ["AWS_ENDPOINT", "AWS_ENDPOINT_URL_S3"])
def test_other_names_for_where_the_server_is(s3, tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, os.environ["AWS_ENDPOINT_URL"].upper())
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert through(tmp_path, s3.address)[1] == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config", b"Match localnetwork 10.0.0.0/8\n User me\n"),
        ("config", b"Port abc\n"),
        ("config", b"Host \xff\xfe\n"),
        ("config", b"IdentityFile ~/.ssh/known_hosts\n"),
        ("known_hosts", b"@nothing * ssh-ed25519 AAAA\n"),
    ],
)
def test_wrong_settings_of_ssh_are_one_warning(ssh, sshd, tmp_path, monkeypatch, file, text):
    home = tmp_path / "home"
    shutil.copytree(sshd[1] / ".ssh", home / ".ssh")
    (home / ".ssh" / file).write_bytes(text)
    monkeypatch.setenv("HOME", str(home))
    _, said = through(tmp_path, ssh.address)
    assert len(said) == 1 and "is passed over: " in said[0]


class Drip(BaseHTTPRequestHandler):
    """Answers with a byte now and then."""

    def do_GET(self) -> None:
        self.send_response(200)
        for name, value in {
            "Content-Length": "100000",
            "ETag": '"a"',
            "Last-Modified": "Wed, 01 Jan 2020 00:00:00 GMT",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b" ")
                time.sleep(0.2)


def test_one_file_that_is_denied_is_told_and_the_others_are_used(s3, tmp_path):
    """The server of S3, but for one record, which it answers 403 for."""
    pushed(tmp_path, s3.address)

    class Denies(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url, headers = f"http://127.0.0.1:{s3.port}{self.path}", dict(self.headers)
            asked = urllib.request.Request(url, headers=headers, method=self.command)
            try:
                if KEYS[1][2:] in self.path:
                    status, headers, content = 403, {}, b"<Error><Code>AccessDenied</Code></Error>"
                else:
                    with urllib.request.urlopen(asked, timeout=60) as answer:
                        status, headers, content = 200, dict(answer.headers), answer.read()
            except urllib.error.HTTPError as error:
                status, headers, content = error.code, dict(error.headers), error.read()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if not headers:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_HEAD = do_GET

    with ThreadingHTTPServer(("127.0.0.1", 0), Denies) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        store, said = through(tmp_path, s3.at(server.server_port))
        server.shutdown()
    assert len(said) == 1 and "AccessDenied" in said[0] and said[0].endswith("; not used")
    assert [key for key in KEYS if not store.peek(key)] == [KEYS[1]]


def test_a_server_that_drips_costs_a_bounded_wait(s3, tmp_path, monkeypatch):
    monkeypatch.setattr("ledger.remote.through.PATIENCE", 1)
    with ThreadingHTTPServer(("127.0.0.1", 0), Drip) as drip:
        threading.Thread(target=drip.serve_forever, daemon=True).start()
        drip.daemon_threads = True
        _, said = through(tmp_path, s3.at(drip.server_port))
        assert len(said) == 1 and "it sends less than 1,000 bytes a second" in said[0]
        drip.shutdown()


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


@pytest.mark.parametrize("obstruct", OBSTACLES)
def test_behind_ssh_what_is_no_file_is_passed_over_and_nothing_else(ssh, tmp_path, obstruct):
    pushed(tmp_path, ssh.address)
    far = Store(tmp_path / "far")
    for path in (far.action(KEYS[1]), far.object(far.peek(KEYS[3]).outputs["file"].sha256)):
        path.unlink()
        obstruct(path)
    store, _ = through(tmp_path, ssh.address)
    assert [key for key in KEYS if not store.peek(key)] == [KEYS[1], KEYS[3]]


def test_whoever_may_write_the_root_may_write_what_a_push_by_ssh_has_made(ssh, tmp_path):
    (tmp_path / "far").chmod(0o2770)
    pushed(tmp_path, ssh.address)
    made = [path for path in (tmp_path / "far").rglob("*") if path.is_dir()]
    assert made and {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o2770}


def test_what_another_user_has_put_there_by_ssh_counts_as_used_too(ssh, tmp_path, monkeypatch):
    """Only its owner may set a file's time, so it is put there anew."""
    import asyncssh

    async def utime(*_):
        raise asyncssh.SFTPPermissionDenied("Permission denied")

    pushed(tmp_path, ssh.address)
    record = Store(tmp_path / "far").action(KEYS[1])
    os.utime(record, (1e9, 1e9))
    before = record.read_bytes()
    remote = connect(address(ssh.address), 10)
    monkeypatch.setattr(remote._sftp, "utime", utime)
    remote.use(f"actions/{KEYS[1][:2]}/{KEYS[1][2:]}.json")
    assert record.read_bytes() == before and record.stat().st_mtime > 1e9
