"""Several files as one table: one per person, by a list or a pattern."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from emodag.chain import raw_files
from emodag.errors import InputError
from emodag.stages import ingest
from tests.unit.test_ingest import Notes, matrix, params, quality

FRAMES = [
    pd.DataFrame(
        {"a": np.arange(4.0) + 10 * at, "b": 1 / (1 + at), "label": ["calm", "tense"] * 2}
    ).assign(person=f"S{at}")
    for at in range(3)
]


def joined(folder, *paths, test=None, **changes):
    output = folder / "out"
    output.mkdir()
    roles = {f"train/{at:05}": path for at, path in enumerate(paths)}
    context = Notes(2)
    ingest.run({**roles, "test": test or paths[0]}, params(**changes), output, context)
    return context, output


def saved(folder, *suffixes, frames=FRAMES):
    paths = []
    for frame, suffix in zip(frames, suffixes, strict=True):
        paths.append(folder / f"S{len(paths)}.{suffix}")
        if suffix == "parquet":
            frame.to_parquet(paths[-1])
        else:
            frame.to_csv(paths[-1], index=suffix == "csv.gz", sep=";" if suffix == "tsv" else ",")
    return paths


@pytest.mark.parametrize("kinds", [("csv", "csv", "csv"), ("csv", "parquet", "tsv")])
def test_files_are_one_table(tmp_path, kinds):
    context, output = joined(tmp_path, *saved(tmp_path, *kinds))
    whole = pd.concat(FRAMES)
    np.testing.assert_array_equal(matrix(output / "train.parquet")[1], whole[["a", "b"]])
    rows = pq.read_table(output / "train_rows.parquet").to_pydict()
    assert rows["person"] == whole["person"].tolist() and rows["id"] == list(range(12))
    assert quality(output)["reading"]["train"][0] == "with 2 more files"
    assert any("with 2 more files" in warning for warning in context.warnings)


def test_columns_go_by_name_and_indices_are_no_ids(tmp_path):
    frames = [FRAMES[0], FRAMES[1][["person", "b", "label", "a"]], FRAMES[2]]
    _, output = joined(tmp_path, *saved(tmp_path, *["csv.gz"] * 3, frames=frames))
    names, values = matrix(output / "train.parquet")
    assert names == ["a", "b"]
    np.testing.assert_array_equal(values, pd.concat(FRAMES)[["a", "b"]])
    assert pq.read_table(output / "train_rows.parquet")["id"].to_pylist() == list(range(12))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (
            lambda f: f.rename(columns={"b": "c"}),
            r"S2\.csv: .*S0\.csv; .*lacks 'b' and also",
        ),
        (lambda f: f.assign(a=["1", "2", "x", "4"]), r"S2\.csv, column 'a', data row 3 .*'x'"),
        (lambda f: f.assign(label=["calm"] * 3 + ["odd"]), r"S2\.csv, .*data row 4 .*'odd'"),
        (lambda f: f.assign(person=["S2", None, "S2", "S2"]), r"S2\.csv, .*data row 2 .*missing"),
    ],
)
def test_faults_name_the_file(tmp_path, spoil, expected):
    paths = saved(tmp_path, *["csv"] * 3, frames=[*FRAMES[:2], spoil(FRAMES[2])])
    with pytest.raises(InputError, match=expected):
        joined(tmp_path, *paths, test=paths[0])


def test_lists_and_patterns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("S3.csv", "S2.csv", "S10.csv", "[a].csv"):
        (tmp_path / name).write_text("a\n1\n")
    assert raw_files(None) == []
    assert raw_files("S2.csv") == ["S2.csv"] and raw_files("[a].csv") == ["[a].csv"]
    assert raw_files("S*.csv") == ["S10.csv", "S2.csv", "S3.csv"]
    assert raw_files(["S3.csv", "S*.csv"]) == ["S3.csv", "S10.csv", "S2.csv"]
    assert raw_files("T*.csv") == ["T*.csv"]
