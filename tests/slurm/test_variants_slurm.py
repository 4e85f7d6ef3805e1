"""Variants on Slurm: what they share is computed once, and the table is the local run's."""

from collections import Counter

from tests.project import Project

from .conftest import command, computed, create

TABLE = "results/variants.csv"

ASKED = {
    "variants": {
        "surest": {"pseudo_labels": {"select": "share"}},
        "alone": {"generations": 0},
        "linear": {"learner": "logistic_regression"},
    },
    "blends": {"all": {"of": ["base", "linear"], "weights": "hill_climbing"}},
}


def test_variants_share_their_jobs_and_have_the_bytes_of_the_local_run(slurm, tmp_path):
    local = Project.create(tmp_path / "local", **ASKED)
    local.snakemake(TABLE)
    project = create(tmp_path / "project", **ASKED)
    run = slurm.run(project, target=TABLE)
    for name in (TABLE, "results/selection.json"):
        assert project.read(name) == local.read(name)
    assert project.digests() == local.digests()
    assert computed(project) == computed(local)
    assert len(set(computed(project))) == len(computed(project)), "each once"
    assert not any("variants/alone/local" in job for job in computed(project))
    assert set(slurm.states(run).values()) == {"COMPLETED"}

    # A fold of a variant is one job, from where it differs; the table is one with what it reads.
    groups = command("squeue", "--noheader", "--states=all", "--name", run.name, "-o", "%k")
    assert Counter(groups.split()) == {
        "rule_data_folds_ingest_scale": 1,
        "rule_nested_fits_pseudo_label_student_teacher": 2,
        "rule_variants/surest/nested_fits_pseudo_label_student": 2,
        "rule_variants/linear/nested_fits_learner_pseudo_label": 2,
        "rule_published_fits_blend": 4,
        "rule_variants_held_out_variants_vote": 1,
    }
