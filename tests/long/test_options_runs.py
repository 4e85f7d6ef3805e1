"""Other pseudo-labels and other targets, as variants of one run."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from tests.project import Project

PSEUDO = {
    "flex": {"select": "flexmatch", "threshold": 0.6},
    "free": {"select": "freematch"},
    "few": {"select": "share", "share": 0.1},
    "soft": {"align": "labelled", "soft": True},
    "calm": {"calibrate": "temperature"},
}
CONTROL = {"pseudo_labels": {"control": True}}
TRAINING = {"weighed": {"class_weights": "balanced", "label_smoothing": 0.1}}
VARIANTS = {name: {"pseudo_labels": changes} for name, changes in PSEUDO.items()}
VARIANTS |= {name: {"training": changes} for name, changes in TRAINING.items()}
VARIANTS["soft"]["generations"] = 2
VARIANTS |= {"control": CONTROL, "line": {"learner": "logistic_regression"}}
VARIANTS |= {"line_control": {**VARIANTS["line"], **CONTROL}}


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Project:
    """All of them, compared; not to be changed."""
    place = tmp_path_factory.mktemp("options") / "project"
    project = Project.create(place, variants=VARIANTS)
    done = project.snakemake("results/variants.csv", "results/variants/soft/submission.csv")
    (project.path / "said").write_text(done.stderr)
    return project


def chosen(project: Project, name: str, fold: int = 0, generation: int = 1) -> pd.DataFrame:
    home = "results" if name == "base" else f"results/variants/{name}"
    path = f"{home}/local/nested/seed1/gen{generation}/pseudo_labels/fold{fold}"
    return pd.read_parquet(project.path / path / "pseudo_labels.parquet")


def test_each_is_scored_and_shares_the_teachers(compared):
    found = pd.read_csv(compared.path / "results/variants.csv").set_index("variant")
    assert list(found.index) == [
        *(
            "base",
            "calm",
            "control",
            "few",
            "flex",
            "free",
            "line",
            "line_control",
            "soft",
            "weighed",
        )
    ]
    assert found["macro_f1"].between(0, 1).all() and set(found["leak_free"]) == {"yes"}
    ran = re.findall(r"RUN +\w{12}  (\S+)", compared.read("said"))
    teachers = [job for job in ran if "/gen0/fold" in job or "/inner_fit/" in job]
    assert {job.partition("/local/")[0] for job in teachers} == {
        "local/nested/seed1/gen0/fold0",
        "local/nested/seed1/gen0/fold1",
        "variants/calm",
        "variants/line",
        "variants/weighed",
    }


def test_what_pseudo_labels_are_worth_is_told_of_each_that_has_a_control(compared):
    said = compared.emodag("variants").stdout
    for name in ("base", "line"):
        assert f"Pseudo-labels of {name}: " in said


@pytest.mark.parametrize(("name", "like"), [("control", "base"), ("line_control", "line")])
def test_the_control_learns_as_many_rows_as_the_last_generation(compared, name, like):
    """And nothing else than labelled ones of the same persons, in fits that nothing else tells."""
    ran = re.findall(r"RUN +\w{12}  (\S+)", compared.read("said"))
    own = [job for job in ran if job.startswith(f"variants/{name}/local/")]
    assert own == [job for job in own if "/gen1/" in job and "pseudo_labels" not in job]
    for fold in (0, 1):
        place = f"local/nested/seed1/gen1/fold{fold}"
        home = "" if like == "base" else f"variants/{like}/"
        control, student = (
            compared.json(f"results/{at}{place}/fit.json") for at in (f"variants/{name}/", home)
        )
        assert student["n_pseudo"] > 0 and control["n_pseudo"] == 0
        assert control["n_train"] == student["n_train"] + student["n_pseudo"]
    assert "over as many steps on labelled rows alone." in compared.read("said")


def test_rows_are_chosen_as_asked(compared):
    tables = {name: chosen(compared, name) for name in ("base", *PSEUDO)}
    predicted = pd.read_parquet(
        compared.path / "results/local/nested/seed1/gen0/fold0/test.parquet"
    ).to_numpy()
    counts = np.bincount(predicted.argmax(axis=1), minlength=4)
    expected = [max(1, round(0.1 * count)) if count else 0 for count in counts]
    assert np.bincount(tables["few"]["label"], minlength=4).tolist() == expected
    assert tables["flex"]["confidence"].min() < 0.6
    assert len({tuple(table["row"]) for table in tables.values()}) > 2
    assert list(tables["soft"])[3:] == ["p0", "p1", "p2", "p3"]
    assert list(tables["base"]) == ["row", "label", "confidence"]


def test_shares_of_classes_are_those_of_persons_who_are_not_held_out(compared):
    rows = pd.read_parquet(compared.path / "results/local/table/train_rows.parquet")
    folds = pd.read_parquet(compared.path / "results/local/folds/folds.parquet")
    for generation in (1, 2):
        home = f"results/variants/soft/local/nested/seed1/gen{generation}/pseudo_labels/fold0"
        seen = set(compared.json(f"{home}/manifest.json")["labels_seen"])
        assert seen == set(rows["person"][folds["group_fold"] != 0].astype(str))


def test_the_temperature_is_of_persons_who_are_not_held_out(compared):
    rows = pd.read_parquet(compared.path / "results/local/table/train_rows.parquet")
    folds = pd.read_parquet(compared.path / "results/local/folds/folds.parquet")
    learnt = set(rows["person"][folds["group_fold"] != 0].astype(str))
    home = "results/variants/calm/local/nested/seed1/gen0"
    inner = set(compared.json(f"{home}/inner_fit/fold0/manifest.json")["labels_seen"])
    predicted = pd.read_parquet(compared.path / home / "inner_fit/fold0/validation.parquet")["row"]
    apart = set(rows["person"][predicted].astype(str))
    assert inner | apart == learnt and not inner & apart
    seen = compared.json(f"{home}/temperature/fold0/manifest.json")["labels_seen"]
    assert set(seen) == learnt
    sure = compared.json(f"{home}/temperature/fold0/temperature.json")["temperature"]
    plain, calm = (chosen(compared, name)["confidence"] for name in ("base", "calm"))
    assert (len(calm) > len(plain)) == (sure < 1)


def test_a_second_run_takes_all_from_the_store(compared, tmp_path):
    project = Project(tmp_path / "project")
    shutil.copytree(compared.path, project.path, symlinks=True)
    shutil.rmtree(project.path / "results")
    done = project.snakemake("results/variants.csv")
    assert not re.findall(r"RUN +\w{12}", done.stderr)
    weighed = "results/variants/weighed/local/nested/seed1/gen1/fold0/history.parquet"
    again, before = (pd.read_parquet(each.path / weighed) for each in (project, compared))
    pd.testing.assert_frame_equal(again, before)
