"""A fit killed in its middle goes on from its checkpoint, and what it made shows no trace of it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.project import Project, jobs

EPOCHS = 400
TEACHER = "local/nested/seed1/gen0/fold0"
TARGET = f"results/{TEACHER}/manifest.json"


def long_fit(path, every) -> Project:
    return Project.create(path, training={"epochs": EPOCHS, "checkpoint_every": every})


def checkpoints(project):
    return list((project.path / ".emodag/store/checkpoints").rglob("*.safetensors"))


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Project:
    """A project whose teacher was killed soon after its first checkpoint; not to be changed."""
    project = long_fit(tmp_path_factory.mktemp("killed") / "project", 50)
    main = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "-c1", TARGET, "--configfile", "small.yaml"],
        cwd=project.path,
        env={k: v for k, v in os.environ.items() if k != "EMODAG_STORE"},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not checkpoints(project) and main.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    job = [p for p in psutil.Process(main.pid).children(recursive=True) if "run" in p.cmdline()][-1]
    job.send_signal(signal.SIGKILL)
    _, said = main.communicate()
    assert main.returncode != 0 and not (project.path / TARGET).exists()
    log = project.read(f"results/{TEACHER}/teacher.log")
    assert "DONE" not in log, f"the fit ended before it could be killed:\n{said}"
    return project


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict[str, str]:
    """Digests of the same computation never killed, and never at a checkpoint either."""
    project = long_fit(tmp_path_factory.mktemp("whole") / "project", EPOCHS)
    project.snakemake(TARGET)
    return project.digests()


@pytest.fixture
def copy_of_killed(killed, tmp_path) -> Project:
    shutil.copytree(killed.path, tmp_path / "project")
    return Project(tmp_path / "project")


def test_a_killed_fit_resumes_and_ends_with_the_same_bits(copy_of_killed, uninterrupted):
    done = copy_of_killed.snakemake(TARGET)
    assert jobs(done, "RUN") == [TEACHER]
    (epoch,) = re.findall(rf"NOTE {TEACHER}: resumed at epoch (\d+) of {EPOCHS}", done.stderr)
    assert int(epoch) >= 50 and int(epoch) % 50 == 0
    assert "resumed at" in copy_of_killed.read(f"results/{TEACHER}/teacher.log")
    assert copy_of_killed.digests() == uninterrupted
    assert checkpoints(copy_of_killed) == []
    copy_of_killed.configure(training={"epochs": EPOCHS, "checkpoint_every": 7})
    assert "Nothing to be done" in copy_of_killed.snakemake(TARGET).stderr


def test_a_damaged_checkpoint_is_ignored_with_a_warning(copy_of_killed, uninterrupted):
    (path,) = checkpoints(copy_of_killed)
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    done = copy_of_killed.snakemake(TARGET)
    assert "damaged checkpoint" in done.stderr and "resumed" not in done.stderr
    assert copy_of_killed.digests() == uninterrupted
    assert checkpoints(copy_of_killed) == []
