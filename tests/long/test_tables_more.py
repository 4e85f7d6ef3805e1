"""Tables that other programs have written, through real Snakemake, and a table of recordings."""

import os

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.project import ROOT, jobs
from tests.unit.emodag.test_ingest import ingested, matrix, quality
from tests.workflow.test_chain_runs import rows
from tests.workflow.test_tables import TABLE


def test_a_folder_partitioned_by_person(project):
    whole = pd.read_csv(project.path / "train.csv", index_col=0)
    whole.to_parquet(project.path / "parts", partition_cols=["person"])
    test = pd.read_csv(project.path / "test.csv", index_col=0)
    test.to_parquet(project.path / "test.parquet", index=False)
    (project.path / "parts/_SUCCESS").touch()
    data = {"train": "parts", "test": "test.parquet", "label": "label", "group": "person"}
    project.configure(data={**data, "truth": None})

    def persons():
        ran = jobs(project.snakemake(TABLE), "RUN")
        found = pd.read_parquet(project.path / "results/local/table/train_rows.parquet")
        return ran, found["person"].tolist()

    table = ["local/table"]
    assert persons() == (table, whole["person"].tolist())
    made = pd.read_parquet(project.path / "results/local/table/train.parquet")
    pd.testing.assert_frame_equal(made, whole.drop(columns=["label", "person"]))
    (project.path / "parts/_SUCCESS").unlink()
    for number, path in enumerate(sorted((project.path / "parts").glob("*/*"))):
        path.rename(path.with_name(f"{number}.parquet"))
    assert persons()[0] == []
    (project.path / "parts/person=5").rename(project.path / "parts/person=7")
    assert persons() == (table, whole["person"].replace(5, 7).tolist())
    (project.path / "parts/person=7").rename(project.path / "parts/person=5")
    assert persons()[0] == []
    (project.path / "empty").mkdir()
    project.configure(data={**data, "train": "empty"})
    done = project.snakemake(TABLE, check=False)
    assert "empty: this folder holds no table" in done.stderr and "Traceback" not in done.stderr


def test_the_index_of_a_frame_is_in_the_submission(project):
    train = pd.read_csv(project.path / "train.csv", index_col=0)
    test = pd.read_csv(project.path / "test.csv", index_col=0)
    truth = pd.read_csv(project.path / "truth.csv", index_col=0).rename_axis(None)
    test.index = truth.index = pd.RangeIndex(1000, 1000 + len(test))
    train.to_parquet(project.path / "train.parquet")
    test.to_parquet(project.path / "test.parquet")
    truth[::-1].to_csv(project.path / "truth.csv")
    files = {"train": "train.parquet", "test": "test.parquet", "label": "label", "group": "person"}
    project.configure(data=files)
    project.snakemake("results/submission.csv", "results/leaderboard.csv")
    submission = rows(project.read("results/submission.csv"))
    assert [row["ID"] for row in submission] == [str(n) for n in range(1000, 1000 + len(test))]
    predicted = [int(row["Predicted"]) for row in submission]
    *_, board = rows(project.read("results/leaderboard.csv"))
    assert float(board["accuracy"]) == (truth["label"].to_numpy() == predicted).mean()


def test_paths_with_braces_and_a_suffix_that_is_no_tables(project):
    (project.path / "data{1}").mkdir()
    (project.path / "train.csv").rename(project.path / "data{1}/train.csv")
    project.configure(data={"train": "data{1}/train.csv"})
    assert jobs(project.snakemake(TABLE), "RUN") == ["local/table"]
    # The store knows the content, but not read as a file of that kind.
    (project.path / "data{1}/train.csv").rename(project.path / "train.txt")
    project.configure(data={"train": "train.txt"})
    done = project.snakemake(TABLE, check=False)
    assert done.returncode != 0 and "ERROR local/table: train.txt: unknown kind" in done.stderr


def test_real_recordings(tmp_path):
    folder = ROOT / os.environ.get("EMODAG_DATA", "../shared/data") / "stress_predict"
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}; set EMODAG_DATA")
    _, output = ingested(
        tmp_path,
        folder / "train.parquet",
        folder / "test.parquet",
        group="person_id",
        classes=["0", "1", "2", "3"],
    )
    names, values = matrix(output / "train.parquet")
    source = pq.read_table(folder / "train.parquet", columns=names)
    expected = np.column_stack([column.to_numpy() for column in source.columns]).astype(np.float64)
    np.testing.assert_array_equal(values, np.where(np.isinf(expected), np.nan, expected))
    record = quality(output)
    assert record["cells"]["train"]["infinite"]["total"] > 0
    assert sum(record["rows_per_person"].values()) == len(values)
