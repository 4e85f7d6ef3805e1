"""Servers that speak as S3 does and as SSH does, for one session each, and a line that breaks."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

from tests.project import ROOT

MOTO = ROOT / ".tools/remote-test/bin/python"
"""Where `make test-remote` installs the server, whose packages ours could not stand beside."""

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")

POLICY = """\
import boto3, json, sys
url, bucket, *actions = sys.argv[1:]
iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1")
name = f"{bucket}-{len(actions)}"
iam.create_user(UserName=name)
places = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
allowed = {"Effect": "Allow", "Action": actions, "Resource": places}
document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
key = iam.create_access_key(UserName=name)["AccessKey"]
print(key["AccessKeyId"], key["SecretAccessKey"])
"""
"""Makes a user of the server of S3 who may do some things with a bucket; prints the user's keys."""

SSHD_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {home}/host
PidFile {home}/pid
AuthorizedKeysFile {home}/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp
"""


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Wait until a server listens."""
    for _ in range(600):
        assert process.poll() is None, "the server has ended"
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not listen")


@dataclass(frozen=True)
class Server:
    """One further store, empty at first.

    Attributes
    ----------
    address : how to name it in a configuration.
    port : where its server listens.
    variables : what the environment of who speaks with it says.
    at : its address behind another port.
    write, read : put a file there, and look at it, behind the store's back.
    """

    address: str
    port: int
    variables: dict[str, str]
    at: Callable[[int], str]
    write: Callable[[str, bytes], None]
    read: Callable[[str], bytes]


@pytest.fixture(scope="session")
def moto(tmp_path_factory) -> Iterator[tuple[int, Path]]:
    """The port of a server of S3, and its log with a line for each request."""
    if not MOTO.exists() or not find_spec("obstore"):
        pytest.skip("needs what `make test-remote` installs")
    port, log = free_port(), tmp_path_factory.mktemp("moto") / "log"
    command = [MOTO, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    wait_for(port, process)
    yield port, log
    process.kill()
    process.wait()


BUCKETS = count()


@pytest.fixture
def s3(moto, monkeypatch) -> Server:
    """A bucket of its own."""
    port, _ = moto
    bucket = f"lab{next(BUCKETS)}"
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "mine",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def ask(method: str, name: str = "", content: bytes | None = None) -> bytes:
        url = f"http://127.0.0.1:{port}/{bucket}{name}"
        # Whoever names somebody is believed.
        who = {"Authorization": "AWS4-HMAC-SHA256 Credential=me/20200101/us-east-1/s3/aws4_request"}
        asked = urllib.request.Request(url, content, who, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.read()

    def at(port: int) -> str:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        return f"s3://{bucket}/pre/fix"

    ask("PUT")
    return Server(
        f"s3://{bucket}/pre/fix",
        port,
        variables,
        at,
        lambda name, content: ask("PUT", f"/pre/fix/{name}", content) and None,
        lambda name: ask("GET", f"/pre/fix/{name}"),
    )


@pytest.fixture
def as_user(s3, monkeypatch) -> Iterator[Callable[..., None]]:
    """Has one be a user who may do just some things, to which the server sees until the end."""

    def check(first: str) -> None:
        url = f"http://127.0.0.1:{s3.port}/moto-api/reset-auth"
        plain = {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(url, first.encode(), plain, method="POST"))

    def be(*actions: str) -> None:
        url, bucket = s3.variables["AWS_ENDPOINT_URL"], s3.address.split("/")[2]
        made = subprocess.run(
            [MOTO, "-c", POLICY, url, bucket, *actions],
            env={**os.environ, **s3.variables},
            text=True,
            capture_output=True,
            check=True,
        )
        key, secret = made.stdout.split()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        check("0")

    yield be
    check("inf")


@pytest.fixture(scope="session")
def sshd(tmp_path_factory) -> Iterator[tuple[int, Path]]:
    """The port of a server of SSH, and a home with a key that it lets in."""
    if not SSHD or not find_spec("asyncssh"):
        pytest.skip("needs openssh-server, and what `make test-remote` installs")
    home, port = tmp_path_factory.mktemp("sshd"), free_port()
    (home / ".ssh").mkdir(mode=0o700)
    for key in ("host", ".ssh/id_ed25519"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / key]
        subprocess.run(command, check=True)
    shutil.copy(home / ".ssh/id_ed25519.pub", home / "authorized")
    (home / "config").write_text(SSHD_CONFIG.format(port=port, home=home))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([SSHD, "-D", "-f", home / "config", "-E", home / "log"])
    wait_for(port, process)
    yield port, home
    process.terminate()
    process.wait()


@pytest.fixture
def ssh(sshd, tmp_path, monkeypatch) -> Server:
    """A directory of its own behind SSH."""
    port, home = sshd
    root = tmp_path / "far"
    root.mkdir()
    monkeypatch.setenv("HOME", str(home))

    def at(port: int) -> str:
        host = (home / "host.pub").read_text()
        (home / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{port} {host}")
        return f"ssh://127.0.0.1:{port}{root}"

    def write(name: str, content: bytes) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).unlink(missing_ok=True)
        (root / name).write_bytes(content)

    return Server(
        at(port), port, {"HOME": str(home)}, at, write, lambda name: (root / name).read_bytes()
    )


@pytest.fixture(params=["s3", "ssh"])
def far(request) -> Server:
    """Each kind of server in turn."""
    return request.getfixturevalue(request.param)


class Line:
    """Passes on what is said to a server and what it answers, until it is to break.

    Parameters
    ----------
    bytes : after how many of the server's bytes it is cut, and takes no more calls.
    silent : whether it takes calls and never says anything.
    """

    def __init__(self, port: int, *, bytes: int | None = None, silent: bool = False) -> None:
        self._to, self._left, self._silent = port, bytes, silent
        self._open: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        for one in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(caller)
            if not self._silent:
                server = socket.create_connection(("127.0.0.1", self._to))
                self._open.append(server)
                for pair in ((caller, server, False), (server, caller, True)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        try:
            while said := source.recv(4096):
                if counts and self._left is not None:
                    self._left -= len(said)
                    if self._left < 0:
                        return self.close()
                sink.sendall(said)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.fixture
def line() -> Iterator[Callable[..., Line]]:
    """Makes lines, and takes them down at the end."""
    made: list[Line] = []

    def make(port: int, **how) -> Line:
        made.append(Line(port, **how))
        return made[-1]

    yield make
    for one in made:
        one.close()


def requests(log: Path) -> dict[str, int]:
    """How many requests of each kind a server of S3 has had."""
    found = re.findall(r'"(GET|PUT|HEAD|POST|DELETE) ', log.read_text())
    return {kind: found.count(kind) for kind in sorted(set(found))}
