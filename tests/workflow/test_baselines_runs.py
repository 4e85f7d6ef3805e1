"""The baselines through Snakemake, those that the running interpreter has the packages of.

`tests/long/test_built_baselines.py` has the others.
"""

import csv
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.project import Project, jobs

TABLE = "results/baselines.csv"
MODELS = ["hard_voting", "svm", "logistic_regression", "soft_voting"]
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
    return compare(tmp_path_factory.mktemp("baselines") / "project")


def compare(path: Path, *arguments: str, **environment) -> Project:
    """Have those models scored in a new project, in an environment changed so."""
    project = Project.create(
        path, baselines=MODELS, environments={"baselines": RUNNING | environment}
    )
    project.snakemake("-c1", *arguments, TABLE)
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
