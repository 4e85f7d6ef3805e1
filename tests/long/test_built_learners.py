"""The learners in an environment that is built for them from its lock."""

import json
import os
import shutil
import subprocess

import pandas as pd
import pytest

from tests.project import ROOT, Project, jobs
from tests.workflow.test_variants_runs import TABLE

OWN = ("lightgbm", "xgboost", "catboost", "tabm")
"""Those that need packages of their own."""

FEW = {
    "lightgbm": {"rounds": 10},
    "xgboost": {"rounds": 10},
    "catboost": {"rounds": 10},
    "tabm": {"epochs": 2},
}

VARIANTS = {name: {"learner": name, "learners": {name: FEW[name]}} for name in OWN}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Project:
    """The other learners as variants, in the environment made from the lock."""
    project = Project.create(tmp_path_factory.mktemp("built") / "project", variants=VARIANTS)
    done = project.snakemake("-c1", TABLE, check=False)
    if "cannot be installed" in done.stderr:
        pytest.skip("the packages of envs/learners.lock cannot be had here")
    assert done.returncode == 0, done.stderr
    return project


@pytest.mark.parametrize("name", OWN)
def test_learners_with_packages_of_their_own(built, name):
    for fit in ("gen0/fold0", "gen1/fold0"):
        home = f"results/variants/{name}/local/nested/seed1/{fit}"
        found = pd.read_parquet(built.path / home / "validation.parquet").set_index("row")
        assert found.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
        record = json.loads(built.read(f"{home}/provenance.json"))
        assert ".emodag/environments/learners-" in record["command"][0]
        assert name in str(record["environment"]["distributions"])


def test_those_give_the_same_bits_with_two_jobs_at_once_and_two_threads(built):
    def fits():
        return {
            name: digest
            for name, digest in built.digests().items()
            if name.startswith("variants/") and ("/gen0/" in name or "/gen1/fold" in name)
        }

    before = fits()
    shutil.rmtree(built.path / "results")
    built.configure(variants=VARIANTS, environments={"learners": {"threads": 2}})
    done = built.snakemake("-c2", TABLE)
    ran = [job for job in jobs(done, "RUN") if "/gen" in job and "/fold" in job]
    assert len([job for job in ran if "pseudo" not in job]) == len(OWN) * 2 * 2
    assert fits() == before


def test_those_weigh_a_rare_class(built):
    home = "results/variants/lightgbm/local/nested/seed1/gen0/fold0"
    python = built.json(f"{home}/provenance.json")["command"][0]
    done = subprocess.run(
        [built.path / python, "-m", "tests.learner_checks", *OWN],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'workflow'}{os.pathsep}{ROOT}"},
        check=True,
        text=True,
        capture_output=True,
    )
    shares = json.loads(done.stdout)
    assert list(shares) == list(OWN)
    assert all(share > 0.33 for share in shares.values()), "unweighted ones give it less"
