"""uv itself, fetched by a pip from wherever there is one: `make test-setup`."""

import shutil
import time

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
    sentence = "it is not what its hash says" if wrong == "hash" else "no network, or"
    assert "uv could not be fetched: " in refusal(done) and sentence in done.stdout
    assert time.monotonic() - started < 60
    assert not (machine.project / ".tools/uv").exists()
