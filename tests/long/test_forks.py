"""Jobs are forks of a process with the libraries loaded, and cannot be told from others."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.project import ROOT, START, Project, forked, listens

STATE = """\
import json, os, signal, sys
print(json.dumps({
    "argv": sys.argv, "orig_argv": sys.orig_argv, "executable": sys.executable, "path": sys.path,
    "flags": str(sys.flags), "directory": os.getcwd(), "variables": dict(os.environ),
    "group": os.getpgid(0) == os.getpgid(os.getppid()), "umask": os.umask(0o22),
    "input": sys.stdin.read(), "terminal": [os.isatty(n) for n in range(3)],
    "streams": [[s.name, s.mode, s.encoding, s.errors, s.line_buffering] for s in
                (sys.stdin, sys.stdout, sys.stderr)],
    "signals": {n: str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, 17)},
    "open": len(os.listdir("/proc/self/fd")), "name": __name__, "main": "__main__" in sys.modules,
    "parent": os.getppid(), "threads": len(os.listdir("/proc/self/task")),
}, sort_keys=True))
"""

ENDS = {
    "well": "",
    "by a number": "import sys; sys.exit(3)",
    "by a sentence": "import sys; sys.exit('a sentence')",
    "by an exception": "1 / 0",
    "by a signal": "import os; os.kill(os.getpid(), 15)",
    "by Ctrl-C": "raise KeyboardInterrupt",
    "by force": "import os; os._exit(4)",
    "after an exit hook": "import atexit; atexit.register(print, 'hook')",
}


DRAWS = {
    "Python": "import random; print(random.random())",
    "NumPy": "import numpy; print(numpy.random.random())",
    "torch": "import torch; print(torch.rand(1).item())",
}


@contextlib.contextmanager
def loaded(directory: Path, *modules: str, fits: bool = False, **variables: str) -> Iterator[tuple]:
    """A loaded process; the variables to ask it with, and itself.

    If for `fits`, it is the fork of the first one that has loaded more, and does as that does.
    """
    modules = (*modules, "--", "decimal") if fits else modules
    address = secrets.token_hex(8)
    own = {**os.environ, "PYTHONPATH": str(directory)}
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            ROOT / "workflow/ledger/run/loaded.py",
            address,
            ",".join(variables),
            *modules,
        ],
        stdin=subprocess.PIPE,
        env={**own, "OPENBLAS_NUM_THREADS": "1", **variables},
    )
    while process.poll() is None and not listens(address):
        time.sleep(0.01)
    asking = {**own, "LEDGER_LOADED": address}
    try:
        if fits:
            asking["LEDGER_FITS"] = "1"
            asks(asking, "platform")  # answered once it is there
            yield asking, psutil.Process(process.pid).children()[0]
        else:
            yield asking, process
    finally:
        process.stdin.close()
        process.wait()


def asks(environment: dict[str, str], *arguments: str, **how) -> subprocess.CompletedProcess:
    """Have a module run, as rules do it."""
    command = [*START, "-m", *arguments]
    return subprocess.run(command, env=environment, text=True, capture_output=True, **how)


@pytest.mark.parametrize("fits", [False, True])
def test_a_fork_is_as_a_process_of_its_own(tmp_path, fits):
    """Everything a program can ask of itself, but for its number, its parent, what is loaded."""
    (tmp_path / "state.py").write_text(STATE)
    asked = {"cwd": "/", "input": "said"}
    with loaded(tmp_path, "numpy", fits=fits) as (environment, process):
        forked = asks(environment, "state", "one", "two words", **asked)
        started = asks({**environment, "LEDGER_LOADED": ""}, "state", "one", "two words", **asked)
    forked, started = (json.loads(one.stdout) for one in (forked, started))
    assert (forked.pop("parent"), started.pop("parent")) == (process.pid, os.getpid())
    assert forked == started


@pytest.mark.parametrize("code", DRAWS.values(), ids=DRAWS)
def test_two_forks_draw_other_numbers_where_nobody_seeds(tmp_path, code):
    (tmp_path / "drawing.py").write_text(code)
    with loaded(tmp_path, "numpy", "torch") as (environment, _):
        asks(environment, "platform")  # so that both are forks of what has all loaded
        assert len({asks(environment, "drawing").stdout for _ in range(2)}) == 2


@pytest.mark.parametrize("fits", [False, True])
@pytest.mark.parametrize("code", ENDS.values(), ids=ENDS)
def test_a_fork_ends_as_a_process_of_its_own(tmp_path, code, fits):
    (tmp_path / "ending.py").write_text(f"print('begun')\n{code}")
    with loaded(tmp_path, "numpy", fits=fits) as (environment, _):
        forked = asks(environment, "ending")
        started = asks({**environment, "LEDGER_LOADED": ""}, "ending")
    assert (forked.returncode, forked.stdout) == (started.returncode, started.stdout)
    assert forked.stderr.splitlines()[-1:] == started.stderr.splitlines()[-1:]


PATIENT = """\
import json, os, sys, time
print(json.dumps([os.getpid(), os.getppid(), "numpy" in sys.modules]), flush=True)
time.sleep(float(sys.argv[1]))
"""


THREADED = """\
import threading, time
threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
"""


@contextlib.contextmanager
def begun(environment: dict[str, str], seconds: float) -> Iterator[tuple]:
    """A job that lasts some time: who asked for it, and itself."""
    asker = subprocess.Popen(
        [*START, "-m", "patient", str(seconds)], env=environment, stdout=-1, stderr=-1, text=True
    )
    job, *_ = json.loads(asker.stdout.readline())
    yield asker, psutil.Process(job)
    asker.communicate()


@pytest.fixture
def patient(tmp_path):
    (tmp_path / "patient.py").write_text(PATIENT)
    # With nohup, or behind a shell's `&`, they would be ignored.
    how = {signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in how.items()}
    yield tmp_path
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_job_is_a_fork_with_the_libraries(patient):
    with loaded(patient, "numpy") as (environment, process):
        for _ in range(100):  # it takes jobs while it still loads
            _, parent, has_numpy = json.loads(asks(environment, "patient", "0").stdout)
            assert parent == process.pid
            if has_numpy:
                break
        assert has_numpy


def test_real_runs_of_tests_are_forks(patient):
    """Else they would take three times as long."""
    done = asks({**forked(), "PYTHONPATH": str(patient)}, "patient", "0")
    assert json.loads(done.stdout)[1] != os.getpid()


def test_only_jobs_that_need_it_wait_for_what_takes_long_to_load(patient):
    (patient / "numpy_and_more.py").write_text(
        "import pathlib, time, numpy\nwhile not pathlib.Path(__file__).with_name('go').exists():\n"
        "    time.sleep(0.01)"
    )
    with loaded(patient, "json", "--", "numpy_and_more") as (environment, process):
        fit = {**environment, "LEDGER_FITS": "1"}
        command = [*START, "-m", "patient", "0"]
        with subprocess.Popen(command, env=fit, stdout=-1, text=True) as waiting:
            for _ in range(3):
                _, parent, has_numpy = json.loads(asks(environment, "patient", "0").stdout)
                assert parent == process.pid and not has_numpy and waiting.poll() is None
            (patient / "go").touch()
            _, parent, has_numpy = json.loads(waiting.communicate()[0])
            assert has_numpy and psutil.Process(parent).ppid() == process.pid


@pytest.mark.parametrize("module", ["no_such_library", "threaded"])
def test_what_cannot_be_loaded_for_fits_leaves_the_other_jobs_forks(patient, module):
    (patient / "threaded.py").write_text(THREADED)
    with loaded(patient, "json", "--", module) as (environment, process):
        parents = {
            name: json.loads(asks({**environment, **more}, "patient", "0").stdout)[1]
            for name, more in (("fit", {"LEDGER_FITS": "1"}), ("other", {}))
        }
    assert parents == {"fit": os.getpid(), "other": process.pid}


@pytest.mark.parametrize("case", ["variable", "thread", "nobody", "library", "python"])
def test_what_a_fork_cannot_be_is_a_process_of_its_own(patient, tmp_path, case):
    """Another variable, a second thread, a loaded process that is gone or could not load."""
    (patient / "threaded.py").write_text(THREADED)
    modules = {"thread": "threaded", "library": "no_such_library"}
    with loaded(patient, modules.get(case, "numpy")) as (environment, process):
        if case == "variable":
            environment["MALLOC_ARENA_MAX"] = "1"
        if case == "nobody":
            process.kill()
        command = list(START)
        if case == "python":
            (tmp_path / "other").mkdir()
            command[0] = str(tmp_path / "other/python")
            Path(command[0]).symlink_to(sys.executable)
        time.sleep(0.5)
        done = subprocess.run(
            [*command, "-m", "patient", "0"], env=environment, text=True, capture_output=True
        )
        assert json.loads(done.stdout)[1] == os.getpid() and not done.stderr


@pytest.mark.parametrize("fits", [False, True])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_to_who_asked_reaches_the_job(patient, number, fits):
    with loaded(patient, fits=fits) as (environment, _), begun(environment, 99) as (asker, job):
        asker.send_signal(number)
        job.wait(10)
        assert asker.wait() == -number


@pytest.mark.parametrize("fits", [False, True])
def test_ctrl_c_reaches_the_job_once(patient, fits):
    with loaded(patient, fits=fits) as (environment, _), begun(environment, 99) as (asker, job):
        asker.send_signal(signal.SIGINT)
        assert job.is_running()
        job.send_signal(signal.SIGINT)
        assert asker.wait() == -signal.SIGINT
        assert asker.stderr.read().count("KeyboardInterrupt") <= 1


@pytest.mark.parametrize("fits", [False, True])
def test_without_the_loaded_process_its_jobs_end(patient, fits):
    with (
        loaded(patient, fits=fits) as (environment, process),
        begun(environment, 99) as (asker, job),
    ):
        process.kill()
        job.wait(10)
        assert asker.wait() == 1
        assert "the process that starts jobs is gone. Run the same command" in asker.stderr.read()


def test_a_job_outlives_the_run_that_began_it(patient):
    """As a child of Snakemake does that is killed alone."""
    with loaded(patient) as (environment, process), begun(environment, 1) as (asker, _):
        process.stdin.close()
        assert asker.wait() == 0 and process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_job_is_one(patient, number):
    with loaded(patient) as (environment, _), begun(environment, 99) as (asker, job):
        job.send_signal(number)
        assert asker.wait() == -number and not asker.stderr.read()


def test_many_that_end_at_once(tmp_path):
    (tmp_path / "together.py").write_text(
        "import sys, time\ntime.sleep(max(0, float(sys.argv[1]) - time.time()))\nsys.exit(7)"
    )
    with loaded(tmp_path) as (environment, process):
        for _ in range(3):
            command = [*START, "-m", "together", str(time.time() + 2)]
            all_of_them = [subprocess.Popen(command, env=environment) for _ in range(30)]
            assert {one.wait() for one in all_of_them} == {7}
        assert process.poll() is None


@pytest.mark.parametrize(
    "before",
    [
        "exec 0<&-",
        "exec 2>&-",
        "umask 077",
        "ulimit -n 777",
        "nice -n 5",
        "unshare -u",
        "unshare -fp --mount-proc",
    ],
)
def test_what_a_job_inherits(tmp_path, before):
    """Closed streams, limits, niceness, namespaces: those of who asks, or there is no fork."""
    (tmp_path / "inherited.py").write_text(
        "import os, resource, sys\n"
        "print(os.getppid(), os.umask(0), os.nice(0), resource.getrlimit(resource.RLIMIT_NOFILE),"
        " sys.stdin is None, sys.stderr is None, os.readlink('/proc/self/ns/uts'))"
    )
    wraps = before.startswith(("nice", "unshare"))
    if before.startswith("unshare") and subprocess.run([*before.split(), "true"]).returncode:
        pytest.skip("namespaces need root")
    with loaded(tmp_path) as (environment, process):
        script = f'{before} "$@"' if wraps else f'{before}; "$@"'
        command = ["sh", "-c", script, "-", *START, "-m", "inherited"]
        asked = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE)
        alone = {**environment, "LEDGER_LOADED": ""}
        started = subprocess.run(command, env=alone, text=True, stdout=subprocess.PIPE)
    parent, *found = asked.stdout.split(maxsplit=1)
    assert found == started.stdout.split(maxsplit=1)[1:] and parent != str(process.pid)


def test_another_users_process_is_told_nothing(patient):
    """Whoever listens at the address is asked only if it is one's own."""
    if os.geteuid() != 0:
        pytest.skip("being somebody else needs root")
    listen = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
        "s.bind(chr(0) + 'taken'); s.listen(); print('listens', flush=True);"
        "print(len(s.accept()[0].recv(9)), flush=True)"
    )
    other = subprocess.Popen([sys.executable, "-c", listen], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "listens\n"
    environment = {**os.environ, "PYTHONPATH": str(patient), "LEDGER_LOADED": "taken"}
    done = asks(environment, "patient", "0")
    assert json.loads(done.stdout)[1] == os.getpid()
    assert other.communicate()[0] == "0\n"


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Project:
    """Jobs of two environments in one run; `forks.txt` tells which were forks, and of what."""
    place = tmp_path_factory.mktemp("both") / "project"
    project = Project.create(place, drift={"contrasts": [["avx2", "local"]]})
    loaded, done = project.path / "workflow/ledger/run/loaded.py", "    return arguments\n"
    text = loaded.read_text()
    assert text.count(done) == 1
    tell = (
        "    with open('forks.txt', 'a') as f:\n        print(arguments[3], os.getppid(), file=f)\n"
    )
    loaded.write_text(text.replace(done, tell + done))
    jobs = ("avx2/table", "avx2/folds", "local/folds")  # first those of the one with variables
    project.snakemake(*(f"results/{name}/manifest.json" for name in jobs), LEDGER_LOADED="")
    return project


def test_no_environment_gets_the_variables_of_another(both):
    for name, is_set in (("avx2/table", True), ("avx2/folds", True), ("local/folds", False)):
        manifest = both.json(f"results/{name}/manifest.json")
        variables = manifest["ingredients"]["environment"]["variables"]
        assert ("ONEDNN_MAX_CPU_ISA" in variables) == is_set


def test_jobs_of_every_environment_are_forks_of_its_own_process(both):
    """Those of the second environment are started as forks of the first one's, and again."""
    told = [line.split() for line in both.read("forks.txt").splitlines()]
    made = {name: [p for n, p in told if name in n] for name in ("avx2/", "local/folds")}
    assert len(made["local/folds"]) == 1
    assert set(made["avx2/"]) > set(made["local/folds"]) and len(set(made["avx2/"])) == 2
