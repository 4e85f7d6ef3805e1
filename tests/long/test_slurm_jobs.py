"""What Slurm's executor starts, and what the profile for it asks for, without a Slurm."""

import shutil

import pytest
import yaml

from tests.project import ROOT


def test_a_job_that_outlives_its_run_on_a_cluster_removes_nothing(copy_of_finished):
    """As Slurm's executor starts it; what is there when it fails is made by another run."""
    project = copy_of_finished
    shutil.rmtree(project.path / ".emodag")
    made = "results/local/folds/folds.parquet"
    (project.path / "workflow/emodag/stages/folds.py").write_text(
        f"open({made!r}, 'w').write('by another run')\nraise ValueError('gives way')"
    )
    cluster = "--mode remote --no-hooks --force --nolock --local-groupid 1 --allowed-rules folds"
    done = project.snakemake(*cluster.split(), "--target-jobs", "folds:env=local", check=False)
    assert done.returncode and "ValueError: gives way" in done.stderr
    assert project.read(made) == "by another run"


@pytest.mark.parametrize("name", ["train.csv", "a{b}c.csv"])
def test_the_slurm_profile_asks_by_the_size_of_a_raw_table(project, name):
    """Here by the byte. Where Snakemake would take a name for a wildcard, no size is known."""
    text = (ROOT / "workflow/profiles/slurm/config.yaml").read_text().replace("10**6", "1")
    resources = yaml.safe_load(text)["set-resources"]
    train = (project.path / "train.csv").rename(project.path / name)
    tables = [] if "{" in name else [train, project.path / "test.csv"]
    wanted = 2000 + 3 * sum(table.stat().st_size for table in tables)
    resources["ingest"]["mem_mb"] = f"{{{wanted}: 1}}[{resources['ingest']['mem_mb']}]"
    (project.path / "asked").mkdir()
    (project.path / "asked/config.yaml").write_text(yaml.safe_dump({"set-resources": resources}))
    project.configure(data={"train": name})
    project.snakemake("-n", "--profile", "asked")  # which does not know another number
