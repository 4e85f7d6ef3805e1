"""The chain in the conda environment of `envs/local.yaml`: same bits, nothing from elsewhere."""

import json
import os
import re
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.project import Project, jobs

CHANGES = {"protocols": ["published"]}
"""The protocol with every stage."""

NUMERICAL = ("numpy", "scipy", "pandas", "pyarrow", "sklearn", "torch", "safetensors")

IMPOSTOR = """\
import os, sys
with open(os.environ["IMPOSTORS"], "a") as file:
    file.write(f"{__file__} by {' '.join(sys.orig_argv)}\\n")
raise ImportError("an impostor was imported: " + __file__)
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Project:
    """Everything, as it runs without conda."""
    project = Project.create(tmp_path_factory.mktemp("plain") / "project", **CHANGES)
    project.snakemake("all")
    return project


def impostors(*directories: Path) -> None:
    """Packages that report who imports them, and metadata of a version that never was."""
    for directory in directories:
        for name in NUMERICAL:
            (directory / name).mkdir(parents=True)
            (directory / name / "__init__.py").write_text(IMPOSTOR)
        info = directory / "numpy-9.9.9.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 9.9.9\n")


def poisoned_interpreter(directory: Path) -> Path:
    """A virtual environment with everything this one has, behind its own impostors."""
    python = directory / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (directory / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n")
    site = directory / "lib" / "python3.11" / "site-packages"
    impostors(site)
    (site / "host.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_chain_in_conda_makes_the_same_bits(local, plain, tmp_path):
    project = Project.create(tmp_path / "project", **CHANGES)
    (records := tmp_path / "records").mkdir()
    done = local.snakemake(project, RECORD_IMPORTS=str(records))

    assert jobs(done, "RUN") == sorted({name.rpartition("/")[0] for name in plain.digests()})
    assert jobs(done, "HIT") == []
    for name in ("submission.csv", "scores.csv", "leaderboard.csv"):
        assert project.read(f"results/{name}") == plain.read(f"results/{name}")
    assert project.digests() == plain.digests()

    # Every module of every job comes from the environment or is the project's own.
    (prefix,) = local.prefixes()
    ran = [json.loads(path.read_bytes()) for path in records.iterdir()]
    assert len(ran) == len([*jobs(done, "RUN"), "index"])
    files = {Path(file) for record in ran for file in record}
    strangers = {
        file
        for file in files
        if not file.is_relative_to(prefix) and not file.is_relative_to(project.path / "workflow")
    }
    assert strangers == set()
    site = prefix / "lib" / "python3.11" / "site-packages"
    assert {site / name / "__init__.py" for name in ("numpy", "torch", "pyarrow")} <= files
    assert prefix / "lib" / "python3.11" / "json" / "__init__.py" in files


def test_nothing_of_a_poisoned_host_is_imported(local, plain, tmp_path):
    """Impostors in the host's site-packages, PYTHONPATH, user site and working directory.

    The host's virtual environment precedes an active base environment in PATH, as it does for
    whoever activates `.venv` with conda's base active; conda then keeps it first.
    """
    project = Project.create(tmp_path / "project", **CHANGES)
    python = poisoned_interpreter(tmp_path / "host")
    user = tmp_path / "user"
    impostors(tmp_path / "path", user / "lib/python3.11/site-packages", project.path)
    variables = {
        "IMPOSTORS": str(tmp_path / "impostors.txt"),
        "PYTHONPATH": str(tmp_path / "path"),
        "PYTHONUSERBASE": str(user),
        "CONDA_PREFIX": str(local.base),
        "CONDA_SHLVL": "1",
        "PATH": f"{python.parent}{os.pathsep}{local.base / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    local.snakemake(project, python=python, **variables)
    # Snakemake itself, and what ends its run with words, may import what they like.
    met = tmp_path / "impostors.txt"
    assert not met.exists() or not re.search(r"emodag (run|index)\b", met.read_text())
    assert project.digests() == plain.digests()

    # Without conda the same host is refused: the impostors do get in its way.
    (project.path / "results" / "submission.manifest.json").unlink()
    refused = project.snakemake(python=python, check=False, **variables)
    assert refused.returncode != 0
    assert "numpy: locked 1.26.4, installed 9.9.9" in refused.stderr
