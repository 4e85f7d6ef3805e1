"""Raw files that change under a job, and other runs in the same directory or on the same store.

The latter is scenario 16.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.project import START, forked, jobs
from tests.words import ALL, Words
from tests.workflow.scenarios.scenario import (
    SUBMISSION,
    TINY,
    Begun,
    Scenario,
    is_sound,
)
from tests.workflow.test_gc import STORE, age, files, gc, names

FOLDS = "results/local/folds/manifest.json"
SCALED = "results/local/published/scaled/all/manifest.json"
TEACHER = "results/local/published/seed1/gen0/all/manifest.json"
LEADERBOARD = "results/leaderboard.csv"


def epochs(scenario) -> int:
    """What the teacher that lies in the results was made with."""
    return scenario.json(TEACHER)["ingredients"]["params"]["training"]["epochs"]


def moved(path, content):
    other = path.with_name("other")
    other.write_text(content)
    other.replace(path)


def overwritten(path, content):
    path.write_text(content)


def truncated(path, content):
    with path.open("r+") as stream:
        stream.truncate(len(content) // 2)


def swapped(path, content):
    """A link that leads to another file, as `ln -sfn` makes it."""
    overwritten(path.with_name("another.csv"), content)
    link = path.with_name("link")
    link.symlink_to("another.csv")
    link.replace(path)


@pytest.mark.parametrize(
    ("name", "how", "job"),
    [
        ("train.csv", moved, "local/table"),
        ("train.csv", overwritten, "local/table"),
        ("test.csv", truncated, "local/table"),
        ("truth.csv", swapped, "leaderboard"),
    ],
)
def test_a_raw_file_that_changes_while_its_job_runs(scenario, correct, name, how, job):
    """The run ends with what there was, or refuses; no later run is misled by it."""
    targets = [LEADERBOARD]
    if job == "local/table":
        scenario.forget_computing("table")
        shutil.rmtree(scenario.path / "results")
        targets = [SCALED]
    first = scenario.read(name)
    lines = first.splitlines(keepends=True)
    lines[1:] = [re.sub(r"\b[0-3](,\d+)?$", r"3\1", line) for line in lines[1:]]
    if name == "test.csv":
        lines[1:] = [line.replace("1.", "2.") for line in lines[1:]]
    other = "".join(lines)
    assert other != first
    run = Begun(scenario, *targets)
    run.until(f"RUN .*{job}")
    how(scenario.path / name, other)
    status = run.ends_with()
    assert status == 0 or f"{name}: changed while the workflow was running" in run.said()

    (scenario.path / name).unlink()
    (scenario.path / name).write_text(first)
    scenario.run(SUBMISSION, LEADERBOARD)
    correct(scenario, "leaderboard")
    correct(scenario)


@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_two_at_once_with_other_settings(tmp_path, offset):
    """Whoever ends with 0 has the result of its own configuration; the other one says so."""
    scenario = Scenario.create(tmp_path / "project", **TINY)
    runs = {}
    for number in (7, 4):
        runs[number] = Begun(scenario, TEACHER, "--config", f"training={{epochs: {number}}}")
        time.sleep(offset)
    winners = [number for number, run in runs.items() if run.ends_with() == 0]
    assert len(winners) == 1, "one of the two must give way"
    assert epochs(scenario) == winners[0]
    (loser,) = (run for number, run in runs.items() if number != winners[0])
    assert "is running this workflow" in loser.said() and "RUN " not in loser.said()


@contextlib.contextmanager
def held(scenario):
    """Meanwhile the job that reads the tables waits."""
    wait, module = scenario.path / "wait", scenario.path / "workflow/emodag/stages/ingest.py"
    waits = "import time\n\nwhile Path('wait').exists():\n    time.sleep(0.01)\n"
    module.write_text(f"{module.read_text()}\n\n{waits}")
    wait.touch()
    try:
        yield
    finally:
        wait.unlink()


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ("here", {(): True, ("-n",): False, ("--summary",): False}),
        ("on another host", {(): True, ("-n",): False}),
        ("in a container", {(): True}),
    ],
)
def test_company_with_other_settings(tmp_path, where, asked):
    """On this host, or on one with another name and its own numbers of processes.

    `asked` has the options of the company, and whether it is refused.
    """
    before = {
        "here": (),
        "on another host": ("unshare", "-u", "sh", "-c", 'hostname other && exec "$@"', "-"),
        "in a container": ("unshare", "-fp", "--mount-proc"),
    }[where]
    if before and subprocess.run([*before, "true"], capture_output=True).returncode:
        pytest.skip("namespaces need root")
    scenario = Scenario.create(tmp_path / "project", **TINY)
    with held(scenario):
        first = Begun(scenario, TEACHER, "--config", "training={epochs: 7}")
        first.until("RUN .*local/table")
        for options, is_refused in asked.items():
            other = ("--config", "training={epochs: 4}")
            second = Begun(scenario, *options, TEACHER, *other, before=before)
            assert (second.ends_with() != 0) == is_refused
            assert not is_refused or "is running this workflow" in second.said()
    assert first.ends_with() == 0 and epochs(scenario) == 7
    if where == "here":
        why = scenario.emodag("why", TEACHER, "--configfile", "small.yaml")
        assert "parameter training.epochs: 7 -> 8" in why.stdout


def test_company_where_snakemake_would_run_what_need_not(scenario):
    """Whatever its own reasons are: no file of the other run's is removed."""
    with (scenario.path / "results/.plan/lock").open("r+b") as lock:
        lock.truncate()
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = scenario.run(SUBMISSION, "--forcerun", "teacher", check=False)
        assert done.status != 0 and "is running this workflow" in done.said
        assert (scenario.path / TEACHER).exists()


def test_a_file_system_without_locks(scenario, correct):
    """A run that another one overtakes says so, instead of mixing their results."""
    code = "workflow/ledger/run/turn.py"
    scenario.edit(code, "fcntl.flock(handle, how)", "raise OSError(errno.ENOLCK, 'no locks')")
    assert scenario.run().status == 0
    first = Begun(scenario, TEACHER, "--config", "training={epochs: 300}")
    first.until("RUN .*gen0/all")
    # As another host would, which neither sees this one's processes nor waits for Snakemake's lock.
    shutil.rmtree(scenario.path / ".snakemake/locks")
    lock = scenario.path / "results/.plan/lock"
    lock.write_text(lock.read_text().replace(":", "-elsewhere:", 1))
    assert scenario.run().status == 0
    assert first.ends_with() != 0
    assert "another run of Snakemake has taken over this directory" in first.said()
    assert scenario.run().ran == set(), "Snakemake removes the files of a job that has failed"
    correct(scenario)


def test_a_run_that_ends_just_before_this_one_takes_its_turn(scenario, correct):
    """As Snakemake ends, it takes away the directory that this one has made for its locks."""
    code, begin = "workflow/ledger/run/turn.py", "try:\n        LOCK.parent.mkdir("
    scenario.edit(code, begin, f"__import__('shutil').rmtree('.snakemake/locks')\n    {begin}")
    assert scenario.run().status == 0
    correct(scenario)


def test_a_run_with_nothing_to_do_leaves_the_locks_of_others_alone(scenario):
    held = scenario.path / ".snakemake/locks/0.input.lock"
    held.parent.mkdir(exist_ok=True)
    held.write_text("somebody's\n")
    assert scenario.run().ran == set() and held.exists()
    assert [path.name for path in held.parent.iterdir()] == [held.name], "and takes it for nobody's"
    scenario.run("--unlock")
    assert not held.exists()


def test_16_three_at_once_on_one_store(finished_words, tmp_path):
    """Two of one configuration, one of another; of each three want the same keys at once."""
    store, tops = tmp_path / "store", {"a": "top=5", "b": "top=5", "c": "top=3"}
    running = {
        name: Words.create(tmp_path / name).start(
            "snakemake", "-c2", "--config", top, WORDS_STORE=str(store)
        )
        for name, top in tops.items()
    }
    for process in running.values():
        process.stderr, _ = process.communicate()
        assert process.returncode == 0 and {*jobs(process, "RUN"), *jobs(process, "HIT")} == {*ALL}
    assert is_sound(store)
    results = {name: Words(tmp_path / name / "words").results() for name in tops}
    assert results["a"] == results["b"] == finished_words.results() != results["c"]


@pytest.fixture(params=["ramfs", "ext3 (1 s)"])
def coarse(request, tmp_path):
    """A directory on a file system whose times are coarse."""
    place = tmp_path / "coarse"
    place.mkdir()
    options = ["-t", "ramfs", "ramfs"]
    if request.param != "ramfs":
        # Inodes of 128 bytes have no room for fractions of a second.
        disk = tmp_path / "disk"
        with disk.open("wb") as stream:
            stream.truncate(200 << 20)
        made = subprocess.run(["/sbin/mkfs.ext3", "-q", "-I", "128", disk], capture_output=True)
        if made.returncode:
            pytest.skip("mkfs.ext3 is not installed")
        options = ["-o", "loop", str(disk)]
    if subprocess.run(["mount", *options, place], capture_output=True).returncode:
        pytest.skip("mounting needs root")
    yield place
    subprocess.run(["umount", "--lazy", place])


def test_coarse_times(tiny, coarse, correct):
    """Files of the future, and changes one after the other within a tick of the clock."""
    shutil.copytree(tiny.path, coarse / "project")
    scenario = Scenario(coarse / "project")
    ahead = time.time() + 60
    for path in (scenario.path / "results").rglob("*"):
        os.utime(path, (ahead, ahead))
    scenario.configure(**{**TINY, "scaling": {"n_quantiles": 21}})
    assert scenario.run(TEACHER).ran == {"scaled/all", "gen0/all"}
    correct(scenario, "local/published/seed1/gen0/all")
    scenario.configure(**TINY)
    assert scenario.run().ran == set()
    correct(scenario)
    for label in ("3", "2"):
        lines = scenario.read("train.csv").splitlines()
        lines[1] = ",".join([*lines[1].split(",")[:-2], label, lines[1].split(",")[-1]])
        with (scenario.path / "train.csv").open("r+") as stream:
            stream.write("\n".join(lines) + "\n")
        assert scenario.run(FOLDS).ran == {"table", "folds"}
        correct(scenario, "local/folds")


def test_the_garbage_collector_does_not_disturb_a_running_chain(copy_of_finished, monkeypatch):
    """Collect garbage again and again while jobs compute, publish and finish."""
    project = copy_of_finished
    monkeypatch.chdir(project.path)
    for path in STORE.rglob("*"):
        age(path)
    longer = {"epochs": 10}
    project.configure(protocols=["published", "nested"], generations=2, seeds=[2], training=longer)
    target = "results/local/nested/seed2/gen1/fold0/manifest.json"
    command = [*START, "-m", "snakemake", target, "-c2", "--configfile", "small.yaml"]
    before = files()
    with Path("log").open("wb") as log:
        running = subprocess.Popen(command, env=forked(), stdout=log, stderr=log)
        seen, old = 0, {path.name for path in before}
        while running.poll() is None:
            found = gc(project, "--delete")
            seen = max(seen, found["kept"]["entries"])
            # Old results of the other configuration, whose tables are set aside, and no new ones.
            assert set(names(found)) <= old and found["failed"] == {}
    assert running.returncode == 0, Path("log").read_text()
    assert seen > 0, "the collector never met the job"
    assert project.emodag("verify").returncode == 0


def test_nothing_is_deleted_that_a_run_is_making(tmp_path):
    scenario = Scenario.create(tmp_path / "project", **TINY)
    with held(scenario):
        first = Begun(scenario, SUBMISSION)
        first.until(r"RUN .*local/table")
        for option in ("--delete-all-output", "--delete-temp-output"):
            done = scenario.run(SUBMISSION, option, check=False)
            assert done.status == 1 and "is running this workflow" in done.said
    assert first.ends_with() == 0 and (scenario.path / SUBMISSION).exists()
    scenario.run(SUBMISSION, "--delete-all-output", "-n")
    assert (scenario.path / SUBMISSION).exists()
    scenario.run(SUBMISSION, "--delete-all-output")
    assert not (scenario.path / SUBMISSION).exists()
