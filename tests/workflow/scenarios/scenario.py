"""A finished chain of nine tiny jobs to do things to, and what it must come to."""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ledger.disk.canonical import file_sha256
from tests.project import START, Project, forked, jobs, surroundings

SUBMISSION = "results/submission.csv"

TINY = {
    "protocols": ["published"],
    "training": {"epochs": 8, "batch": 16, "learning_rate": 0.02},
    "pseudo_labels": {"threshold": 0.4, "boost": None},
}
"""Nine jobs to a submission, three of them fits."""

BOOST = {"threshold": 0.4, "boost": {"LVLA": 9.0}}
"""A parameter that only the submission reads in a chain of one generation."""

FITTED = {"gen0/all", "gen1/pseudo_labels/all", "gen1/fold0", "gen1/fold1", "gen1/blend"}
CHAIN = {"table", "folds", "scaled/all", *FITTED, "submission"}
"""The jobs by their short names."""


@dataclass
class Done:
    """A finished invocation: which jobs it computed, which it took from the store, what it said."""

    ran: set[str]
    hit: set[str]
    status: int
    said: str


class Scenario(Project):
    """A tiny project, with what a user or fate may do to it."""

    def run(self, *arguments: str, check: bool = True, **more) -> Done:
        """`snakemake` for the submission, or for the targets and options given."""
        done = self.snakemake(*(arguments or [SUBMISSION]), check=check, **more)
        ran, hit = ({_short(job) for job in jobs(done, kind)} for kind in ("RUN", "HIT"))
        assert "Traceback" not in done.stderr, done.stderr
        return Done(ran, hit, done.returncode, done.stderr)

    def started_nothing(self, **variables: str) -> bool:
        """Whether Snakemake finds that nothing needs to be done."""
        return "Nothing to be done" in self.run(**variables).said

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text that occurs once in a file of the project."""
        text = self.read(name)
        assert text.count(old) == 1
        (self.path / name).write_text(text.replace(old, new))

    def forget(self, *names: str) -> None:
        """Delete files or directories."""
        for name in names:
            path = self.path / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def home(self, job: str) -> Path:
        """The directory of a job, by its short name."""
        early = {"table": "local", "folds": "local", "scaled/all": "local/published"}
        return self.path / "results" / early.get(job, "local/published/seed1") / job

    def forget_computing(self, *jobs: str) -> None:
        """Remove from the store what is recorded of jobs."""
        for job in jobs:
            key = self.json(self.manifest(job))["key"]
            (self.store / "actions" / key[:2] / f"{key[2:]}.json").unlink()

    def manifest(self, job: str) -> Path:
        """The manifest of a job, by its short name, below the project."""
        if job == "submission":
            return Path("results/submission.manifest.json")
        return (self.home(job) / "manifest.json").relative_to(self.path)

    @property
    def store(self) -> Path:
        """The project's own store."""
        return self.path / ".emodag/store"


class Begun:
    """A `snakemake` in the background: a fork as in `Project.snakemake`, or a real start."""

    def __init__(
        self, scenario, *arguments: str, before: tuple[str, ...] = (), forks: bool = True
    ) -> None:
        self.log = scenario.path / f"said-{len(list(scenario.path.glob('said-*')))}"
        forks = forks and not before
        start = START if forks else (*before, sys.executable)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*start, "-m", "snakemake", "-c2", *arguments, "--configfile", "small.yaml"],
                cwd=scenario.path,
                env=forked() if forks else surroundings(),
                stdout=log,
                stderr=subprocess.STDOUT,
                # Where one of its jobs is stopped, Linux may hang up all of its process group.
                start_new_session=not forks,
            )

    def said(self) -> str:
        return self.log.read_text()

    def until(self, line: str) -> None:
        """Wait until it has said this, or ended."""
        while self.process.poll() is None and not re.search(line, self.said()):
            time.sleep(0.002)

    def ends_with(self) -> int:
        status = self.process.wait()
        assert "Traceback" not in self.said(), self.said()
        return status


def is_sound(store: Path) -> bool:
    """Whether there are objects, and every one of them is what its name says."""
    objects = [path for path in (store / "objects").rglob("*") if path.is_file()]
    return objects != [] and all(file_sha256(p) == p.parent.name + p.name for p in objects)


def _short(job: str) -> str:
    for prefix in ("local/", "published/", "seed1/"):
        job = job.removeprefix(prefix)
    return job


def flip(path: Path, where: int = -1) -> None:
    """Change one bit of one byte of a file, leaving its size, mode and modification time."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[where] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(status.st_mode)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
