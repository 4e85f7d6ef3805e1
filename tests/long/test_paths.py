"""Every path works or is refused at once, by name."""

import os
import shutil
import subprocess
import sys

import pytest

from ledger.environments.venv import BUILT, directory
from tests.machine import wheel
from tests.project import START, Project, forked, jobs
from tests.unit.obstacles import OBSTACLES, a_socket, device, pipe
from tests.workflow.scenarios.scenario import TINY, Scenario

TABLE = "results/local/table/manifest.json"


def snakemake(project, where, *arguments, **variables):
    """Run Snakemake elsewhere; what it says, and whether it ended with 0."""
    done = subprocess.run(
        [*START, "-m", "snakemake", "-c1", *arguments],
        cwd=where,
        env={**forked(), **variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
    )
    return done.stdout, done.returncode == 0


def workplace(project, path):
    """A working directory of its own, with the tables of a project."""
    path.mkdir()
    for name in ("train.csv", "test.csv", "truth.csv", "small.yaml"):
        shutil.copy(project.path / name, path)
    return path


def test_a_link_to_the_snakefile_and_a_project_with_odd_characters(tmp_path):
    """All at once: each of these parts has broken something of its own."""
    project = Project.create(tmp_path / "br{ace} }{0} 'q' \"d\" % $HOME \n -x ")
    work = workplace(project, tmp_path / "work } % 'q' \n")
    (work / "Snakefile").symlink_to(project.path / "Snakefile")
    said, well = snakemake(project, work, TABLE, "--configfile", "small.yaml")
    assert well and "emodag: 1 job, 0 hits;" in said, said
    assert "Traceback" not in said


def test_an_environment_built_by_a_python_with_a_space_in_its_path(project, tmp_path):
    venv = tmp_path / "a space/.venv"
    venv.parent.mkdir()
    venv.symlink_to(sys.prefix)
    lock = project.path / "envs/tiny.lock"
    lock.write_text(wheel(tmp_path / "wheels", "tiny", "9.9"))
    project.configure(environments={"tiny": {"python": "built", "locks": ["envs/tiny.lock"]}})
    place = directory("tiny", [lock], BUILT)
    done = project.snakemake(
        str(place / "ready.json"),
        python=venv / "bin/python",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(tmp_path / "wheels"),
    )
    assert "Build the environment tiny-" in done.stderr
    assert [*(project.path / place).glob("lib/python3*/site-packages/tiny.py")]


def test_a_working_directory_without_a_config_yaml(project, tmp_path):
    """The default run is planned; with a configuration of its own, that one."""
    (tmp_path / "work").mkdir()
    snakefile = ("-s", str(project.path / "Snakefile"), "-d", str(tmp_path / "work"), "-n")
    said, well = snakemake(project, tmp_path, *snakefile)
    assert well and "synthesize" in said, said
    done = subprocess.run(
        [sys.executable, "-m", "emodag", "why", "submission"],
        cwd=tmp_path / "work",
        env={**os.environ, "PYTHONPATH": str(project.path / "workflow")},
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0 and "submission would run" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("name", "message"), [("co:lon", "holds ':'"), ("br{ace}", "holds a brace")]
)
def test_a_project_that_cannot_be_run_is_refused(tmp_path, name, message):
    project = Project.create(tmp_path / name)
    said, well = snakemake(project, project.path, TABLE, "--configfile", "small.yaml")
    assert not well and name in said and message in said and "Traceback" not in said, said
    assert not (project.path / "results").exists()


def test_a_home_in_paths(project, tmp_path):
    home = workplace(project, tmp_path / "home")
    project.configure(store="~/one", data={"train": "~/train.csv"})
    (project.path / "train.csv").unlink()
    small = (TABLE, "--configfile", "small.yaml")
    said, well = snakemake(project, project.path, *small, HOME=str(home))
    assert well and (home / "one/objects").is_dir(), said
    (home / "one").rename(home / "two")
    shutil.rmtree(project.path / "results")
    said, well = snakemake(project, project.path, *small, HOME=str(home), EMODAG_STORE="~/two")
    assert well and "HIT" in said and "RUN " not in said, said
    assert not (project.path / "~").exists() and not (home / "one").exists()
    done = project.emodag("verify", HOME=str(home), EMODAG_STORE="~/two")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["train.csv", "test.csv", "truth.csv", "config.yaml"])
def test_what_is_no_file_where_one_is_read(project, name):
    make = {"train.csv": pipe, "test.csv": a_socket, "truth.csv": device, "config.yaml": pipe}[name]
    (project.path / name).unlink()
    make(project.path / name)
    said, well = snakemake(project, project.path, "-n", "--configfile", "small.yaml")
    assert not well and f"{name}: " in said and "Traceback" not in said, said
    if name != "config.yaml":
        assert OBSTACLES[make].lower() in said.lower()


def test_what_is_no_file_in_the_store(project):
    """It is set aside, and the result is made again."""
    project.snakemake(TABLE)
    store = project.path / ".emodag/store"
    record = next(store.glob("actions/*/*.json"))
    thing = max(store.glob("objects/*/*"), key=lambda path: path.stat().st_size)
    for path, make in ((record, pipe), (thing, device)):
        path.unlink()
        make(path)
    shutil.rmtree(project.path / "results")
    done = project.snakemake(TABLE)
    assert jobs(done, "RUN") == ["local/table"] and "is a pipe, no record" in done.stderr
    assert len(list((store / "quarantine").iterdir())) == 4
    assert project.emodag("verify").returncode == 0


def test_names_that_are_not_utf8_are_refused(scenario, tmp_path):
    (scenario.path / "folder").mkdir()
    odd = os.fsdecode(b"S\xff.csv")
    (scenario.path / "train.csv").rename(scenario.path / "folder" / odd)
    scenario.configure(**TINY, data={"train": "folder"})
    said = [
        scenario.run(check=False),
        scenario.run(check=False, EMODAG_STORE=odd),
        Scenario(scenario.path.rename(tmp_path / odd)).run(check=False),
    ]
    for done in said:
        assert done.status == 1 and "not UTF-8" in done.said
