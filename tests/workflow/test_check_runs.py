"""`check` reads the tables as a run does, says what it understood and what a run takes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import Project


@pytest.fixture(scope="module")
def checked(tmp_path_factory) -> tuple[Project, str]:
    """What the command of the environment says of a project, whose tables differ in their order."""
    project = Project.create(tmp_path_factory.mktemp("check") / "project")
    swapped = project.read("test.csv").replace("f0,f1", "f1,f0", 1)
    (project.path / "test.csv").write_text(swapped)
    before = sorted(project.path.rglob("*.csv"))
    command = [Path(sys.prefix, "bin/emodag"), "check", "small.yaml"]
    done = subprocess.run(command, cwd=project.path, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert sorted(project.path.rglob("*.csv")) == before
    return project, done.stdout


def test_what_was_understood(checked):
    _, said = checked
    facts = dict(re.findall(r"(?m)^(\S[^\n]{14}\S?) *(.*)$", said))
    facts = {name.strip(): text for name, text in facts.items()}
    assert facts["training table"] == "train.csv: 72 rows"
    assert facts["test table"] == "test.csv: 24 rows"
    assert facts["persons"] == "6 of 12 rows each: 0, 1, 2, 3, 4, 5"
    assert facts["classes"] == "LVLA 18, HVLA 18, LVHA 18, HVHA 18"
    assert facts["features"] == "8"
    assert facts["cells, train"] == "1 beyond 1e20; in one feature"


def test_the_jobs_are_those_that_snakemake_plans(checked):
    project, said = checked
    assert re.search(r"a step of 16 rows takes [1-9]\d* ms here", said)
    told = [int(count) for count in re.findall(r"(\d+) jobs, ", said)]
    planned = [
        int(re.search(r"(?m)^total +(\d+)$", project.snakemake("-n", *targets).stderr)[1])
        for targets in (["results/submission.csv"], ["tables"])
    ]
    assert [told[0], told[1] + 1] == planned  # `tables` is a job of Snakemake's


def test_it_writes_nothing_into_the_project(checked):
    project, _ = checked
    assert not (project.path / ".emodag").exists()


def test_the_command_to_run_next_names_the_files(checked):
    _, said = checked
    assert re.search(r"Next: snakemake -c\d+ results/submission.csv --configfile small.yaml$", said)


def test_warnings_of_the_tables_are_told(checked):
    _, said = checked
    assert "WARNING test.csv: features are ordered as in train.csv, by name" in said


def test_a_fault_in_a_table_is_told_as_by_a_run(tmp_path):
    project = Project.create(tmp_path / "project", data={"label": "label", "group": "person"})
    (project.path / "train.csv").write_text("f0,label,person\n1,calm,S1\n")
    (project.path / "test.csv").write_text("f0\n1\n")
    done = project.emodag("check", "small.yaml")
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith("emodag: error: train.csv, column 'label', data row 1")
    assert "Traceback" not in done.stderr
