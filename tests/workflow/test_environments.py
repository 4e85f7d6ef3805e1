"""The chain in other environments: their own packages, and the same bits."""

import json

import pytest

from tests.workflow.conftest import WHOLE, Project

CONTROL = ("numpy2", "avx2", "threads2")


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Project:
    """The submission in `local`, then in each of the others, beside it."""
    project = Project.create(tmp_path_factory.mktemp("environments") / "project", **WHOLE)
    for name in ("local", *CONTROL):
        project.snakemake("results/submission.csv", "--config", f"environment={name}")
        (project.path / "results/submission.csv").rename(project.path / f"{name}.csv")
    return project


@pytest.mark.parametrize("name", CONTROL)
def test_results_do_not_drift(compared, name):
    """NumPy 2, a processor without AVX-512 and two threads change no bit of any artifact."""
    found = {
        env: {job.removeprefix(env): d for job, d in compared.digests().items() if env in job}
        for env in ("local", name)
    }
    assert found[name] == found["local"] and len(found[name]) > 30
    assert compared.read(f"{name}.csv") == compared.read("local.csv")


def test_each_runs_with_its_own_packages(compared):
    for name, numpy in (("local", "1.26.4"), ("numpy2", "2.0.2")):
        for record in (compared.path / "results" / name).rglob("provenance.json"):
            found = json.loads(record.read_text())
            assert found["environment"]["distributions"]["numpy"] == numpy
            assert (".emodag/environments/numpy2" in found["command"][0]) == (name == "numpy2")


def test_a_damaged_environment_is_built_anew(compared):
    """Only looked at: building it takes a minute."""
    (site,) = (compared.path / ".emodag/environments").glob("numpy2-*/lib/python3*/site-packages")
    (site / "numpy-2.0.2.dist-info/METADATA").unlink()
    done = compared.snakemake("-n", "results/submission.csv", "--config", "environment=numpy2")
    assert "is built anew: numpy: locked 2.0.2, installed not at all" in done.stderr
    assert "Build the environment numpy2-" in done.stderr


def test_what_cannot_be_built_is_explained(project):
    def run(**environment):
        project.configure(environment="other", environments={"other": environment})
        return project.snakemake("results/submission.csv", check=False)

    done = run(python="python9.9")
    assert "no interpreter 'python9.9' on this machine" in done.stderr
    done = run(python="built", locks=["envs/none.lock"])
    assert "environments.other: envs/none.lock does not exist" in done.stderr
    done = run(python="built", locks=[])
    assert "`environments.other` has nothing to build: name its `locks`" in done.stderr
    (project.path / "envs/wrong.lock").write_text(f"numpy==1.26.4 --hash=sha256:{'0' * 64}\n")
    done = run(python="built", locks=["envs/wrong.lock"])
    assert "envs/wrong.lock cannot be installed" in done.stderr
    assert not list((project.path / ".emodag/environments").glob("*/"))
    done = project.snakemake("-n", "--config", "environment=unknown", check=False)
    assert "`environment` is 'unknown', and `environments` holds local" in done.stderr
