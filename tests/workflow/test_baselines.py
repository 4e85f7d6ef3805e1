"""The baselines through Snakemake: in the running interpreter, and in one built for them."""

import csv
import json
import os
import re
import shutil
import subprocess

import pandas as pd
import pytest

from tests.workflow.conftest import ROOT, Project, jobs

TABLE = "results/baselines.csv"
OWN = ("lightgbm", "xgboost", "catboost", "tabm")
"""Those that need packages of their own."""

RUNNING = {"locks": ["envs/local.lock", "envs/local.torch-cpu.lock"], "python": "running"}


def rows(project: Project) -> dict[tuple[str, str], dict]:
    with (project.path / TABLE).open(newline="") as stream:
        return {(row["baseline"], row["scheme"]): row for row in csv.DictReader(stream)}


def predictions(project: Project) -> dict[str, str]:
    """Digests of everything that baselines leave."""
    return {name: d for name, d in project.digests().items() if "baselines" in name}


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Project:
    """scikit-learn's models and their votes, one job at a time; not to be changed."""
    path = tmp_path_factory.mktemp("baselines") / "project"
    project = Project.create(
        path,
        baselines=["hard_voting", "svm", "logistic_regression", "soft_voting"],
        environments={"baselines": RUNNING},
    )
    project.snakemake("-c1", TABLE)
    return project


def test_every_model_is_scored_under_both_schemes(compared):
    found = rows(compared)
    names = ["svm", "logistic_regression", "hard_voting", "soft_voting"]
    assert list(found) == [(name, s) for name in names for s in ("kfold", "group_kfold")]
    fits = [
        compared.json(f"results/local/baselines/group_kfold/svm/fold{fold}/fit.json")
        for fold in (0, 1)
    ]
    mean = sum(fit["macro_f1"] for fit in fits) / 2
    row = found["svm", "group_kfold"]
    assert float(row["macro_f1"]) == pytest.approx(mean)
    assert float(row["macro_f1_low"]) <= mean <= float(row["macro_f1_high"])
    assert row["imbalance"] == "class weights, balanced"


def test_they_are_the_chain_s_folds_and_their_lineage_is_clean(compared):
    folds = pd.read_parquet(compared.path / "results/local/folds/folds.parquet")
    table = pd.read_parquet(compared.path / "results/local/table/train_rows.parquet")
    for scheme, column in (("kfold", "row_fold"), ("group_kfold", "group_fold")):
        for name in ("svm", "soft_voting"):
            home = f"results/local/baselines/{scheme}/{name}/fold1"
            held_out = folds.index[folds[column] == 1]
            found = pd.read_parquet(compared.path / home / "validation.parquet")
            assert found["row"].tolist() == held_out.tolist()
            seen = set(compared.json(f"{home}/manifest.json")["labels_seen"])
            persons = set(table["person"][held_out].astype(str))
            assert persons.isdisjoint(seen) == (scheme == "group_kfold")


def test_the_same_bits_with_two_jobs_at_once_and_two_threads(compared, tmp_path):
    project = Project(tmp_path / "project")
    shutil.copytree(compared.path, project.path, symlinks=True)
    shutil.rmtree(project.path / "results")
    shutil.rmtree(project.path / ".emodag")
    project.configure(
        baselines=["hard_voting", "svm", "logistic_regression", "soft_voting"],
        environments={"baselines": {**RUNNING, "threads": 2}},
    )
    done = project.snakemake("-c2", TABLE)
    assert len(jobs(done, "RUN")) > 16 and not jobs(done, "HIT")
    assert predictions(project) == predictions(compared)


def test_a_second_run_takes_all_from_the_store(compared, tmp_path):
    project = Project(tmp_path / "project")
    shutil.copytree(compared.path, project.path, symlinks=True)
    shutil.rmtree(project.path / "results")
    assert jobs(project.snakemake(TABLE), "RUN") == []


def test_the_core_chain_does_without(project):
    done = project.snakemake("-n")
    assert "baseline" not in done.stderr
    done = project.snakemake("-n", TABLE, check=False)
    assert "baselines: no such job" in done.stderr


def test_a_package_that_is_not_there_is_named(compared, tmp_path):
    project = Project(tmp_path / "project")
    shutil.copytree(compared.path, project.path, symlinks=True)
    project.configure(baselines=["lightgbm"], environments={"baselines": RUNNING})
    done = project.snakemake(TABLE, check=False)
    assert "needs the package 'lightgbm'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_report_has_them(compared):
    compared.snakemake("results/report.html")
    text = compared.read("results/report.html")
    table = text[text.index("Every model under both schemes") :]
    score = float(rows(compared)["svm", "group_kfold"]["macro_f1"])
    row = re.search(r'<th scope="row">SVM, RBF kernel</th>(.*?)</tr>', table, re.DOTALL)[1]
    assert f"<td>{score:.3f}</td>" in row
    assert "emodag, generation 1 (nested)" in table


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
