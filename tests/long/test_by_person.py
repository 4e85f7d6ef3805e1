"""`scaling.person`: a person's features relative to that person, in the chain and beside it."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.project import Project, jobs

FEATURES = [f"f{number}" for number in range(8)]
RANKED = {"n_quantiles": 20, "person": "rank"}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Project:
    """A run of named columns with persons in the test table, who are far from one another."""
    project = Project.create(tmp_path_factory.mktemp("ranked") / "project")
    train = pd.read_csv(project.path / "train.csv", index_col=0)
    test = pd.read_csv(project.path / "test.csv", index_col=0)
    test = test.assign(who=np.repeat(["u", "v"], 12))
    test.loc[test["who"] == "v", FEATURES] += 500.0
    train.to_csv(project.path / "train.csv", index=False)
    test.to_csv(project.path / "test.csv", index=False)
    data = {"label": "label", "group": "person", "test_group": "who", "truth": None}
    project.configure(data=data, scaling=RANKED)
    project.snakemake("results/submission.csv", "results/scores.csv")
    return project


@pytest.fixture
def ranked(made, tmp_path) -> Project:
    """A copy of that run, to be changed at will."""
    shutil.copytree(made.path, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


def test_each_person_is_scaled_alone(ranked):
    relative = pd.read_parquet(ranked.path / "results/local/by_person/test.parquet")
    for rows in (relative[:12], relative[12:]):
        assert np.abs(rows.mean()).max() < 1e-9, "each person's ranks are about 0"
    again = ranked.snakemake("results/submission.csv")
    assert jobs(again, "RUN") == []
    before = ranked.digests()
    test = pd.read_csv(ranked.path / "test.csv")
    test.loc[test["who"] == "v", FEATURES] *= 3.0  # no rank changes
    test.to_csv(ranked.path / "test.csv", index=False)
    assert "local/by_person" in jobs(ranked.snakemake("results/submission.csv"), "RUN")
    after = ranked.digests()
    assert after["local/by_person/test.parquet"] == before["local/by_person/test.parquet"]
    assert after["submission/submission.csv"] == before["submission/submission.csv"]


def test_new_people_are_too(ranked):
    later = pd.read_csv(ranked.path / "test.csv")
    later.loc[later["who"] == "u", FEATURES] -= 77.0
    later.sample(frac=1, random_state=1).to_csv(ranked.path / "later.csv", index=False)
    done = ranked.emodag("predict", "later.csv", "--out", "mine.csv")
    assert done.returncode == 0, done.stderr
    mine = pd.read_csv(ranked.path / "mine.csv", dtype=str).set_index("ID")
    order = later.sample(frac=1, random_state=1).index
    submitted = pd.read_csv(ranked.path / "results/submission.csv", dtype=str)
    assert mine["Predicted"].tolist() == submitted["Predicted"][order].tolist()
    assert ranked.emodag("export", "model").returncode == 0
    shutil.move(ranked.path / "model", ranked.path.with_name("away"))
    told = subprocess.run(
        [sys.executable, "-I", ranked.path.with_name("away") / "load.py", "later.csv"],
        cwd=ranked.path,
        text=True,
        capture_output=True,
    )
    assert told.returncode == 0, told.stderr
    classes = json.loads((ranked.path.with_name("away") / "model.json").read_text())["classes"]
    named = [line.split(",")[1] for line in told.stdout.splitlines()[1:]]
    assert named == [classes[int(code)] for code in mine["Predicted"]]
    later.iloc[:16].to_csv(ranked.path / "few.csv", index=False)  # of "v" the first four
    said = ranked.emodag("predict", "few.csv").stderr
    assert "few.csv, column 'who': person 'v' has 4 rows" in said


@pytest.mark.parametrize("group", ["file", "who"])
def test_a_later_file_is_of_the_person_that_its_path_names(project, group):
    for name in ("train", "test"):
        frame = pd.read_csv(project.path / f"{name}.csv", index_col=0)
        people = frame.pop("person") if "person" in frame else np.repeat(["u", "v"], 12)
        for person, part in frame.groupby(np.asarray(people)):
            folder = project.path / name / (f"who=S{person}" if group == "who" else "all")
            folder.mkdir(parents=True, exist_ok=True)
            part.to_csv(folder / f"S{person}.csv", index=False)
    data = {"train": "train", "test": "test", "truth": None, "label": "label", "group": group}
    project.configure(data=data, scaling=RANKED)
    project.snakemake("results/submission.csv")
    (known,) = project.path.glob("test/*/Su.csv")
    shutil.copy(known, project.path / "Su.csv")
    submitted = pd.read_csv(project.path / "results/submission.csv")["Predicted"][:12].tolist()
    for asked in ("Su.csv", str(known.relative_to(project.path))):
        done = project.emodag("predict", asked, "--out", "mine.csv")
        assert done.returncode == 0, done.stderr
        mine = pd.read_csv(project.path / "mine.csv")
        assert mine["Predicted"].tolist() == submitted
        assert set(mine["person"]) == {"Su"}


def test_whose_rows_these_are_must_be_known(project):
    target = "results/local/by_person/manifest.json"
    project.configure(scaling=RANKED)
    said = project.snakemake(target, check=False).stderr
    assert "test.csv: scaling.person or training.adapt needs to know whose these rows are" in said
    data = {"test_blocks": 12}
    project.configure(scaling=RANKED, data=data)
    project.snakemake(target)
    by_number = project.digests()["local/by_person/test.parquet"]
    project.configure(scaling=RANKED, data={"test_blocks": [12, 12]})
    project.snakemake(target)
    assert project.digests()["local/by_person/test.parquet"] == by_number
    project.configure(scaling=RANKED, data={"test_blocks": [12, 11]})
    said = project.snakemake(target, check=False).stderr
    assert "expected 23 rows by data.test_blocks (2 persons), found 24" in said
    project.configure(scaling=RANKED, data={"test_blocks": 3})
    said = project.emodag("check", "small.yaml").stderr
    assert "test.csv: person 1 of data.test_blocks has 3 rows" in said
