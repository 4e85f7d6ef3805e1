"""Snakemake creates environments as the conda files say, or not at all."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT, Project

LOCAL = yaml.safe_load((ROOT / "envs/local.yaml").read_text())


def small(package: str = "tqdm", python: str = "3.11") -> dict:
    """The project's conda file with one small package of its pins, and another python if asked."""
    *_, section = LOCAL["dependencies"]
    (pin,) = [entry for entry in section["pip"] if entry.startswith(f"{package}==")]
    return {**LOCAL, "dependencies": [f"python={python}", "pip", {"pip": [pin]}]}


def write(project: Project, content: dict) -> None:
    """Let `content` be the conda file of the project."""
    (project.path / "envs" / "local.yaml").write_text(yaml.safe_dump(content, width=10_000))


def packages(prefix: Path) -> set[str]:
    """What conda itself has installed there."""
    return {path.name.rsplit("-", 2)[0] for path in (prefix / "conda-meta").glob("*.json")}


def distributions(prefix: Path) -> set[str]:
    """What Python finds there."""
    site = prefix / "lib" / "python3.11" / "site-packages"
    return {path.name.split("-")[0] for path in site.glob("*.dist-info")}


def test_environment_is_solved_linked_and_filled(conda, project):
    """The newest python does not fit and setuptools is wanted by pip only: somebody has solved."""
    write(project, small())
    conda.snakemake(project, "--conda-create-envs-only")
    (prefix,) = conda.prefixes()
    assert packages(prefix) == {"python", "pip", "setuptools"}
    assert distributions(prefix) == {"pip", "setuptools", "tqdm"}
    settings = (prefix / "lib/python3.11").glob("_sysconfigdata_*.py")
    assert not any(sys.base_prefix in path.read_text() for path in settings)


def test_wrong_hash_is_refused_and_nothing_is_run(conda, project):
    content = small()
    write(project, content)
    text = (project.path / "envs/local.yaml").read_text()
    tampered = re.sub("sha256:(.)", lambda m: f"sha256:{(int(m[1], 16) + 1) % 16:x}", text)
    (project.path / "envs/local.yaml").write_text(tampered)

    done = conda.snakemake(project, check=False)
    assert done.returncode != 0
    assert "Could not create conda environment" in done.stderr
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert "Traceback" not in done.stderr
    assert conda.prefixes() == []
    assert project.digests() == {}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (small(python="3.10"), "python 3.10"),
        ({**small(), "channels": ["bioconda", "nodefaults"]}, "no channel 'bioconda'"),
    ],
)
def test_what_cannot_be_had_is_an_error(conda, project, change, complaint):
    write(project, change)
    done = conda.snakemake(project, "--conda-create-envs-only", check=False)
    assert done.returncode != 0
    assert complaint in done.stderr
    assert conda.prefixes() == []


def test_pin_file_would_replace_the_pins_of_pip(conda, project):
    """Why the project has none: Snakemake would take it instead of the conda file."""
    assert not list((ROOT / "envs").glob("*.pin.txt"))

    write(project, small())
    (archive,) = (conda.base / "channels" / "conda-forge").glob("linux-*/python-3*.conda")
    pins = f"@EXPLICIT\n{archive.as_uri()}\n"
    (project.path / "envs" / f"local.{archive.parent.name}.pin.txt").write_text(pins)
    conda.snakemake(project, "--conda-create-envs-only", "--conda-cleanup-pkgs", "cache")
    (prefix,) = conda.prefixes()
    assert packages(prefix) == {"python"}
    assert distributions(prefix) == set()
    assert not (conda.base / "pkgs").exists()
