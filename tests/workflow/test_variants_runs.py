"""Variants through Snakemake, with learners that the running interpreter has the packages of.

`tests/long/test_built_learners.py` has the others, `test_more_variants.py` two run seeds.
"""

import csv
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

import emodag
from tests.project import Project, jobs

TABLE = "results/variants.csv"

VARIANTS = {
    "alone": {"generations": 0},
    "linear": {"learner": "logistic_regression"},
    "leaky": {"learner": "svm", "scheme": "kfold", "generations": 0},
    "relative": {"scaling": {"person": "z"}, "model": {"residual": False}, "generations": 0},
}

ASKED = {
    "data": {"test_blocks": 12},
    "variants": VARIANTS,
    "blends": {"all": {"of": ["base", "linear", "relative"], "weights": "hill_climbing"}},
    "search": {"trials": 2, "space": {"training.learning_rate": {"log": [0.001, 0.1]}}},
}

NAMES = ["base", "alone", "leaky", "linear", "relative", "t001", "t002", "all"]


def rows(project: Project) -> dict[str, dict]:
    with (project.path / TABLE).open(newline="") as stream:
        return {row["variant"]: row for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Project:
    """A few variants, compared; not to be changed."""
    project = Project.create(tmp_path_factory.mktemp("variants") / "project", **ASKED)
    done = project.snakemake(TABLE)
    (project.path / "said").write_text(done.stderr)
    return project


@pytest.fixture
def copied(compared, tmp_path) -> Project:
    project = Project(tmp_path / "project")
    shutil.copytree(compared.path, project.path, symlinks=True)
    return project


def held(project: Project, name: str) -> pd.DataFrame:
    stage = "vote" if name == "all" else "held_out"
    return pd.read_parquet(project.path / f"results/variants/{name}/{stage}/held_out.parquet")


def test_every_variant_has_a_row_with_its_score(compared):
    found = rows(compared)
    assert list(found) == NAMES
    labels = pd.read_parquet(compared.path / "results/local/table/train_rows.parquet")["label"]
    for name in NAMES:
        table = held(compared, name)
        seeds = table["seed"].nunique()
        assert len(table) == 72 * seeds, "every row, held out once for each run seed"
        classes = [f"p{k}" for k in range(4)]
        table["predicted"] = table[classes].to_numpy().argmax(axis=1)
        table["label"] = labels.to_numpy()[table["row"]]
        scores = [
            f1_score(part["label"], part["predicted"], average="macro")
            for _, part in table.groupby(["seed", "fold"])
        ]
        assert float(found[name]["macro_f1"]) == pytest.approx(np.mean(scores)), name
        assert 0 <= float(found[name]["hidden"]) <= 1
        assert float(found[name]["hidden_low"]) <= float(found[name]["hidden_high"])
    assert found["leaky"]["leak_free"] == "no" and found["leaky"]["p"] == ""
    assert found["relative"]["changes"] == ("generations=0; model.residual=false; scaling.person=z")


def test_what_is_alike_is_computed_once(compared):
    ran = re.findall(r"RUN +\w{12}  (\S+)", compared.read("said"))
    assert len(ran) == len(set(ran))
    alone = [job for job in ran if job.startswith("variants/alone/")]
    assert alone == ["variants/alone/held_out"], "its teachers are those of base"
    found = rows(compared)
    assert int(found["alone"]["shared"]) == int(found["alone"]["jobs"])
    assert int(found["t001"]["shared"]) == 2 + 2, "tables, folds and scalers"


def test_whoever_is_held_out_has_been_seen_by_nobody(compared):
    folds = pd.read_parquet(compared.path / "results/local/folds/folds.parquet")
    people = pd.read_parquet(compared.path / "results/local/table/train_rows.parquet")["person"]
    for name, fit, column in (
        ("linear", "gen0/fold1", "group_fold"),
        ("linear", "gen1/fold1", "group_fold"),
        ("leaky", "gen0/fold1", "row_fold"),
    ):
        home = f"results/variants/{name}/local/nested/seed1/{fit}"
        is_held_out = folds[column] == 1
        found = pd.read_parquet(compared.path / home / "validation.parquet")
        assert found["row"].tolist() == folds.index[is_held_out].tolist()
        seen = set(compared.json(f"{home}/manifest.json")["labels_seen"])
        assert seen.isdisjoint(people[is_held_out].astype(str)) == (name == "linear")


def test_a_new_variant_computes_only_what_is_new(copied):
    asked = {**ASKED, "variants": {**VARIANTS, "eager": {"pseudo_labels": {"threshold": 0.3}}}}
    copied.configure(**asked)
    ran = jobs(copied.snakemake(TABLE), "RUN")
    assert {job for job in ran if "eager" not in job} == {"variants"}
    assert not any("gen0" in job or "scaled" in job for job in ran)
    assert list(rows(copied)) == [*NAMES[:2], "eager", *NAMES[2:]]


def test_any_of_them_can_be_submitted(copied):
    for name in ("linear", "all"):
        copied.snakemake(f"results/variants/{name}/submission.csv")
        copied.configure(**ASKED, submit=name)
        copied.snakemake("results/submission.csv", "results/leaderboard.csv")
        own = copied.read(f"results/variants/{name}/submission.csv")
        assert copied.read("results/submission.csv") == own
        results = emodag.open(copied.path / "results")
        last = results.leaderboard().iloc[-1]
        assert last["stage"] == "submission"
        assert last["macro_f1"] == pytest.approx(float(rows(copied)[name]["hidden"]))
    assert results.variants()["variant"].tolist() == NAMES
    predictions, classes = results.predictions(), results.config.data.classes
    best = predictions[classes].to_numpy().argmax(axis=1)
    assert (best == predictions["Predicted"]).all(), "a vote's, without a boost"


def test_persons_of_a_later_table_are_known_by_the_training_tables_column(copied):
    """Where neither `group` nor `test_group` can be named: columns have no names there."""
    frame = pd.read_csv(copied.path / "test.csv", index_col=0)
    copied.configure(**{**ASKED, "variants": {"relative": VARIANTS["relative"]}, "blends": {}})
    copied.snakemake("results/variants/relative/submission.csv")
    later = copied.emodag("predict", "test.csv", "--of", "relative")
    assert later.returncode == 1 and "the column person behind its first one" in later.stderr
    frame.assign(person=np.repeat(["u", "v"], 12)).to_csv(copied.path / "later.csv")
    done = copied.emodag("predict", "later.csv", "--of", "relative", "--out", "mine.csv")
    assert done.returncode == 0, done.stderr
    made = pd.read_csv(copied.path / "mine.csv")
    submitted = pd.read_csv(copied.path / "results/variants/relative/submission.csv")
    assert made["Predicted"].equals(submitted["Predicted"]) and set(made["person"]) == {"u", "v"}


def test_the_end_of_a_run_the_verb_and_the_report_say_what_it_comes_to(copied):
    said = copied.read("said")
    assert "With 6 persons no difference among 6 variants could be told from chance" in said
    assert "The best of 7 is " in said
    done = copied.emodag("variants")
    assert done.returncode == 0, done.stderr
    assert "With 6 persons" in done.stdout and "shared" in done.stdout.splitlines()[0]
    lines = copied.emodag("variants", "--markdown").stdout.splitlines()
    assert len(lines) == 2 + len(NAMES) and lines[1].startswith("| --- |")
    assert r"\toprule" in copied.emodag("variants", "--latex").stdout and not done.stderr
    copied.snakemake("results/report.html")
    text = copied.read("results/report.html")
    table = text[text.index("Every variant, best first") :]
    score = float(rows(copied)["linear"]["macro_f1"])
    row = re.search(r'<th scope="row">linear</th>(.*?)</tr>', table, re.DOTALL)[1]
    assert f"<td>{score:.3f}</td>" in row
    mine, other = (copied.path / f"results/variants/{n}/submission.csv" for n in ("t001", "linear"))
    copied.snakemake(*(str(path.relative_to(copied.path)) for path in (mine, other)))
    content = mine.read_bytes()
    shutil.copy(other, mine)
    copied.snakemake("results/variants/t001/submission.csv")
    assert mine.read_bytes() == content != other.read_bytes()
    with (copied.path / "train.csv").open("a") as stream:
        stream.write("\n")
    assert "have changed since results/variants.csv" in copied.emodag("variants").stderr
    (copied.path / "train.csv").unlink()
    done = copied.emodag("variants")
    assert done.returncode == 0 and "cannot be told: train.csv" in done.stderr
    (copied.path / TABLE).write_text("variant\n")
    done = copied.emodag("variants")
    assert done.returncode == 1 and "is missing or damaged" in done.stderr


def test_a_package_that_is_not_there_is_named(copied):
    running = {"locks": ["envs/local.lock", "envs/local.torch-cpu.lock"], "python": "running"}
    trees = {"trees": {"learner": "lightgbm"}}
    copied.configure(variants=trees, environments={"learners": running})
    done = copied.snakemake(TABLE, check=False)
    assert "`learner: lightgbm` needs the package 'lightgbm'" in done.stderr
    assert "Traceback" not in done.stderr


def test_there_is_none_without_variants(project):
    done = project.snakemake("-n", TABLE, check=False)
    assert "there is nothing to compare, as the configuration names no `variants`" in done.stderr


def test_what_waits_for_a_trial_is_asked_for_together_and_alone(project):
    space = {"training.mixup": {"uniform": [0, 1]}}
    search = {"trials": 12, "sampler": "tpe", "space": space}
    project.configure(search=search, submit="t012")
    for targets in ([TABLE, "results/submission.csv"], ["results/submission.csv"]):
        done = project.snakemake("-n", *targets)
        assert "Draw round 2 of the search" in done.stderr
    done = project.snakemake("-n", "results/variants/t012/submission.csv", check=False)
    assert "t012/submission.csv: this trial of the search is not drawn yet" in done.stderr


def test_without_rows_to_predict_the_teacher_alone_is_scored(tmp_path):
    project = Project.create(tmp_path / "project")
    data = {"test": None, "truth": None}
    variants = {"linear": {"learner": "svm"}}
    project.configure(data=data, generations=0, variants=variants)
    project.snakemake(TABLE, "results/scores.csv")
    scores = pd.read_csv(project.path / "results/scores.csv")
    assert scores["stage"].tolist() == ["gen0"] * 2
    found = rows(project)
    assert list(found) == ["base", "linear"] and found["linear"]["hidden"] == ""
