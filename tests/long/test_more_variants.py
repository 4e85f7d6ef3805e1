"""Variants of two run seeds: what else is done with them than in `tests/workflow`."""

import re
import shutil

import pandas as pd
import pytest

from tests.project import Project, jobs
from tests.workflow import test_variants_runs as one_seed
from tests.workflow.test_variants_runs import NAMES, TABLE, rows

ASKED = {**one_seed.ASKED, "seeds": [1, 2]}


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Project:
    """The variants of two run seeds, compared; not to be changed."""
    project = Project.create(tmp_path_factory.mktemp("variants") / "project", **ASKED)
    project.snakemake(TABLE)
    return project


@pytest.fixture
def copied(compared, tmp_path) -> Project:
    project = Project(tmp_path / "project")
    shutil.copytree(compared.path, project.path, symlinks=True)
    return project


def test_every_variant_has_a_row_with_its_score(compared):
    one_seed.test_every_variant_has_a_row_with_its_score(compared)
    assert one_seed.held(compared, NAMES[0])["seed"].nunique() == 2


def test_a_variant_is_what_its_own_configuration_makes(compared, tmp_path):
    """Which finds all of it in the store, but for a table of which no variant needs persons."""
    store = str(compared.path / ".emodag/store")
    for name in ("linear", "alone"):
        made = f"results/variants/{name}/submission.csv"
        compared.snakemake(made)
        same = {key: ASKED[key] for key in ("data", "seeds")}
        project = Project.create(tmp_path / name, **ASKED["variants"][name], **same)
        tables = ("results/scores.csv", "results/submission.csv")
        ran = {*jobs(project.snakemake(*tables, EMODAG_STORE=store), "RUN")}
        assert ran - {"local/table"} == {"scores"}
        assert project.read("results/submission.csv") == compared.read(made)
        scores = pd.read_csv(project.path / "results/scores.csv")
        last = scores[scores["stage"] == scores["stage"].max()]
        assert last["macro_f1"].mean() == pytest.approx(float(rows(compared)[name]["macro_f1"]))


def test_more_trials_keep_those_before(copied):
    before = rows(copied)
    copied.configure(**{**ASKED, "search": {**ASKED["search"], "trials": 3}})
    ran = jobs(copied.snakemake(TABLE), "RUN")
    assert all("t003" in job or job == "variants" for job in ran)
    after = rows(copied)
    for name in ("t001", "t002"):
        assert after[name]["macro_f1"] == before[name]["macro_f1"]


def test_a_second_run_takes_all_from_the_store(copied):
    shutil.rmtree(copied.path / "results")
    assert jobs(copied.snakemake(TABLE), "RUN") == []


def test_the_networks_of_a_variant_predict_what_comes_later(copied):
    """As in its submission, whether its fits are its own or shared; other learners are not kept."""
    shutil.copy(copied.path / "test.csv", copied.path / "later.csv")
    for name in ("t001", "alone"):
        copied.snakemake(f"results/variants/{name}/submission.csv")
        done = copied.emodag("predict", "later.csv", "--of", name, "--out", f"{name}.csv")
        assert done.returncode == 0, done.stderr
        mine = pd.read_csv(copied.path / f"{name}.csv")
        submitted = pd.read_csv(copied.path / f"results/variants/{name}/submission.csv")
        pd.testing.assert_frame_equal(mine[["ID", "Predicted"]], submitted)
    assert copied.emodag("export", "model", "--of", "t001").returncode == 0
    for name, why in (("linear", "of which no model"), ("all", "is a vote"), ("t009", "there are")):
        done = copied.emodag("predict", "later.csv", "--of", name)
        assert done.returncode == 1 and why in done.stderr


def test_a_report_comes_back_with_the_tables_that_it_rests_on(copied):
    """Variants are left out and asked for again: all is restored, and nothing set aside twice."""
    submission = "variants/linear/submission"
    copied.snakemake("results/report.html", f"results/{submission}.csv")
    written = copied.read(f"results/{submission}.csv")
    copied.configure(seeds=[1, 2], data={"test_blocks": 12})
    said = copied.snakemake("results/report.html").stderr
    assert not (copied.path / TABLE).exists()
    assert not (copied.path / f"results/{submission}.csv").exists()
    (aside,) = re.findall(rf"it is now (results/earlier/{submission}-\w+\.csv)", said)
    assert copied.read(aside) == written
    copied.configure(**ASKED, submit="linear")
    said = copied.snakemake("results/report.html").stderr
    assert (copied.path / TABLE).is_file()
    assert "The submission is of linear" in said
    assert "is of linear by" in copied.read("results/report.html")
