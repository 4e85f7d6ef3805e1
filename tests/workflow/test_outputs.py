"""docs/outputs.md names every file of a run, and every column and key in it."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emodag.chain.jobs import LISTING
from emodag.chain.stages import TABLE
from tests.project import ROOT, Project

PAGE = (ROOT / "docs/outputs.md").read_text()

SECTIONS = {
    name: text
    for heading, text in re.findall(r"^### (.+)\n((?:(?!^##).*\n)*)", PAGE, re.MULTILINE)
    for name in re.findall(r"`([^`]+)`", heading)
}
"""What the page says of each file, by the file's name."""


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> Project:
    """A run with a control, a vote, soft pseudo-labels, and predictions of a later table."""
    project = Project.create(tmp_path_factory.mktemp("outputs") / "project")
    project.configure(
        pseudo_labels={"soft": True, "calibrate": "temperature"},
        variants={"control": {"pseudo_labels": {"control": True}}},
        blends={"both": {"of": ["base", "control"], "weights": "hill_climbing"}},
    )
    project.snakemake("tables", "results/variants.csv")
    done = project.emodag("predict", "test.csv")
    assert done.returncode == 0, done.stderr
    return project


def columns(path: Path) -> Iterator[str]:
    """The columns of a table or the keys of an object, but for features and numbers of classes."""
    if path.suffix == ".csv":
        with path.open(newline="") as stream:
            names = next(csv.reader(stream))
    elif path.suffix == ".parquet":
        names = pq.read_schema(path).names
    elif path.suffix == ".json":
        names = json.loads(path.read_text())
    else:
        names = []
    for name in names:
        if not re.fullmatch(r"f\d+|p[1-9]", name):
            yield re.sub(r"^probability of .*", "probability of CLASS", name)


def test_each_column_that_a_run_writes_is_explained(everything):
    recorded = ("manifest.json", "provenance.json", ".log", ".yaml")
    found = [
        path
        for path in sorted((everything.path / "results").rglob("*"))
        if path.is_file() and not path.name.endswith(recorded) and ".plan" not in path.parts
    ]
    assert {"scores.csv", "variants.csv", "selection.json", "weights.json", "persons.csv"} <= {
        path.name for path in found
    }
    lacking = [
        f"{path}: {name}"
        for path in found
        for name in columns(path)
        if path.name != "weights.json" and f"`{name}`" not in SECTIONS[path.name]
    ]
    assert not lacking


def test_each_file_that_a_stage_makes_is_explained():
    made = {file for stage in TABLE for file in stage.makes} | {Path(LISTING).name}
    assert made - {"truth.csv", "contrast.json"} <= SECTIONS.keys()
