"""The baselines in an environment that is built for them from its lock."""

import json
import os
import shutil
import subprocess

import pandas as pd
import pytest

from tests.project import ROOT, Project, jobs
from tests.workflow.test_baselines_runs import TABLE, predictions

OWN = ("lightgbm", "xgboost", "catboost", "tabm")
"""Those that need packages of their own."""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Project:
    """The other models, in the environment made from the lock; two trials of search for each."""
    project = Project.create(
        tmp_path_factory.mktemp("built") / "project", baselines=list(OWN), baseline_trials=2
    )
    table = pd.read_csv(project.path / "train.csv", index_col=0)
    table.insert(0, "constant", 3.5)
    table.insert(0, "in_one_fold", table["f0"].where(table["person"] < 3))
    table.insert(0, "missing", float("nan"))
    table.to_csv(project.path / "train.csv")
    test = pd.read_csv(project.path / "test.csv", index_col=0)
    for name in ("constant", "in_one_fold", "missing"):
        test.insert(0, name, 3.5)
    test.to_csv(project.path / "test.csv")
    done = project.snakemake("-c1", TABLE, check=False)
    if "cannot be installed" in done.stderr:
        pytest.skip("the packages of envs/baselines.lock cannot be had here")
    assert done.returncode == 0, done.stderr
    return project


@pytest.mark.parametrize("name", OWN)
def test_models_with_packages_of_their_own(built, name):
    """They survive odd columns, and search within the training rows."""
    for scheme in ("kfold", "group_kfold"):
        home = f"results/local/baselines/{scheme}/{name}/fold0"
        found = pd.read_parquet(built.path / home / "validation.parquet").set_index("row")
        assert found.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
        record = json.loads(built.read(f"{home}/provenance.json"))
        assert ".emodag/environments/baselines-" in record["command"][0]
        assert name in str(record["environment"]["distributions"])
        assert "optuna" in record["environment"]["distributions"]


def test_those_give_the_same_bits_with_two_jobs_at_once_and_two_threads(built):
    """Whole persons held out only: under the other scheme it is the same code."""
    before = predictions(built)
    shutil.rmtree(built.path / "results")
    built.configure(
        baselines=list(OWN), baseline_trials=2, environments={"baselines": {"threads": 2}}
    )
    homes = [f"results/local/baselines/group_kfold/{n}/fold{f}" for n in OWN for f in (0, 1)]
    done = built.snakemake("-c2", *(f"{home}/manifest.json" for home in homes))
    assert len([job for job in jobs(done, "RUN") if "baselines" in job]) == len(homes)
    after = predictions(built)
    assert len(after) == 2 * len(homes)
    assert after == {name: before[name] for name in after}


def test_those_weigh_a_rare_class_and_the_search_takes_the_best_trial(built):
    home = "results/local/baselines/group_kfold/lightgbm/fold0"
    python = built.json(f"{home}/provenance.json")["command"][0]
    done = subprocess.run(
        [built.path / python, ROOT / "tests/baseline_checks.py", *OWN],
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        check=True,
        text=True,
        capture_output=True,
    )
    found = json.loads(done.stdout)
    assert list(found["shares"]) == list(OWN)
    assert all(share > 0.33 for share in found["shares"].values()), "unweighted ones give it less"
    scores = found["search"]["scores"]
    assert len(scores) == 10 and scores[0] < 1
    assert max(scores) == 1 and 6 <= found["search"]["cut"] < 7, "where no row is misplaced"
