"""`workflow/config/cross_subject.yaml` where one's own file changes what it runs."""

import pandas as pd

from tests.project import SMALL
from tests.workflow.test_preset import FILES


def test_what_stands_in_ones_own_file_counts(with_preset):
    training = {**SMALL["training"], "adapt": "none"}
    scaling = {"person": "none", "n_quantiles": 20}
    project = with_preset(scaling=scaling, training=training, generations=1)
    project.snakemake("results/submission.csv", configfiles=FILES)
    assert (project.path / "results/local/nested/seed1/gen1/blend").is_dir()
    assert not (project.path / "results/local/by_person").exists()


def test_without_a_table_to_predict_it_ends_in_scores(with_preset):
    project = with_preset(data={"test": None, "truth": None})
    project.snakemake("results/variants.csv", configfiles=FILES)
    assert len(pd.read_csv(project.path / "results/variants.csv")) == 4
