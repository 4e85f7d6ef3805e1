"""A Slurm of two nodes on this host, and Snakemake submitting to it by the project's profile."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import yaml

from tests.project import Project

SCRIPT = Path(__file__).parent / "slurm-local.sh"
STATE = Path("/run/emodag-slurm")
CANNOT_BE_HAD = 77
PROFILE = "workflow/profiles/slurm"

IMPATIENT = {
    "slurm-init-seconds-before-status-checks": 2,
    "seconds-between-status-checks": 2,
    "latency-wait": 20,
}
"""What tests change in the profile; the rest is as users have it."""


def command(*arguments: object) -> str:
    """What a command of Slurm prints."""
    done = subprocess.run(
        list(map(str, arguments)), capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def wait_until(condition: Callable[[], object], seconds: float = 240, what: str = "") -> None:
    """Wait for something to become true, and fail where it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain {what}"
        time.sleep(0.2)


@dataclass
class Run:
    """One `snakemake` that submits to Slurm."""

    process: subprocess.Popen
    output: Path

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.output.read_text()

    @property
    def submitted(self) -> list[str]:
        """The numbers of the jobs that it has submitted so far."""
        return re.findall(r"has been submitted with SLURM jobid (\d+)", self.text)

    @property
    def name(self) -> str:
        """The name of all of its jobs, by which they can be cancelled."""
        found = re.search(r"SLURM run ID: (\S+)", self.text)
        return found[1] if found else "submitted-nothing"

    def end(self, *, well: bool = True, seconds: float = 900) -> "Run":
        """Wait for its end, which must be a good one, or a bad one."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            raise AssertionError(f"did not end in {seconds} s:\n{self.text}") from None
        assert (code == 0) is well, self.text
        return self


@dataclass
class Slurm:
    """The cluster, as tests use it."""

    runs: list[Run] = field(default_factory=list)

    def start(
        self, project: Project, *arguments: str, target: str = "tables", **variables: str
    ) -> Run:
        """Start the one command in `project`; the pages take longer than all the rest."""
        output = project.path / f"snakemake.{len(self.runs)}.txt"
        environment = {k: v for k, v in os.environ.items() if k != "EMODAG_STORE"}
        common = ["--profile", PROFILE, "--configfile", "small.yaml"]
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", target, *common, *arguments],
                cwd=project.path,
                env=environment | variables,
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        self.runs.append(Run(process, output))
        return self.runs[-1]

    def run(self, project: Project, *arguments: str, **more: str) -> Run:
        """Run the one command to its good end; as `start`."""
        return self.start(project, *arguments, **more).end()

    def states(self, run: Run) -> dict[str, str]:
        """The states of all jobs of a run by their numbers, ended ones included."""
        lines = command("squeue", "--noheader", "--states=all", "--name", run.name, "-o", "%i %T")
        return dict(line.split() for line in lines.splitlines())

    def end_orphans(self) -> None:
        """End what outlived its job: without cgroups, Slurm loses it once its parent has ended."""
        places = {str(run.output.parent) for run in self.runs}
        for process in psutil.process_iter(["cwd"]):
            if process.info["cwd"] in places:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def rest(self) -> None:
        """Wait until no job of the runs is left."""
        for run in self.runs:
            wait_until(
                lambda name=run.name: not command("squeue", "--noheader", "--name", name),
                what="for the queue to empty",
            )


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """Slurm, started unless it was, and installed before where it is missing."""
    done = subprocess.run([SCRIPT, "start", STATE], capture_output=True, text=True)
    if done.returncode == CANNOT_BE_HAD:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    yield
    if not done.stdout.startswith("already running"):
        subprocess.run([SCRIPT, "stop", STATE], check=True)


@pytest.fixture
def slurm(cluster, tmp_path) -> Iterator[Slurm]:
    """The cluster, idle again after the test and before its directory is removed."""
    slurm = Slurm()
    yield slurm
    for run in slurm.runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
        command("scancel", "--name", run.name)
    slurm.rest()
    slurm.end_orphans()
    # Which is refused where none is drained.
    subprocess.run(
        ["scontrol", "update", "nodename=ALL", "state=resume"], stderr=subprocess.DEVNULL
    )


def edit_profile(project: Project, **changes) -> None:
    """Change the project's copy of the profile; resources of rules are merged into its own."""
    path = project.path / PROFILE / "config.yaml"
    profile = yaml.safe_load(path.read_text())
    for rule, resources in changes.pop("resources", {}).items():
        profile["set-resources"][rule] = profile["set-resources"].get(rule, {}) | resources
    path.write_text(yaml.safe_dump(profile | changes))


def create(path: Path, **configuration) -> Project:
    """A project with the profile, impatient."""
    project = Project.create(path, **configuration)
    edit_profile(project, **IMPATIENT)
    return project


def computed(project: Project) -> list[str]:
    """The jobs that were computed in a project, sorted, each as often as it was.

    Those that hits answered are left out.
    """
    lines = "".join(p.read_text() for p in (project.path / ".emodag/runs").glob("*.jsonl"))
    records = map(yaml.safe_load, lines.splitlines())
    return sorted(record["job"] for record in records if record.get("hit") is False)
