"""Training rows without a label, through real Snakemake."""

import numpy as np
import pandas as pd

from tests.project import Project, jobs
from tests.workflow.test_chain_runs import rows
from tests.workflow.test_one_table import REPORT, table


def without_labels(project: Project) -> tuple[pd.DataFrame, pd.Series]:
    """The table with every fifth label and all of person S5's missing, and which these are."""
    frame = table(project)
    lacking = (np.arange(len(frame)) % 5 == 0) | (frame["person"] == "S5")
    return frame.assign(label=frame["label"].astype("Int64").mask(lacking)), lacking


def test_training_rows_without_a_label(tmp_path):
    project = Project.create(tmp_path / "project")
    frame, lacking = without_labels(project)
    frame.to_parquet(project.path / "nullable.parquet")
    frame.assign(label=frame["label"].fillna(-1)).to_csv(project.path / "-1.csv", index=False)
    mixed = {"label": "label", "group": "person", "unlabelled": "rows"}
    more = {"pseudo_labels": {"threshold": 0.26}}
    project.configure(data={**mixed, "train": "-1.csv"}, **more)
    project.snakemake("results/local/table/manifest.json")
    of_csv = project.digests()
    project.configure(data={**mixed, "train": "nullable.parquet"}, **more)
    done = project.snakemake("all", REPORT)
    assert "local/table" in jobs(done, "RUN") and of_csv.items() <= project.digests().items()
    assert len(rows(project.read("results/submission.csv"))) == 24
    boards = rows(project.read("results/leaderboard.csv"))
    assert [(b["stage"], b["n_test"]) for b in boards] == [("gen0", "24"), ("gen1", "24")]
    home = project.path / "results/local"
    who = pd.read_parquet(home / "table/unlabelled_rows.parquet")["person"]
    assert who.tolist() == frame["person"][lacking].tolist()
    held_out = pd.read_parquet(home / "folds/unlabelled_folds.parquet")["group_fold"]
    held_out, tested = held_out[24:].to_numpy(), held_out[:24]  # the test table names nobody
    assert set(tested) == {-1}
    assert set(held_out[who == "S5"]) == {-1} and set(held_out) == {-1, 0, 1}
    for fold in (0, 1):
        path = home / f"nested/seed1/gen1/pseudo_labels/fold{fold}/pseudo_labels.parquet"
        learnt = pd.read_parquet(path)["row"]
        assert set(learnt[learnt >= 24] - 24) <= set(np.flatnonzero(held_out != fold))
        assert len(learnt) > 20
    text = project.read(REPORT)
    assert f"{lacking.sum()} without a label" in text
    assert "Pseudo-labels of the test rows and unlabelled rows" in text
