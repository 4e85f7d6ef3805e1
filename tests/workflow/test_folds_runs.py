"""Leave-one-person-out and repeated folds, as a user runs them, report included."""

import csv
import io
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from tests.project import Project, jobs
from tests.workflow.test_report import REPORT, cells

BOTH = {"protocols": ["published", "nested"]}
LINEAR = "variants/linear/local/nested/seed1/gen1"


def rows(project: Project, table: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(project.read(f"results/{table}.csv"))))


def held(project: Project, fit: str) -> pd.DataFrame:
    """Row and probabilities of what a fit holds out."""
    return pd.read_parquet(project.path / f"results/{fit}/validation.parquet")


def facts(project: Project) -> pd.DataFrame:
    """Label and person of the training rows."""
    return pd.read_parquet(project.path / "results/local/table/train_rows.parquet")


def seen(project: Project, fit: str) -> set[str]:
    return set(project.json(f"results/{fit}/manifest.json")["labels_seen"])


@pytest.fixture(scope="module")
def repeated(tmp_path_factory) -> Project:
    """Two folds, three times, with a variant and the report; not to be changed."""
    path = tmp_path_factory.mktemp("repeated") / "project"
    more = {"variants": {"linear": {"learner": "logistic_regression"}}}
    project = Project.create(path, **BOTH, **more, folds_repeats=3)
    project.snakemake("all", REPORT)
    return project


def test_every_repeat_holds_everybody_out_once(repeated):
    table = facts(repeated)
    for home in ("local/published/seed1/stage0", "local/nested/seed1/gen1", LINEAR):
        parts = [held(repeated, f"{home}/fold{fold}")["row"] for fold in range(6)]
        for repeat in range(3):
            both = pd.concat(parts[2 * repeat : 2 * repeat + 2])
            assert sorted(both) == list(range(72))
    company = set()
    for fold in range(6):
        rows_ = held(repeated, f"local/nested/seed1/gen1/fold{fold}")["row"]
        held_out = set(table["person"][rows_].astype(str))
        company.add(frozenset(held_out))
        assert seen(repeated, f"local/nested/seed1/gen1/fold{fold}") == set("012345") - held_out
    assert len(company) == 6, "in each repeat others are held out together"


def test_scores_have_a_row_for_every_fold_of_every_repeat(repeated):
    scores = rows(repeated, "scores")
    for protocol, stage in (("published", "stage0"), ("published", "gen1"), ("nested", "gen1")):
        found = [s for s in scores if (s["protocol"], s["stage"]) == (protocol, stage)]
        assert [int(row["fold"]) for row in found] == list(range(6))
    (_, linear) = rows(repeated, "variants")
    fits = [repeated.json(f"results/{LINEAR}/fold{fold}/fit.json") for fold in range(6)]
    assert float(linear["macro_f1"]) == pytest.approx(np.mean([f["macro_f1"] for f in fits]))


def test_the_blend_averages_all_fits(repeated):
    home = repeated.path / "results/local/nested/seed1/gen1"
    fits = [pd.read_parquet(home / f"fold{fold}/test.parquet").to_numpy() for fold in range(6)]
    blend = pd.read_parquet(home / "blend/test.parquet").to_numpy()
    np.testing.assert_allclose(blend, np.mean(fits, axis=0), rtol=1e-5)


def test_the_first_repeat_is_what_there_is_without_others(repeated, finished_nested):
    both, alone = repeated.digests(), finished_nested.digests()
    fits = [name for name in alone if re.search(r"nested/seed1/.*fold\d/", name)]
    assert len(fits) == 2 * (5 + 1 + 5) and all(both[name] == alone[name] for name in fits)


def test_people_count_once_in_the_report_however_often_they_are_held_out(repeated):
    text, table = repeated.read(REPORT), facts(repeated)
    everyone = cells(text, "Every person")
    for one in range(6):
        found = []
        for repeat in range(3):
            parts = [
                held(repeated, f"local/nested/seed1/gen1/fold{2 * repeat + k}") for k in (0, 1)
            ]
            taken = pd.concat(parts).set_index("row").sort_index().to_numpy().argmax(axis=1)
            mine = table["person"].to_numpy() == one
            found.append(f1_score(table["label"][mine], taken[mine], average="macro"))
        assert everyone[str(one)][-2] == f"{np.mean(found):.3f}"
        folds = everyone[str(one)][1].split(", ")
        assert [int(fold) // 2 for fold in folds] == [0, 1, 2]
    by_class = cells(text, "Precision, recall and F1 by class")
    assert by_class["LVLA (nested, held out)"][-1] == "18", "a mean over the repeats"
    assert "2 folds, 3 times" in text and ">fold 5</th>" in text
    assert "Each 2 folds in a row hold everybody out once." in text
    settings = dict(re.findall(r'<th scope="row">(folds\w*)</th>\s*<td>(\w+)</td>', text))
    assert settings == {"folds": "2", "folds_repeats": "3"}


def test_a_second_run_has_nothing_to_do(repeated):
    done = repeated.snakemake("all", REPORT)
    assert jobs(done, "RUN") == jobs(done, "HIT") == []


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory) -> Project:
    """Each of six persons held out once, with the report; not to be changed."""
    project = Project.create(tmp_path_factory.mktemp("one_by_one") / "project", folds="persons")
    project.snakemake("all", REPORT)
    return project


def add_person(project: Project) -> None:
    """Have a seventh person in the training table."""
    table = pd.read_csv(project.path / "train.csv", index_col=0)
    another = table[table["person"] == 0].assign(person=6)
    pd.concat([table, another], ignore_index=True).to_csv(project.path / "train.csv")


def test_each_person_is_held_out_once_and_alone(one_by_one):
    person = facts(one_by_one)["person"]
    for fold in range(6):
        found = held(one_by_one, f"local/nested/seed1/gen1/fold{fold}")["row"]
        assert set(person[found]) == {fold} and len(found) == 12
        others = {str(one) for one in range(6)} - {str(fold)}
        assert seen(one_by_one, f"local/nested/seed1/gen1/fold{fold}") == others
    found = [(row["stage"], int(row["fold"])) for row in rows(one_by_one, "scores")]
    assert found == [(stage, fold) for stage in ("gen0", "gen1") for fold in range(6)]


def test_the_report_says_so(one_by_one):
    text = one_by_one.read(REPORT)
    assert [row[1] for row in cells(text, "Every person").values()] == list("012345")
    assert re.search(r'<th scope="row">folds</th>\s*<td>persons</td>', text)
    assert "fold_assignment" not in text


def test_nothing_is_read_again_for_nothing(one_by_one):
    remembered = one_by_one.path / "results/.plan/persons.json"
    before = remembered.stat().st_mtime_ns
    done = one_by_one.snakemake("all", REPORT)
    assert jobs(done, "RUN") == jobs(done, "HIT") == []
    assert remembered.stat().st_mtime_ns == before
    assert "folds: persons" in one_by_one.read("results/configuration.yaml")
    why = one_by_one.emodag("why", "submission", "--configfile", "small.yaml")
    assert why.returncode == 0 and "up to date" in why.stdout


def test_a_job_on_a_cluster_has_the_folds_of_its_run(one_by_one, tmp_path):
    """It parses the Snakefile anew, when the tables may be others."""
    student = "results/local/nested/seed1/gen1/fold5/manifest.json"
    shutil.copytree(one_by_one.path, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    add_person(project)
    arguments = ("--mode", "remote", "--allowed-rules", "student", "--nolock", "-n", student)
    done = project.snakemake(*arguments, EMODAG_SETTLED='{"folds": 6, "rounds": 0}')
    assert "Nothing to be done" in done.stderr
    done = project.snakemake(*arguments, EMODAG_SETTLED='{"folds": 5, "rounds": 0}', check=False)
    assert done.returncode != 0 and "MissingRuleException" in done.stderr


def test_as_many_folds_as_the_table_has_persons_now(one_by_one, tmp_path):
    shutil.copytree(one_by_one.path, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    project.configure(folds="persons", protocols=["published"])
    stage0 = "results/local/published/seed1/stage0"
    project.snakemake(*(f"{stage0}/fold{fold}/manifest.json" for fold in (0, 5)))
    assert (
        sum(len(held(project, f"local/published/seed1/stage0/fold{f}")) for f in (0, 5)) == 2 * 12
    )
    add_person(project)
    planned = project.snakemake("-n", "results/scores.csv").stderr
    assert re.search(r"stage0 +7\n", planned) and re.search(r"student +7\n", planned)
    checked = project.emodag("check", "small.yaml")
    assert re.search(r"persons +7 of .*and its scores .* 15 fits ", checked.stdout, re.DOTALL)
    table = pd.read_csv(project.path / "train.csv", index_col=0)
    table[table["person"] < 2].to_csv(project.path / "train.csv")
    done = project.snakemake("-n", check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "`folds: persons` needs 3 persons or more" in done.stderr
