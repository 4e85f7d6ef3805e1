"""`predict` of tables in other layouts."""

import numpy as np
import pandas as pd
import pytest

import emodag
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


def test_names_that_the_tables_of_results_have_too(copy_of_finished):
    """Ids called person, classes called as columns, and an index with a name in few later rows."""
    run = copy_of_finished
    for name in ("train", "test"):
        frame = pd.read_csv(run.path / f"{name}.csv", index_col=0)
        frame.index += 1000
        if name == "test":
            frame["person"] = np.repeat(["u", "v"], 12)
        frame.to_csv(run.path / f"{name}.csv", index_label="window")
    classes = ["person", "label", "mood", "id"]
    data = {"label": "label", "group": "person", "classes": classes}
    run.configure(data=data, protocols=["nested"], submission={"id": "person", "label": "mood"})
    run.snakemake("results/submission.csv", "results/scores.csv")
    submitted = table(run, "results/submission.csv")
    later = pd.read_csv(run.path / "test.csv").head(5)
    later[[*reversed(later.columns)]].to_csv(run.path / "later.csv", index=False)
    predict(run, "later.csv")
    made = pd.read_csv(run.path / PLACE / "predictions.csv", dtype=str, header=None)
    heads = ["person", "mood", "person", *(f"probability of {name}" for name in classes)]
    assert made.loc[0].tolist() == heads
    assert made.loc[1:, 0].tolist() == submitted["person"][:5].tolist()
    assert made.loc[1:, 1].tolist() == submitted["mood"][:5].tolist()
    assert made.loc[1:, 2].tolist() == ["u"] * 5
    results = emodag.open(run.path / "results")
    told = [f"probability of {name}" for name in classes]
    predicted = results.predictions()
    assert [*predicted.columns] == ["person", "mood", told[0], "label", told[2], "id"]
    assert predicted.iloc[:, 2:].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    assert [*results.held_out().columns[-4:]] == [told[0], told[1], "mood", told[3]]


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
