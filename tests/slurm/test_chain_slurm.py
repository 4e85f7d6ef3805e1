"""The chain on Slurm: the bytes of the local run, and about as many Slurm jobs as fits."""

import re

import pytest

from tests.project import Project

from .conftest import command, computed, create, edit_profile

SEVERAL = {"protocols": ["published", "nested"], "seeds": [1, 2]}
FIT = re.compile(r"local/\w+/seed\d+/(stage0|gen\d+)/(all|fold\d+)")


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Project:
    """The chain without Slurm."""
    project = Project.create(tmp_path_factory.mktemp("local") / "project", **SEVERAL)
    project.snakemake()
    return project


def test_chain_makes_the_same_bits_in_about_as_many_slurm_jobs_as_fits(slurm, local, tmp_path):
    project = create(tmp_path / "project", **SEVERAL)
    # The block that fits on a GPU need; here the GPUs are mere names, and the fits use none.
    on_gpu = {"gpu": 1, "slurm_partition": "gpu"}
    edit_profile(project, resources=dict.fromkeys(("teacher", "student", "stage0"), on_gpu))
    run = slurm.run(project)
    for name in ("submission.csv", "scores.csv", "leaderboard.csv"):
        assert project.read(f"results/{name}") == local.read(f"results/{name}")
    assert project.digests() == local.digests()
    assert computed(project) == computed(local)
    assert set(slurm.states(run).values()) == {"COMPLETED"}

    fits = list(filter(FIT.fullmatch, computed(local)))
    assert (len(fits), len(computed(local))) == (18, 38)
    # Beside the fits: what comes before them, and the tables. Of the blends, two of each run seed
    # make up for what the fits of the nested protocol save, and those of generation 0 do not.
    assert len(run.submitted) <= len(fits) + 4

    # Threads, memory and time: of a group the most threads and memory, and the sum of the times.
    fields = "Comment:99,NumCPUs:9,MinMemory:9,TimeLimit:19,Partition:9,tres-per-job:19"
    lines = command("squeue", "-h", "--states=all", "--name", run.name, "-O", fields).splitlines()
    asked = {" ".join(line.split()) for line in lines}
    assert "rule_data_folds_ingest_scale 2 2000M 25:00 main N/A" in asked
    assert "rule_tables_leaderboard_scores_submission 1 1000M 15:00 main N/A" in asked
    fold = "rule_nested_fits_pseudo_label_student_teacher 1 1500M 25:00 gpu gres:gpu:1"
    assert fold in asked


def test_what_is_up_to_date_is_not_submitted(slurm, tmp_path):
    project = create(tmp_path / "project")
    project.snakemake()
    assert slurm.run(project).submitted == []
