"""`training.adapt`: networks that predict each person by that person's own means and variances."""

import numpy as np
import pandas as pd

from tests.project import jobs

ADAPT = {"training": {"adapt": "persons"}}


def test_predictions_are_of_persons_then_and_later(project):
    train = pd.read_csv(project.path / "train.csv", index_col=0)
    test = pd.read_csv(project.path / "test.csv", index_col=0)
    test = test.assign(who=np.repeat(["u", "v"], 12))
    train.to_csv(project.path / "train.csv", index=False)
    test.to_csv(project.path / "test.csv", index=False)
    data = {"label": "label", "group": "person", "test_group": "who", "truth": None}
    project.configure(data=data, variants={"own": ADAPT}, submit="own")
    done = project.snakemake("results/submission.csv", "results/variants.csv")
    assert "variants/own/local/nested/seed1/gen0/fold0" in jobs(done, "RUN")
    found = pd.read_csv(project.path / "results/variants.csv")
    assert found["variant"].tolist() == ["base", "own"] and found["leak_free"].eq("yes").all()
    last = "local/nested/seed1/gen1/blend/test.parquet"
    plain = pd.read_parquet(project.path / "results" / last)
    blended = pd.read_parquet(project.path / "results/variants/own" / last)
    assert not plain.equals(blended)
    done = project.emodag("predict", "test.csv", "--out", "mine.csv")
    assert done.returncode == 0, done.stderr
    mine = pd.read_csv(project.path / "mine.csv")
    np.testing.assert_array_equal(
        mine.filter(like="probability of").to_numpy(np.float32), blended.to_numpy()
    )
    test[test["who"] == "v"].to_csv(project.path / "later.csv", index=False)
    assert project.emodag("predict", "later.csv", "--out", "later-mine.csv").returncode == 0
    later = pd.read_csv(project.path / "later-mine.csv")
    np.testing.assert_array_equal(later.iloc[:, 3:], mine.iloc[12:, 3:])
    test.iloc[[0, 13]].to_csv(project.path / "few.csv", index=False)
    done = project.emodag("predict", "few.csv", "--out", "few-mine.csv")
    assert done.returncode == 1 and "person 'u' has 1 row, and" in done.stderr
    test.drop(columns="who").to_csv(project.path / "nobody.csv", index=False)
    done = project.emodag("predict", "nobody.csv", "--out", "no-mine.csv")
    assert done.returncode == 1 and "training.adapt needs to know whose" in done.stderr
    done = project.emodag("export", "model")
    assert done.returncode == 1 and "use `emodag predict`" in done.stderr


def test_it_needs_persons(project):
    project.configure(**ADAPT)
    said = project.snakemake("results/submission.csv", check=False).stderr
    assert "scaling.person or training.adapt needs to know whose these rows are" in said
