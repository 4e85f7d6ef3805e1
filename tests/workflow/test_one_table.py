"""One labelled table, with or without rows that lack a label, through real Snakemake."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from tests.project import Project, jobs
from tests.workflow.test_chain_runs import rows

REPORT = "results/report.html"
ALONE = {"test": None, "truth": None, "label": "label", "group": "person"}


def table(project: Project) -> pd.DataFrame:
    """The training table as a frame, with names for persons."""
    frame = pd.read_csv(project.path / "train.csv", index_col=0, float_precision="round_trip")
    return frame.assign(person=[f"S{person}" for person in frame["person"]])


@pytest.fixture(scope="module")
def alone(finished_nested, tmp_path_factory) -> Project:
    """One table under both protocols, after a run that had a test table; not to be changed."""
    changes = {"protocols": ["published", "nested"], "generations": 2}
    project = Project(tmp_path_factory.mktemp("alone") / "project")
    shutil.copytree(finished_nested.path, project.path, symlinks=True)
    table(project).to_csv(project.path / "train.csv", index=False)
    project.configure(data=ALONE, **changes)
    done = project.snakemake("all", REPORT)
    (project.path / "said").write_text(done.stderr)
    return project


def test_it_ends_in_scores(alone):
    scores = rows(alone.read("results/scores.csv"))
    assert {(row["protocol"], row["stage"], row["n_pseudo"]) for row in scores} == {
        ("published", "stage0", "0"), ("published", "gen1", "0"), ("nested", "gen1", "0")
    }  # fmt: skip
    said = alone.read("said")
    assert "no pseudo-labels: one generation of students in place of 2" in said
    command = "snakemake -c8 results/scores.csv --configfile results/configuration.yaml"
    assert command in alone.read("results/configuration.yaml")
    assert not {"teacher", "blend", "pseudo_labels"} & set(said.replace("/", " ").split())
    manifests = (alone.path / "results").rglob("*manifest.json")
    facts = [json.loads(path.read_text()) for path in manifests]
    live = [fact for fact in facts if fact["job"] in said]
    assert live and not any("test.parquet" in fact["outputs"] for fact in live)


def test_what_a_former_configuration_left_is_set_aside(alone):
    said = alone.read("said")
    for name in ("submission", "leaderboard"):
        assert f"emodag: results/{name}.csv is not of this configuration" in said
        assert not (alone.path / f"results/{name}.csv").exists()
        assert not (alone.path / f"results/{name}.manifest.json").exists()
        assert len(list((alone.path / "results/earlier").glob(f"{name}-*.csv"))) == 1


def test_a_submission_is_refused_in_a_sentence(alone):
    done = alone.snakemake("results/submission.csv", check=False)
    assert done.returncode and "Traceback" not in done.stderr
    assert "there is no submission, as `data.test` names no test table" in done.stderr
    why = alone.emodag("why", "submission", "--configfile", "small.yaml")
    assert why.returncode and "`data.test` names no test table" in why.stderr


def test_the_report_speaks_of_no_test_table(alone):
    text = alone.read(REPORT)
    assert "Score to expect of new people" in text
    for words in (
        "to predict",
        "Pseudo-labels of",
        "hidden people",
        "test rows",
        'id="generations"',
    ):
        assert words not in text.partition('id="provenance"')[0], words


def test_the_verbs_work(alone):
    assert alone.emodag("verify").returncode == 0
    assert "scores" in alone.emodag("lineage").stdout
    assert alone.emodag("why", "scores", "--configfile", "small.yaml").returncode == 0
    done = alone.emodag("check", "small.yaml")
    assert done.returncode == 0, done.stderr
    assert "test table" not in done.stdout and "72 rows" in done.stdout
    assert "one generation of students in place of 2" in done.stdout
    assert "results/scores.csv --configfile small.yaml" in done.stdout


def test_drift_compares_what_there_is(tmp_path):
    project = Project.create(tmp_path / "project")
    table(project).to_csv(project.path / "train.csv", index=False)
    project.configure(data=ALONE, drift={"seeds": [1, 2], "contrasts": []}, report={"drift": True})
    project.snakemake("results/drift.html", REPORT)
    (contrast,) = project.json("results/drift.json")["contrasts"]
    (generation,) = contrast["pairs"][0]["generations"]
    assert set(generation) == {"step", "folds", "scores"}
    assert "Test predictions" not in project.read("results/drift.html")


def test_both_formats_give_the_same(alone, tmp_path):
    project = Project.create(tmp_path / "project")
    table(project).to_parquet(project.path / "train.parquet")
    project.configure(data={**ALONE, "train": "train.parquet"})
    project.snakemake("results/local/nested/scaled/fold1/manifest.json")
    found = project.digests()
    assert {"local/table", "local/folds"} < {name.rpartition("/")[0] for name in found}
    assert {name: alone.digests()[name] for name in found} == found


def without_labels(project: Project) -> tuple[pd.DataFrame, pd.Series]:
    """The table with every fifth label and all of person S5's missing, and which these are."""
    frame = table(project)
    lacking = (np.arange(len(frame)) % 5 == 0) | (frame["person"] == "S5")
    return frame.assign(label=frame["label"].astype("Int64").mask(lacking)), lacking


def test_training_rows_without_a_label(tmp_path):
    project = Project.create(tmp_path / "project")
    frame, lacking = without_labels(project)
    frame.to_parquet(project.path / "nullable.parquet")
    frame.assign(label=frame["label"].fillna(-1)).to_csv(project.path / "-1.csv", index=False)
    mixed = {"label": "label", "group": "person", "unlabelled": "rows"}
    more = {"pseudo_labels": {"threshold": 0.26}}
    project.configure(data={**mixed, "train": "-1.csv"}, **more)
    project.snakemake("results/local/table/manifest.json")
    of_csv = project.digests()
    project.configure(data={**mixed, "train": "nullable.parquet"}, **more)
    done = project.snakemake("all", REPORT)
    assert "local/table" in jobs(done, "RUN") and of_csv.items() <= project.digests().items()
    assert len(rows(project.read("results/submission.csv"))) == 24
    boards = rows(project.read("results/leaderboard.csv"))
    assert [(b["stage"], b["n_test"]) for b in boards] == [("gen0", "24"), ("gen1", "24")]
    home = project.path / "results/local"
    who = pd.read_parquet(home / "table/unlabelled_rows.parquet")["person"]
    assert who.tolist() == frame["person"][lacking].tolist()
    held_out = pd.read_parquet(home / "folds/unlabelled_folds.parquet")["group_fold"]
    assert set(held_out[who == "S5"]) == {-1} and set(held_out) == {-1, 0, 1}
    for fold in (0, 1):
        path = home / f"nested/seed1/gen1/pseudo_labels/fold{fold}/pseudo_labels.parquet"
        learnt = pd.read_parquet(path)["row"]
        assert set(learnt[learnt >= 24] - 24) <= set(np.flatnonzero(held_out != fold))
        assert len(learnt) > 20
    text = project.read(REPORT)
    assert f"{lacking.sum()} without a label" in text
    assert "Pseudo-labels of the test rows and unlabelled rows" in text
