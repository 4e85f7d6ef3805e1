"""`predict` of tables in other layouts."""

import numpy as np
import pandas as pd

from tests.workflow.test_predict import PLACE, predict, table


def test_persons_and_columns_by_name(copy_of_finished):
    run = copy_of_finished
    data = {"label": "label", "group": "person", "id": "row", "ignore": ["note*"]}
    for name in ("train", "test"):
        frame = pd.read_csv(run.path / f"{name}.csv", index_col=0).rename_axis("row")
        frame.assign(note1="text").to_csv(run.path / f"{name}.csv")
    run.configure(data=data, protocols=["nested"])
    run.snakemake("results/submission.csv")
    later = pd.read_csv(run.path / "train.csv")
    later = later[later["person"] < 2].assign(row=range(100, 124), note2=3, f1=np.nan)
    later["person"] = later["person"].map({0: "Ada", 1: "Bob"})
    later.loc[later["person"] == "Bob", "f0"] += 1000.0
    later = later[["person", "note2", *[f"f{j}" for j in reversed(range(8))], "row"]]
    later.to_parquet(run.path / "later.parquet", index=False)
    done = predict(run, "later.parquet")
    assert "no value in 'f1'; the training persons' median is taken" in done.stderr
    place = next((run.path / "results/predictions").glob("later-*"))
    made = table(run, place / "predictions.csv")
    assert list(made.columns[:3]) == ["ID", "Predicted", "person"]
    assert made["ID"].tolist() == [str(row) for row in range(100, 124)]
    persons = table(run, place / "persons.csv").set_index("person")
    assert persons.loc[["Ada", "Bob"], "rows"].tolist() == ["12", "12"]
    near, far = persons.loc[["Ada", "Bob"], "distance"].astype(float)
    assert far > near
    assert done.stdout.index("person Bob") < done.stdout.index("person Ada")


def test_several_files_are_one_table(copy_of_finished):
    run = copy_of_finished
    whole = pd.read_csv(run.path / "test.csv", index_col=0)
    whole.to_csv(run.path / "later.csv")
    whole[:9].to_csv(run.path / "S1.csv")
    whole[9:].to_csv(run.path / "S2.csv")
    predict(run, "later.csv")
    predict(run, "S*.csv", "--out", "mine.csv")
    parts, later = table(run, "mine.csv"), table(run, f"{PLACE}/predictions.csv")
    pd.testing.assert_frame_equal(parts, later)
