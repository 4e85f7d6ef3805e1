"""A small project to run real Snakemake in: a copy of the workflow and tables of a few people."""

import fcntl
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from emodag.chain.jobs import LOADED
from ledger.jobs.plan import Environment
from ledger.machine.fingerprint import locked_versions, steering
from ledger.run import forking

ROOT = Path(__file__).resolve().parents[1]

START = (sys.executable, "-I", "-S", str(ROOT / "workflow/ledger/run/start.py"))
"""What a module is run with to be a fork, where the address of a loaded process is given."""

SMALL = {
    "data": {"source": "files", "train": "train.csv", "test": "test.csv", "truth": "truth.csv"},
    "folds": 2,
    "generations": 1,
    "protocols": ["nested"],
    "scaling": {"n_quantiles": 20},
    "model": {"hidden": 16, "code": 8, "head": 8},
    "training": {"epochs": 3, "stage0_epochs": 2, "batch": 16, "learning_rate": 0.02},
    "pseudo_labels": {"threshold": 0.27},
}
"""Fifteen jobs of well under a second of computing each."""

WHOLE = {"protocols": ["published", "nested"], "generations": 2}
"""The changes to it that exercise every stage."""


def tables(directory: Path) -> None:
    """Six people of training and two of test data, 12 rows each, in the competition's layout."""
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(8), 12)
    label = np.tile(np.repeat(np.arange(4), 3), 8)
    x = rng.normal(size=(96, 8)) + np.outer(label, [1, 0, -1, 0, 0.5, 0, 0, 0]) + person[:, None]
    x[5, 3] = 1e32
    frame = pd.DataFrame(x, columns=[f"f{j}" for j in range(8)]).assign(label=label, person=person)
    frame[:72].to_csv(directory / "train.csv")
    frame[72:].reset_index(drop=True).drop(columns=["label", "person"]).to_csv(
        directory / "test.csv"
    )
    frame[72:].reset_index(drop=True)[["label"]].to_csv(directory / "truth.csv", index_label="ID")


@dataclass
class Project:
    """A copy of the workflow with a configuration of its own and, by default, its own store."""

    path: Path

    @classmethod
    def create(cls, path: Path, **changes) -> "Project":
        path.mkdir(parents=True)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(ROOT / name, path / name)
        for name in ("workflow", "envs"):
            shutil.copytree(ROOT / name, path / name)
        tables(path)
        project = cls(path)
        project.configure(**changes)
        return project

    def configure(self, **changes) -> None:
        """Write the configuration: `SMALL`, with sections updated by `changes`."""
        values = {
            name: {**SMALL[name], **changes[name]}
            if isinstance(SMALL.get(name), dict) and name in changes
            else changes.get(name, SMALL.get(name))
            for name in {**SMALL, **changes}
        }
        (self.path / "small.yaml").write_text(yaml.safe_dump(values))

    def snakemake(
        self,
        *arguments: str,
        check: bool = True,
        configfiles: tuple[str, ...] = ("small.yaml",),
        python: Path | str = sys.executable,
        **variables: str,
    ):
        """Run Snakemake as a user would; returns the completed process, output in `stderr`.

        Without arguments it makes the tables alone, as the pages take longer than they. Where
        nothing is different about it, it is a fork of a process that has it loaded.
        """
        arguments = arguments or ("tables",)
        start = [python, *START[1:], "-m", "snakemake", "-c2"]
        done = subprocess.run(
            [*start, *arguments, "--configfile", *configfiles],
            cwd=self.path,
            env={**forked(), **variables},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        done.stderr = done.stdout
        if check and done.returncode:
            raise AssertionError(done.stderr)
        return done

    def emodag(self, *arguments: str, python: Path | str = sys.executable, **variables: str):
        """Run `python -m emodag` in the project, as a fork where `snakemake` above is one."""
        return subprocess.run(
            [python, *START[1:], "-m", "emodag", *arguments],
            cwd=self.path,
            env={**forked(), "PYTHONPATH": str(self.path / "workflow"), **variables},
            text=True,
            capture_output=True,
        )

    def read(self, name: str) -> str:
        return (self.path / name).read_text()

    def json(self, name: str):
        return json.loads(self.read(name))

    def digests(self) -> dict[str, str]:
        """Logical digest by job and file, of everything in the results."""
        found = {}
        for path in sorted((self.path / "results").rglob("*manifest.json")):
            manifest = json.loads(path.read_text())
            for name, output in manifest["outputs"].items():
                found[f"{manifest['job']}/{name}"] = output["logical"]
        return found


def surroundings() -> dict[str, str]:
    """The variables that Snakemake is run with."""
    own = ("EMODAG_STORE", "PYTEST_CURRENT_TEST")
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return {**kept, "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}  # as a run sets them


def forked() -> dict[str, str]:
    """The variables that have what is started be a fork of a process with Snakemake loaded."""
    return {**surroundings(), forking.ADDRESS: snakemake_loaded()}


SNAKEMAKE = (
    "snakemake.cli",
    "snakemake.report.html_reporter",
    "snakemake.storage",
    "smart_open",
    "yte",
)
"""What an invocation of Snakemake imports."""


@functools.cache
def snakemake_loaded() -> str:
    """The address of a process with Snakemake loaded, whose forks have their jobs forked, too.

    The process that those are forks of has the libraries loaded; both end with this one.
    """
    locks = [ROOT / "envs/local.lock", ROOT / "envs/local.torch-cpu.lock"]
    local = Environment(
        name="local", requires=locked_versions(locks), variables=steering(), threads=1, device="cpu"
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in {*os.environ, forking.ADDRESS}.difference(surroundings()):
            patch.delenv(name, raising=False)
        for name, value in surroundings().items():
            patch.setenv(name, value)
        # Most of what folds and pseudo-labels import, and more CPU than all else that they do.
        modules = ["scipy.stats" if name == "scipy.special" else name for name in LOADED]
        forking.offer(local, local.fingerprint(), sys.executable, modules)
        libraries = os.environ.pop(forking.ADDRESS)
        single = {"OPENBLAS_NUM_THREADS": "1"}  # with more it could not fork
        address = forking.load(SNAKEMAKE, {forking.ADDRESS: libraries}, single)
    # Else whoever asks first, which is at once, would start for itself all that is loaded here.
    for _ in range(500):
        if listens(address):
            break
        time.sleep(0.01)
    return address


def listens(address: str) -> bool:
    """Whether there is a process that takes who asks at this address."""
    listening = rf" 00010000 .* @{address}\n"  # proc_net_unix(5)
    return re.search(listening, Path("/proc/net/unix").read_text()) is not None


def jobs(done, kind: str) -> list[str]:
    """The jobs a run reports as `RUN` or `HIT`, sorted."""
    # Snakemake ends its lines in a second write, so a job's line may follow on one of them.
    return sorted(re.findall(rf"{kind} +[0-9a-f]{{12}}  (\S+)", done.stderr))


def once(place: Path, make: Callable[[Path], None]) -> Path:
    """Have the directory `place` made by the first worker who asks; the others wait for it.

    Nobody changes what is there. Where making it failed, whoever asks next tries again.
    """
    mark = place.with_name(f"{place.name}.made")
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(place, ignore_errors=True)
            make(place)
            mark.touch()
    return place
