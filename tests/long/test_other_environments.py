"""The chain in other environments: their own packages, and the same bits."""

import json
import re
import shutil
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import yaml

from ledger.environments.venv import MARK
from ledger.machine.fingerprint import processor
from tests.project import ROOT, Project

CONTROL = ("numpy2", "avx2", "no_avx2", "threads2")

NO_AVX2 = yaml.safe_load((ROOT / "benchmarks/contrasts.yaml").read_text())["environments"]
"""NumPy without AVX-512 and AVX2."""

SETTINGS = {"protocols": ["published"], "environments": NO_AVX2}


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Project:
    """The submission in `local`, then in each of the others, beside it."""
    project = Project.create(tmp_path_factory.mktemp("environments") / "project", **SETTINGS)
    for name in ("local", *CONTROL):
        project.snakemake("results/submission.csv", "--config", f"environment={name}")
        (project.path / "results/submission.csv").rename(project.path / f"{name}.csv")
    return project


@pytest.mark.parametrize("name", CONTROL)
def test_results_do_not_drift(compared, name):
    """Neither NumPy 2, nor older processors, nor two threads change a bit of any artifact."""
    digests = compared.digests()
    found = {
        env: {job.removeprefix(env): d for job, d in digests.items() if job.startswith(f"{env}/")}
        for env in ("local", name)
    }
    assert found[name] == found["local"] and len(found[name]) > 20
    assert compared.read(f"{name}.csv") == compared.read("local.csv")


def test_each_runs_with_its_own_packages(compared):
    for name, numpy in (("local", "1.26.4"), ("numpy2", "2.0.2")):
        for record in (compared.path / "results" / name).rglob("provenance.json"):
            found = json.loads(record.read_text())
            assert found["environment"]["distributions"]["numpy"] == numpy
            assert (".emodag/environments/numpy2" in found["command"][0]) == (name == "numpy2")


def first_to_differ(project: Project, target: str, a: str, b: str, *settings: str) -> dict:
    """Make a target in two environments; what `diff` says of the first job whose values differ."""
    for name in (a, b):
        shutil.rmtree(project.path / "results" / name)  # nothing of another test's settings
        made = f"results/{name}/{target}/manifest.json"
        project.snakemake(made, "--config", f"environment={name}", *settings)
    command = ("diff", f"results/{a}", f"results/{b}", "--all", "--json")
    found = json.loads(project.emodag(*command).stdout)
    (job,) = [job for job in found["jobs"] if job["job"] == found["values_differ"][0]]
    return job


@contextmanager
def edited(project: Project, module: str):
    """The project with the edit of a module that docs/drift.md shows, then without."""
    _, _, edit = (ROOT / "docs/drift.md").read_text().partition(f"--- {module}\n")
    lines = re.split(r"^(?:---|```)", edit, maxsplit=1, flags=re.MULTILINE)[0].splitlines()
    old, new = ("".join(f"{x[1:]}\n" for x in lines if x[0] == sign) for sign in "-+")
    path = project.path / "workflow/emodag" / module
    text = path.read_text()
    assert text.count(old) == 1 and new
    path.write_text(text.replace(old, new))
    try:
        yield
    finally:
        path.write_text(text)


class TestDrift:
    """Mistakes that programs make; none is in the chain, and each is found where it is made."""

    def test_a_numpy_scalar_that_promotes(self, compared):
        with edited(compared, "stages/scale.py"):
            job = first_to_differ(compared, "published/scaled/all", "local", "numpy2")
        assert job["job"] == "published/scaled/all"
        assert job["outputs"]["train.parquet"]["whole"]["ulps"] == 1

    def test_a_threshold_in_another_precision(self, compared):
        """Just above a confidence that occurs, which float32 cannot tell from it."""
        made = "results/local/published/seed1/gen1/pseudo_labels/all/pseudo_labels.parquet"
        compared.snakemake(made, "--config", "environment=local")
        confidence = pd.read_parquet(compared.path / made)["confidence"].iloc[0]
        least = float(confidence) * (1 + 1e-9)
        assert np.float32(least) == confidence
        with edited(compared, "science/pseudo_label.py"):
            job = first_to_differ(
                compared,
                "published/seed1/gen1/pseudo_labels/all",
                *("local", "numpy2", f"pseudo_labels={{threshold: {least!r}}}"),
            )
        assert job["job"] == "published/seed1/gen1/pseudo_labels/all"
        left, right = job["outputs"]["pseudo_labels.parquet"]["rows"]
        assert left == right + 1

    def test_batch_statistics_of_several_threads(self, compared):
        with edited(compared, "science/fit/model.py"):
            how = "training={matmul: torch}"  # `ordered` arithmetic takes no layer of torch's
            job = first_to_differ(compared, "published/seed1/gen0/all", "local", "threads2", how)
        assert job["job"] == "published/seed1/gen0/all"

    @pytest.mark.skipif(
        "avx2" not in processor().split(), reason="sorts with AVX2 or AVX-512 on x86-64 only"
    )
    def test_folds_by_an_unstable_sort(self, compared):
        """40 persons of equal size: NumPy sorts them otherwise by AVX2 or AVX-512, as it is new."""
        person = np.repeat(np.arange(40), 4)
        feature = np.sin(np.arange(160.0))
        table = pd.DataFrame({"f": feature, "label": person % 4, "person": person})
        table.to_csv(compared.path / "many.csv")
        compared.configure(
            **{**SETTINGS, "data": {"train": "many.csv", "truth": None}},
            fold_assignment="scikit_learn",
            drift={"contrasts": [["avx2", "numpy2"]], "seeds": [1, 2]},
        )
        table.iloc[:8, :1].to_csv(compared.path / "test.csv")
        job = first_to_differ(compared, "folds", "avx2", "numpy2")
        assert job["job"] == "folds" and list(job["outputs"]) == ["folds.parquet"]

        compared.snakemake("results/drift.json")
        found, _ = compared.json("results/drift.json")["contrasts"]
        left, right = (
            pd.read_parquet(compared.path / f"results/{name}/folds/folds.parquet")["group_fold"]
            for name in ("avx2", "numpy2")
        )
        moved = {str(who) for who in person[left != right]}
        assert found["first"] == "folds" and moved
        assert {move["person"] for move in found["pairs"][0]["folds"]["moved"]} == moved
        assert f"First differs in the folds ({len(moved)} of 40 persons" in found["verdict"]
        assert found["effects"].keys() == {"gen1"}
        assert [s["step"] for s in found["steps"] if s["identical"] == s["pairs"]][:1] == ["table"]


def test_an_environment_whose_files_are_gone_is_named(compared):
    (site,) = (compared.path / ".emodag/environments").glob("numpy2-*/lib/python3*/site-packages")
    compared.configure(**SETTINGS, store="another")
    (site / "pyarrow").rename(site / "pyarrow.gone")
    made = ("results/numpy2/table/manifest.json", "--forcerun", "ingest")
    done = compared.snakemake(*made, "--config", "environment=numpy2", check=False)
    (site / "pyarrow.gone").rename(site / "pyarrow")
    assert done.returncode and "Traceback" not in done.stderr
    assert "the environment 'numpy2' is damaged (No module named 'pyarrow" in done.stderr
    assert f"Delete {site.parents[2]} and run the same command again" in done.stderr


def test_a_damaged_environment_is_built_anew(compared):
    """Only looked at: building it takes a minute. A dry run leaves it as it is."""
    (site,) = (compared.path / ".emodag/environments").glob("numpy2-*/lib/python3*/site-packages")
    (site / "numpy-2.0.2.dist-info/METADATA").unlink()
    done = compared.snakemake("-n", "results/submission.csv", "--config", "environment=numpy2")
    assert "is built anew: numpy: locked 2.0.2, installed not at all" in done.stderr
    assert "Build the environment numpy2-" in done.stderr
    assert (site.parents[2] / MARK).exists()


def test_what_cannot_be_built_is_explained(project):
    def run(**environment):
        project.configure(environment="other", environments={"other": environment})
        return project.snakemake("results/submission.csv", check=False)

    done = run(python="python9.9")
    assert "no interpreter 'python9.9' on this machine" in done.stderr
    done = run(python="built", locks=["envs/none.lock"])
    assert "environments.other: envs/none.lock does not exist" in done.stderr
    (project.path / "envs/binary.lock").write_bytes(b"\xff\xfe")
    done = run(python="built", locks=["envs/binary.lock"])
    assert "envs/binary.lock: not a lock (not text)" in done.stderr
    done = run(python="false")
    assert "false cannot create a virtual environment:" in done.stderr
    assert "Querying Python at" in done.stderr
    done = run(python="built", locks=[])
    assert "`environments.other` has nothing to build: name its `locks`" in done.stderr
    (project.path / "envs/wrong.lock").write_text(f"numpy==1.26.4 --hash=sha256:{'0' * 64}\n")
    done = run(python="built", locks=["envs/wrong.lock"])
    assert "envs/wrong.lock cannot be installed" in done.stderr
    assert not list((project.path / ".emodag/environments").glob("*/"))
    done = project.snakemake("-n", "--config", "environment=unknown", check=False)
    assert "`environment` is 'unknown', and `environments` holds" in done.stderr
    done = project.snakemake("-n", "results/drift/local-numpy3/contrast.json", check=False)
    assert "drift/local-numpy3: no such job" in done.stderr
    assert "did you mean 'drift/local-numpy2'?" in done.stderr and "Traceback" not in done.stderr
