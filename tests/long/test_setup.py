"""Set-up on a machine that has what it needs, and what can go wrong there."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.machine import Machine, any_host, refusal, silent, wheel


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_it_completes_and_then_rests(machine):
    done = machine.set_up()
    assert done.returncode == 0, done.stdout
    assert "there is no .venv yet" in done.stdout
    assert machine.installed("pandas") == "9.9"
    assert machine.installed("torch") == "9.9+cpu"
    code = "import emodag; print(emodag.__file__)"
    python = machine.project / ".venv/bin/python"
    found = subprocess.run([python, "-c", code], env={}, capture_output=True, text=True)
    assert found.stdout.startswith(str(machine.project / "workflow"))
    again = machine.set_up()
    assert (again.returncode, again.stdout) == (0, "")


def test_a_python_that_is_too_new_and_uv_alone(machine):
    """CPython comes from a mirror then, into the project."""
    mirror = machine.offer_python()
    machine.add_python("python3", version=(3, 14, 3))
    first = machine.set_up(**mirror)
    assert first.returncode == 0, first.stdout
    assert "by uv, since no Python 3.11 or 3.12 is here (30 MB)" in first.stdout
    shutil.rmtree(machine.project / ".venv")
    shutil.rmtree(machine.project / ".tools")
    machine.without("python3")
    done = machine.set_up(**mirror)
    assert done.returncode == 0, done.stdout
    assert machine.installed("torch") == "9.9+cpu"
    (place,) = machine.project.glob(".tools/python/cpython-3.*.*-linux-*")
    assert str(place) in (machine.project / ".venv/made-from/python").read_text()
    assert machine.set_up().stdout == ""


def test_uv_alone_that_is_too_old(machine):
    """It has a Python that fetches the newer one, which fetches the one of emodag."""
    mirror = machine.offer_python()
    machine.without("python3", "uv")
    old = machine.commands / "uv"
    old.write_text(f'#!/bin/sh\n[ "$1 $2" = "python list" ] || exec {machine.uv} "$@"\n')
    old.chmod(0o755)
    done = machine.set_up(**mirror)
    assert done.returncode == 0, done.stdout
    assert (
        "which does not know CPython" in done.stdout
        and "pip from .tools/first/bin/python" in done.stdout
    )
    assert machine.installed("torch") == "9.9+cpu"


def test_without_a_home(machine):
    """Where nothing can be written to, caches are in the project."""
    mirror = machine.offer_python()
    machine.without("python3")
    done = machine.set_up(**mirror, HOME="/dev/null")
    assert done.returncode == 0, done.stdout
    assert (machine.project / ".tools/cache/uv").exists()


def test_the_uv_of_an_environment_stays(machine, tmp_path):
    own = machine.commands / "uv"
    own.unlink()
    own.write_text(f'#!/bin/sh\nexec {machine.uv} "$@"\n')
    own.chmod(0o755)
    assert machine.set_up().returncode == 0
    own.unlink()
    path = f"{machine.project}/.venv/bin:{machine.commands}"
    assert machine.set_up("dev", PATH=path).returncode == 0


def test_doctor(machine):
    """Says what is here, and leaves it so."""
    done = machine.set_up("doctor")
    assert done.returncode == 0 and not (machine.project / ".venv").exists()
    for said in (".venv: there is no .venv yet", "TORCH=cpu", "Python: ", "uv: ", "come from "):
        assert said in done.stdout
    assert machine.set_up().returncode == 0
    assert "set-up: .venv: whole\n" in machine.set_up("doctor").stdout


@pytest.mark.parametrize("way", ["fetched", "found", "gone"])
def test_what_is_made_anew_is_not_made_with_itself(machine, way):
    """Its own commands come first in PATH, as `make` has it, or an active environment."""
    mirror = {}
    if way == "fetched":
        mirror = machine.offer_python()
        machine.add_python("python3", version=(3, 14, 3))
    assert machine.set_up(**mirror).returncode == 0
    if way == "gone":
        machine.without("uv")
    machine.lock("local", (machine.project / "envs/local.lock").read_text() + "# changed\n")
    path = f"{machine.project}/.venv/bin:{machine.commands}"
    done = machine.set_up(**mirror, PATH=path)
    assert done.returncode == 0, done.stdout
    assert "was not made from this local.lock" in done.stdout
    assert machine.installed("pandas") == "9.9" and machine.set_up(PATH=path).stdout == ""


def test_the_project_is_where_it_is_whatever_it_is_called(machine, tmp_path):
    """Reached through a link, or with a CDPATH in which there is another one."""
    other = tmp_path / "others"
    shutil.copytree(machine.project, other)
    assert machine.set_up(CDPATH=str(other)).returncode == 0
    assert (machine.project / ".venv").is_dir() and not (other / ".venv").exists()
    link = tmp_path / "link"
    link.symlink_to(machine.project)
    machine.project = link
    assert machine.set_up().stdout == ""


def test_what_uv_was_set_to_for_other_projects(machine):
    """None of it is heeded."""
    settings = {
        "UV_PYTHON_PREFERENCE": "only-system",
        "UV_NO_MANAGED_PYTHON": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        **{"UV_CONSTRAINT": "absent.txt", "UV_OVERRIDE": "absent.txt"},
        "UV_EXCLUDE_NEWER": "2001-01-01",
    }
    mirror = machine.offer_python()
    machine.add_python("python3", version=(3, 14, 3))
    done = machine.set_up(**mirror, **settings)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "wrong, sentence",
    [("hash", "it is not what its hash says"), ("silent", "no network"), ("gone", "no network")],
)
def test_a_mirror_that_is_of_no_use(machine, wrong, sentence):
    variables = machine.offer_python()
    machine.without("python3")
    told = Path(variables["UV_PYTHON_DOWNLOADS_JSON_URL"])
    (entry,) = json.loads(told.read_text()).items()
    with silent() as address:
        entry[1]["sha256" if wrong == "hash" else "url"] = {
            "hash": "0" * 64,
            "silent": f"{address}/cpython.tar.gz",
            "gone": "file:///nowhere.tar.gz",
        }[wrong]
        told.write_text(json.dumps(dict([entry])))
        done = machine.set_up(**variables, UV_HTTP_TIMEOUT="1")
    assert "could not be fetched: " in refusal(done) and sentence in done.stdout
    assert not (machine.project / ".venv").exists()


def test_what_cannot_be_done_without(machine):
    variables = machine.offer_python()
    Path(variables["UV_PYTHON_DOWNLOADS_JSON_URL"]).write_text("{}")
    machine.add_python("python3", absent=("pip", "ensurepip"))
    said = refusal(machine.set_up(**variables))
    assert "has neither pip nor ensurepip: install one" in said
    machine.without("python3")
    assert "a Python could not be fetched: " in refusal(machine.set_up(**variables))
    machine.without("uv")
    assert "neither a python3 of 3.9 or newer nor uv was found" in refusal(machine.set_up())
    assert not (machine.project / ".venv").exists()


def test_layers_are_added_and_stay(machine):
    assert machine.set_up().returncode == 0
    done = machine.set_up("dev")
    assert (done.returncode, "torch" in done.stdout) == (0, False), done.stdout
    assert machine.installed("pytest") == "8.8"
    assert machine.set_up().stdout == machine.set_up("dev").stdout == ""
    machine.lock("dev", wheel(machine.main, "pytest", "8.10"))
    assert machine.set_up("dev").returncode == 0
    assert machine.installed("pytest") == "8.10"


def test_a_changed_lock_has_it_made_anew(machine):
    assert machine.set_up("dev").returncode == 0
    machine.lock("local", wheel(machine.main, "pandas", "9.10"))
    done = machine.set_up("dev")
    assert "was not made from this local.lock" in done.stdout
    assert (machine.installed("pandas"), machine.installed("pytest")) == ("9.10", "8.8")


def test_what_cannot_be_fetched_leaves_what_is_there(machine):
    """A layer, then a changed lock, while there is no index: what is whole for a lock stays so."""
    assert machine.set_up().returncode == 0
    away = machine.main.rename(machine.main.with_name("away"))
    machine.main.mkdir()
    assert "envs/dev.lock cannot be installed" in refusal(machine.set_up("dev"))
    assert (machine.set_up().stdout, machine.installed("pandas")) == ("", "9.9")
    lock = machine.project / "envs/local.lock"
    right = lock.read_text()
    machine.lock("local", wheel(away, "pandas", "9.10"))
    said = refusal(machine.set_up())
    assert "do not have all that is pinned" in said and "The .venv stays as it was, whole" in said
    assert "leave TORCH as it was" in refusal(machine.set_up(TORCH="cuda"))
    for kept in machine.project.glob(".venv/made-from/*.lock"):
        shutil.copy(kept, lock.parent)
    assert lock.read_text() == right
    assert (machine.set_up().stdout, machine.installed("pandas")) == ("", "9.9")
    machine.main.rmdir()
    away.rename(machine.main)
    assert "there is no" not in machine.set_up("dev").stdout
    assert machine.installed("pytest") == "8.8"
    assert [*machine.project.glob(".tools/*")] == [machine.project / ".tools/lock"]


def test_a_layer_that_is_broken_off(machine):
    """Does not count, nor what was added before it; what lies beneath it does."""
    assert machine.set_up("dev").returncode == 0
    real = machine.commands / "uv"
    real.unlink()
    half = f'case "$*" in *dev*|*constraints*) {{ {machine.uv} "$@"; kill -9 $PPID; }} ;; esac'
    real.write_text(f'#!/bin/sh\n{half}\nexec {machine.uv} "$@"\n')
    real.chmod(0o755)
    right = (machine.project / "envs/dev.lock").read_text()
    machine.lock("dev", wheel(machine.main, "pytest", "8.10"))
    assert machine.set_up("dev").returncode != 0
    assert machine.installed("pytest") == "8.10"
    assert machine.set_up().stdout == ""
    real.unlink()
    real.symlink_to(machine.uv)
    machine.lock("dev", right)
    assert "adding a layer to the .venv here was broken off" in machine.set_up("dev").stdout
    assert (machine.installed("pytest"), machine.set_up("dev").stdout) == ("8.8", "")


def test_a_layer_changes_nothing_beneath_it(machine):
    assert machine.set_up().returncode == 0
    machine.lock("dev", wheel(machine.main, "pandas", "9.10"))
    assert "do not have all that is pinned" in refusal(machine.set_up("dev"))
    assert (machine.set_up().stdout, machine.installed("pandas")) == ("", "9.9")


def test_torch_with_cuda_where_it_is_asked_for(machine):
    assert machine.set_up(TORCH="cuda").returncode == 0
    assert machine.installed("torch") == "9.9"
    assert "was made with another TORCH than cpu" in machine.set_up().stdout
    assert "expected cpu or cuda" in refusal(machine.set_up(TORCH="rocm"))


def test_indexes_of_pip_are_asked_and_named_without_passwords(machine, tmp_path):
    """In pip's own file and by a variable; the indexes are real ones over HTTP."""
    with served(tmp_path) as address:
        pages(machine)
        conf = tmp_path / "pip.conf"
        conf.write_text(f"[install]\nextra-index-url = {address('more')}\n")
        del machine.variables["PIP_NO_INDEX"], machine.variables["PIP_FIND_LINKS"]
        main = address("main").replace("//", "//me:secret@")
        done = machine.set_up(PIP_CONFIG_FILE=str(conf), PIP_INDEX_URL=main)
        assert done.returncode == 0, done.stdout
        assert machine.installed("torch") == "9.9+cpu"
        assert "secret" not in done.stdout and address("main") in done.stdout


def test_an_index_of_uv_is_asked(machine):
    links = machine.variables.pop("PIP_FIND_LINKS")
    done = machine.set_up(UV_FIND_LINKS=links.replace(" ", ","))
    assert done.returncode == 0, done.stdout


def test_the_build_of_the_main_index_where_pytorchs_own_does_not_answer(machine):
    """It is asked through a proxy that accepts connections and never answers."""
    machine.variables["PIP_FIND_LINKS"] = str(machine.main)
    del machine.variables["PIP_NO_INDEX"]
    with silent() as address:
        done = machine.set_up(
            ALL_PROXY=address, UV_HTTP_TIMEOUT="1", UV_DEFAULT_INDEX=machine.main.as_uri()
        )
    assert done.returncode == 0, done.stdout
    assert "PyTorch's own does not answer, so the build with CUDA it is" in done.stdout
    assert machine.installed("torch") == "9.9"
    assert machine.set_up().stdout == "", "what was asked for is there"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")
@pytest.mark.parametrize("has", ["it", "nothing", "its metadata"])
def test_pytorchs_own_index(machine, tmp_path, has):
    """A proxy answers in its place: with the build without CUDA, or without it or its file."""
    machine.variables["PIP_FIND_LINKS"] = str(machine.main)
    del machine.variables["PIP_NO_INDEX"]
    (machine.more / "torch").mkdir()
    (path,) = machine.more.glob("torch-*.whl")
    if has == "it":
        path.rename(machine.more / "torch" / path.name)
    elif has == "its metadata":
        with zipfile.ZipFile(path) as wheel:
            metadata = wheel.read("torch-9.9+cpu.dist-info/METADATA")
        (machine.more / f"torch/{path.name}.metadata").write_bytes(metadata)
        told = f'data-core-metadata="sha256={hashlib.sha256(metadata).hexdigest()}"'
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        link = f'<a href="{path.name.replace("+", "%2B")}#sha256={digest}" {told}>{path.name}</a>'
        (machine.more / "torch/index.html").write_text(link)
        path.unlink()
    with any_host(machine.more, tmp_path / "certificates") as variables:
        done = machine.set_up(**variables, UV_DEFAULT_INDEX=machine.main.as_uri())
    assert done.returncode == 0, done.stdout
    assert ("torch without CUDA: from PyTorch's own index (200 MB)" in done.stdout) is (
        has != "nothing"
    )
    assert machine.installed("torch") == ("9.9+cpu" if has == "it" else "9.9")
    why = {"it": "", "nothing": "does not have it", "its metadata": "does not answer"}[has]
    assert not why or f"PyTorch's own {why}, so the build with CUDA" in done.stdout


def test_no_network(machine):
    del machine.variables["PIP_NO_INDEX"], machine.variables["PIP_FIND_LINKS"]
    with silent() as address:
        host = address.removeprefix("http://")
        done = machine.set_up(PIP_INDEX_URL=f"{address}/simple", UV_HTTP_TIMEOUT="1")
    assert "no answer. Check the network" in refusal(done) and host in done.stdout
    nothing_is_taken_for_whole(machine)


def test_a_package_that_no_index_has(machine):
    machine.lock("local", "scipy==7.7 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    assert "the indexes in use do not have all that is pinned" in refusal(machine.set_up())
    nothing_is_taken_for_whole(machine)


@pytest.mark.parametrize(
    ("lock", "wrong"),
    [
        *(("local", "another hash"), ("local.torch-cpu", "another hash")),
        *(("dev", "another hash"), ("local", "no hash")),
    ],
)
def test_a_wrong_lock(machine, lock, wrong):
    path = machine.project / f"envs/{lock}.lock"
    right = path.read_text()
    digits = right.rpartition(":")[2].strip()
    path.write_text(
        right.replace(digits, "0" * 64)
        if wrong == "another hash"
        else right.replace(f" \\\n    --hash=sha256:{digits}", "")
    )
    assert "a hash in the lock is missing, or is not that of the file" in refusal(
        machine.set_up("dev")
    )
    path.write_text(right)
    if lock == "dev":
        assert machine.set_up().stdout == "", "what lies beneath it is whole"
        assert machine.set_up("dev").returncode == 0 and machine.installed("pytest") == "8.8"
    else:
        nothing_is_taken_for_whole(machine)


def test_a_damaged_lock_and_a_missing_one(machine):
    lock = machine.project / "envs/local.lock"
    lock.write_text(f"<<<<<<< HEAD\n{lock.read_text()}=======\n>>>>>>> theirs\n")
    assert "a lock is damaged" in refusal(machine.set_up())
    lock.unlink()
    assert "envs/local.lock is missing" in refusal(machine.set_up())


@pytest.mark.parametrize(
    ("lock", "left"),
    [
        *(("local", b""), ("local.torch-cpu", b"# a comment\n")),
        *(("dev", b"\xff\xfe\x00"), ("local", "cut")),
    ],
)
def test_a_lock_that_is_empty_or_cut(machine, lock, left):
    """As after a full disk or a download broken off."""
    path = machine.project / f"envs/{lock}.lock"
    right = path.read_bytes()
    path.write_bytes(right[:-9] if left == "cut" else left)
    assert "a lock is damaged" in refusal(machine.set_up("dev"))
    path.write_bytes(right)
    assert machine.set_up("dev").returncode == 0
    assert (machine.installed("torch"), machine.installed("pytest")) == ("9.9+cpu", "8.8")


def test_a_directory_of_wheels_that_is_not_there(machine):
    said = refusal(machine.set_up(PIP_FIND_LINKS=str(machine.main / "absent")))
    assert "a directory that pip or uv is configured for is not there" in said


def test_a_uv_that_fails_is_said_to(machine):
    done = machine.set_up("doctor", UV_CACHE_DIR="/dev/null")
    assert "which does not know CPython" in done.stdout and "/dev/null" in done.stdout
    assert "uv's cache cannot be where it is set to be" in refusal(
        machine.set_up(UV_CACHE_DIR="/dev/null")
    )


def test_a_uv_toml_that_wants_another_uv(machine, tmp_path):
    (tmp_path / ".config/uv").mkdir(parents=True)
    (tmp_path / ".config/uv/uv.toml").write_text('required-version = "<0.5"\n')
    assert "uv.toml wants another version of uv" in refusal(machine.set_up())


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize("left", [0, 16, 60])
def test_a_full_disk(tmp_path, left):
    """With some kB left: for nothing, for the beginning of an environment, for some of it."""
    disk = tmp_path / "project"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=99M", "none", disk], check=True)
    try:
        machine = Machine(tmp_path)
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        os.truncate(ballast, ballast.stat().st_size - 1024 * left)
        assert "the disk is full" in refusal(machine.set_up())
        ballast.unlink()
        nothing_is_taken_for_whole(machine)
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_project_that_cannot_be_written_to(machine):
    bind = ["mount", "-o", "bind,ro", machine.project, machine.project]
    subprocess.run(bind, check=True)
    try:
        assert "cannot be written to" in refusal(machine.set_up())
    finally:
        subprocess.run(["umount", machine.project], check=True)


@pytest.mark.parametrize("name", ["it's a space", "an $HOME & more", "prüfung"])
def test_any_name_of_the_project(tmp_path, name):
    machine = Machine(tmp_path, name)
    done = machine.set_up("dev")
    assert done.returncode == 0, done.stdout
    assert machine.installed("pytest") == "8.8"
    assert machine.set_up("dev").stdout == ""


def test_a_moved_project_and_a_copied_one(machine, tmp_path):
    assert machine.set_up().returncode == 0
    shutil.copytree(machine.project, tmp_path / "copy", symlinks=True)
    moved = machine.project.rename(tmp_path / "moved")
    for place in (tmp_path / "copy", moved):
        machine.project = place
        assert f"was made for {tmp_path}/project" in machine.set_up().stdout
        assert machine.set_up().stdout == ""


def test_a_link_to_the_environment_of_another_project_is_replaced_alone(machine, tmp_path):
    assert machine.set_up().returncode == 0
    theirs = tmp_path / "theirs"
    (machine.project / ".venv").rename(theirs)
    (machine.project / ".venv").symlink_to(theirs)
    (theirs / "made-from/place").write_text("/their/project\n")
    assert "was made for /their/project" in machine.set_up().stdout
    assert (theirs / "bin/python").exists()
    assert machine.installed("pandas") == "9.9"


@pytest.mark.parametrize("kind", ["directory", "file", "link to nothing"])
def test_what_something_else_made_is_replaced(machine, tmp_path, kind):
    venv = machine.project / ".venv"
    if kind == "directory":
        (venv / "bin").mkdir(parents=True)
        (venv / "bin/python").symlink_to("/nowhere")
    elif kind == "file":
        venv.write_text("elsewhere\n")
    else:
        venv.symlink_to("/nowhere")
    assert "left unfinished, or made by something else" in machine.set_up().stdout
    assert machine.installed("pandas") == "9.9"


def test_another_python(machine):
    assert machine.set_up().returncode == 0
    (machine.project / ".venv/made-from/python").write_text("3.11.0 (gone) /gone\n")
    assert "the Python that .venv was made with is gone or changed" in machine.set_up().stdout
    assert machine.set_up(PYTHON=str(machine.commands / "python3")).stdout == ""
    machine.add_python("python3.14", version=(3, 14, 3))
    assert "path of a CPython 3.11 or 3.12" in refusal(machine.set_up(PYTHON="python3.14"))
    assert "path of a CPython 3.11 or 3.12" in refusal(machine.set_up(PYTHON="python3.99"))
    assert machine.set_up().stdout == "", "nothing was taken away"


def test_killed_anywhere(machine):
    """The whole group at once, as a terminal or a power failure does, ever later."""
    for wait in (0.1, 0.3, 0.6, 1.0):
        process = machine.start()
        time.sleep(wait)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    done = machine.set_up()
    assert done.returncode == 0, done.stdout
    assert machine.installed("pandas") == "9.9" and machine.set_up().stdout == ""


@pytest.mark.parametrize("lacks", ["nothing", "flock", "flock and perl"])
def test_two_at_once(machine, lacks):
    """Perl or Python locks where there is no flock, as on macOS."""
    if lacks != "nothing":
        machine.without("flock")
    if lacks == "flock":
        (machine.commands / "perl").symlink_to(shutil.which("perl"))
    both = [machine.start(), machine.start()]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted("another set-up is at work" in text for text in said) == [False, True]
    assert machine.installed("pandas") == "9.9"


def nothing_is_taken_for_whole(machine):
    """With what was missing given back, the next one starts anew and ends well."""
    machine.variables |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"{machine.main} {machine.more}"}
    machine.lock("local", wheel(machine.main, "pandas", "9.9"))
    done = machine.set_up("dev")
    assert done.returncode == 0, done.stdout
    assert "there is no .venv yet" in done.stdout
    assert machine.installed("pandas") == "9.9"


def pages(machine):
    """Make indexes of the directories of wheels."""
    for folder in (machine.main, machine.more):
        for path in [*folder.glob("*.whl")]:
            (folder / path.name.partition("-")[0]).mkdir(exist_ok=True)
            shutil.move(path, folder / path.name.partition("-")[0])


@contextlib.contextmanager
def served(folder):
    """Serve a directory; gives its directories' addresses."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield lambda name: f"http://127.0.0.1:{server.server_port}/{name}"
    server.shutdown()
