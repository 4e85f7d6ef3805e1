"""`workflow/config/cross_subject.yaml` with somebody's tables: runs, and says what it asks for."""

import pandas as pd
import pytest
import yaml

from tests.project import SMALL, Project

FILES = ("workflow/config/cross_subject.yaml", "small.yaml")


@pytest.fixture
def with_preset(tmp_path):
    """A project whose own file leaves to the preset what that decides."""

    def make(**changes) -> Project:
        project = Project.create(tmp_path / "project")
        own = {
            key: value for key, value in SMALL.items() if key not in ("generations", "protocols")
        }
        own["data"] = {**own["data"], **changes.pop("data", {})}
        own["variants"] = {"trees": {"learner": "svm"}}  # LightGBM would have to be built
        (project.path / "small.yaml").write_text(yaml.safe_dump({**own, **changes}))
        return project

    return make


def test_it_runs_with_tables_of_ones_own(with_preset):
    project = with_preset(data={"test_blocks": 12})
    done = project.emodag("check", *FILES)
    assert done.returncode == 0, done.stderr
    assert "persons, test   2 of 12 rows each" in done.stdout
    command = f"results/submission.csv results/variants.csv --configfile {' '.join(FILES)}"
    assert command in done.stdout
    project.snakemake("results/submission.csv", "results/variants.csv", configfiles=FILES)
    compared = pd.read_csv(project.path / "results/variants.csv")
    assert compared["variant"].tolist() == ["base", "linear", "trees", "vote"]
    assert not list(project.path.glob("results/**/gen1"))
    assert (project.path / "results/local/by_person/test.parquet").is_file()
    assert len(pd.read_csv(project.path / "results/submission.csv")) == 24


def test_without_persons_to_predict_it_says_what_to_do(with_preset):
    done = with_preset().snakemake("results/submission.csv", configfiles=FILES, check=False)
    assert done.returncode == 1
    assert "name the column of persons in data.test_group" in done.stderr
    assert "where nobody knows, set scaling.person" in done.stderr
