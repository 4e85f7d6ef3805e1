"""Leave-one-person-out, as a user runs it; `tests/long/test_repeats.py` has repeated folds."""

import csv
import io
import re
import shutil

import pandas as pd
import pytest

from tests.project import Project, jobs


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
def one_by_one(tmp_path_factory) -> Project:
    """Each of three persons held out once; not to be changed."""
    project = Project.create(tmp_path_factory.mktemp("one_by_one") / "project")
    keep(project, 3)
    project.configure(folds="persons", generations=0)
    project.snakemake()
    return project


def keep(project: Project, persons: int) -> None:
    """Have the first persons alone in the training table."""
    table = pd.read_csv(project.path / "train.csv", index_col=0, float_precision="round_trip")
    table[table["person"] < persons].to_csv(project.path / "train.csv")


def add_person(project: Project) -> None:
    """Have a fourth person in the training table."""
    table = pd.read_csv(project.path / "train.csv", index_col=0)
    another = table[table["person"] == 0].assign(person=3)
    pd.concat([table, another], ignore_index=True).to_csv(project.path / "train.csv")


def test_each_person_is_held_out_once_and_alone(one_by_one):
    person = facts(one_by_one)["person"]
    for fold in range(3):
        found = held(one_by_one, f"local/nested/seed1/gen0/fold{fold}")["row"]
        assert set(person[found]) == {fold} and len(found) == 12
        others = {str(one) for one in range(3)} - {str(fold)}
        assert seen(one_by_one, f"local/nested/seed1/gen0/fold{fold}") == others
    found = [(row["stage"], int(row["fold"])) for row in rows(one_by_one, "scores")]
    assert found == [("gen0", fold) for fold in range(3)]


def test_nothing_is_read_again_for_nothing(one_by_one):
    remembered = one_by_one.path / "results/.plan/persons.json"
    before = remembered.stat().st_mtime_ns
    done = one_by_one.snakemake()
    assert jobs(done, "RUN") == jobs(done, "HIT") == []
    assert remembered.stat().st_mtime_ns == before
    assert "folds: persons" in one_by_one.read("results/configuration.yaml")
    why = one_by_one.emodag("why", "submission", "--configfile", "small.yaml")
    assert why.returncode == 0 and "up to date" in why.stdout


def test_a_job_on_a_cluster_has_the_folds_of_its_run(one_by_one, tmp_path):
    """It parses the Snakefile anew, when the tables may be others."""
    teacher = "results/local/nested/seed1/gen0/fold2/manifest.json"
    shutil.copytree(one_by_one.path, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    add_person(project)
    arguments = ("--mode", "remote", "--allowed-rules", "teacher", "--nolock", "-n", teacher)
    done = project.snakemake(*arguments, EMODAG_SETTLED='{"folds": 3, "rounds": 0}')
    assert "Nothing to be done" in done.stderr
    done = project.snakemake(*arguments, EMODAG_SETTLED='{"folds": 2, "rounds": 0}', check=False)
    assert done.returncode != 0 and "MissingRuleException" in done.stderr


def test_as_many_folds_as_the_table_has_persons_now(one_by_one, tmp_path):
    shutil.copytree(one_by_one.path, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    project.configure(folds="persons", protocols=["published"])
    stage0 = "results/local/published/seed1/stage0"
    project.snakemake(*(f"{stage0}/fold{fold}/manifest.json" for fold in (0, 2)))
    assert (
        sum(len(held(project, f"local/published/seed1/stage0/fold{f}")) for f in (0, 2)) == 2 * 12
    )
    add_person(project)
    planned = project.snakemake("-n", "results/scores.csv").stderr
    assert re.search(r"stage0 +4\n", planned) and re.search(r"student +4\n", planned)
    checked = project.emodag("check", "small.yaml")
    assert re.search(r"persons +4 of .*and its scores .* 9 fits ", checked.stdout, re.DOTALL)
    keep(project, 2)
    done = project.snakemake("-n", check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "`folds: persons` needs 3 persons or more" in done.stderr
