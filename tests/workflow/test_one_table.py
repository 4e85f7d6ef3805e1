"""One labelled table, with or without rows that lack a label, through real Snakemake."""

import json
import shutil

import pandas as pd
import pytest

import emodag
from ledger.errors import InputError
from tests.project import Project
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


def test_a_notebook_is_told_that_there_are_no_predictions(alone):
    results = emodag.open(alone.path / "results")
    for asked in (results.predictions, results.leaderboard):
        with pytest.raises(InputError, match=r"leads to no (submission|leaderboard)"):
            asked()
    assert len(results.held_out())


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
    drift = {"seeds": [1, 2], "contrasts": []}
    project.configure(data=ALONE, generations=0, drift=drift, report={"drift": True})
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
