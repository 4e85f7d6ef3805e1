"""uv itself, fetched by a pip from wherever there is one: `make test-setup`."""

import os
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.machine import Machine, refusal, silent


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    machine.without("uv")
    return machine


@pytest.mark.parametrize("absent", [(), ("pip",), ("pip", "ensurepip")])
def test_uv_by_pip(machine, absent):
    """By the Python's own; by the one that it brings along; by Debian's package of it."""
    if "ensurepip" in absent:
        if shutil.which("apt-get") is None:
            pytest.skip("pip comes from Debian's package then")
        for command in ("apt-get", "dpkg-deb"):
            (machine.commands / command).symlink_to(shutil.which(command))
    machine.add_python("python3", absent=absent)
    done = machine.set_up()
    assert done.returncode == 0, done.stdout
    assert "by pip (17 MB)" in done.stdout
    assert (machine.project / ".tools/uv/bin/uv").exists()
    assert machine.installed("pandas") == "9.9"
    shutil.rmtree(machine.project / ".venv")
    assert "by pip" not in machine.set_up().stdout, "it is there"


@pytest.mark.parametrize("wrong", ["hash", "silent"])
def test_a_uv_that_cannot_be_fetched(machine, wrong):
    lock = machine.project / "envs/uv.lock"
    with silent() as address:
        if wrong == "hash":
            lock.write_text(lock.read_text().rpartition(":")[0] + ":" + "0" * 64 + "\n")
        else:
            del machine.variables["PIP_NO_INDEX"], machine.variables["PIP_FIND_LINKS"]
        started = time.monotonic()
        done = machine.set_up(PIP_INDEX_URL=f"{address}/simple")
    sentence = "it is not what its hash says" if wrong == "hash" else "no network, a missing or"
    assert "uv could not be fetched: " in refusal(done) and sentence in done.stdout
    assert time.monotonic() - started < 60
    assert not (machine.project / ".tools/uv").exists()


@pytest.mark.parametrize("left", ["", "<<<<<<< HEAD\n"])
def test_a_damaged_lock(machine, left):
    machine.lock("uv", left)
    assert "damaged: take it as it was published" in refusal(machine.set_up())
    assert not (machine.project / ".tools/uv").exists()


def test_variables_that_would_have_pip_do_something_else(machine, tmp_path):
    elsewhere = {name: str(tmp_path / "elsewhere") for name in ("PIP_PREFIX", "PIP_ROOT")}
    done = machine.set_up(**elsewhere, PIP_CONSTRAINT="/absent.txt", PIP_DRY_RUN="1")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("given", ["", "me:wrong@"])
def test_an_index_that_wants_a_password(machine, given):
    """Nobody is asked for it, though there is a terminal."""

    class Index(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    del machine.variables["PIP_NO_INDEX"], machine.variables["PIP_FIND_LINKS"]
    terminal, end = os.openpty()
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{given}127.0.0.1:{server.server_port}/simple"
        machine.variables["PIP_INDEX_URL"] = address
        done = subprocess.run(
            ["sh", "envs/setup.sh"],
            cwd=machine.project,
            env=machine.variables,
            stdin=end,
            capture_output=True,
            text=True,
            timeout=100,
        )
        server.shutdown()
    os.close(terminal), os.close(end)
    assert done.returncode == 1
    assert "a missing or wrong password" in done.stderr and "me:wrong" not in done.stderr
