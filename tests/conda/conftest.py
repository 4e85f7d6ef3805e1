"""A local channel, what stands in for conda, and environments made with them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.project import ROOT, Project

from .installation import install_front_end

RECORDER = '''\
"""Lets every Python that starts in this environment say what it has imported, when it ends."""
import atexit, json, os, sys

def record():
    specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    files = sorted({spec.origin for spec in specs if spec and spec.has_location})
    with open(os.path.join(os.environ["RECORD_IMPORTS"], f"{os.getpid()}.json"), "w") as file:
        json.dump(files, file)

if "RECORD_IMPORTS" in os.environ:
    atexit.register(record)
'''


@dataclass(frozen=True)
class Conda:
    """Where the front end is installed, and where Snakemake keeps the environments."""

    base: Path
    environments: Path

    def snakemake(self, project: Project, *arguments: str, **options):
        """Run Snakemake in `project` with `--use-conda`."""
        path = options.pop("PATH", os.environ["PATH"])
        return project.snakemake(
            "--use-conda",
            f"--conda-prefix={self.environments}",
            *arguments,
            PATH=f"{self.base / 'bin'}{os.pathsep}{path}",
            PIP_NO_COMPILE="1",
            **options,
        )

    def prefixes(self) -> list[Path]:
        """The environments, whole or not."""
        return [path for path in self.environments.glob("*") if path.is_dir()]


@pytest.fixture
def project(tmp_path) -> Project:
    """A fresh copy of the project."""
    return Project.create(tmp_path / "project")


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Path:
    """The front end's installation, with a channel made of the running interpreter."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the conda files ask for Python 3.11, and the channel holds the running one")
    channel = tmp_path_factory.mktemp("channel")
    subprocess.run([sys.executable, "-m", "tests.conda.channel", channel], cwd=ROOT, check=True)
    base = tmp_path_factory.mktemp("conda") / "base"
    install_front_end(base, channel)
    return base


@pytest.fixture
def conda(base, tmp_path) -> Conda:
    """The front end, without any environment."""
    return Conda(base, tmp_path / "environments")


@pytest.fixture(scope="session")
def local(base, tmp_path_factory) -> Iterator[Conda]:
    """The front end, with the environment of the project's own `envs/local.yaml`.

    What Python imports there is recorded in the directory `RECORD_IMPORTS`, where that is set.
    """
    conda = Conda(base, tmp_path_factory.mktemp("environments"))
    project = Project.create(tmp_path_factory.mktemp("local") / "project")
    conda.snakemake(project, "--conda-create-envs-only")
    (prefix,) = conda.prefixes()
    assert prefix.with_suffix(".yaml").read_bytes() == (ROOT / "envs/local.yaml").read_bytes()
    (prefix / "lib/python3.11/site-packages/sitecustomize.py").write_text(RECORDER)
    yield conda
    shutil.rmtree(conda.environments)  # pytest would keep its 1.6 GB beside those of the next runs
