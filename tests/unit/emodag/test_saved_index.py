"""An index that was saved along is no feature, and is found alike in all formats."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from emodag.science.tables.guesses.guess import guess
from emodag.science.tables.ingest import open_table
from emodag.stages.predict import _layout
from ledger.errors import InputError
from tests.unit.emodag.test_ingest import matrix, quality
from tests.unit.emodag.test_ingest_formats import assert_alike, ingested
from tests.unit.emodag.test_ingest_joined import joined

ROWS = 24
COUNTS = np.arange(ROWS)
SHUFFLED = COUNTS * 7 % ROWS
X = np.random.default_rng(3).normal(size=(ROWS, 2)).round(3)
FRAME = pd.DataFrame(X, columns=["x", "y"]).assign(
    mood=["calm", "tense"] * 12, who=np.repeat(list("PQRS"), 6)
)
INDICES = {
    "counted": COUNTS,
    "from 1000": COUNTS + 1000,
    "every third": COUNTS * 3,
    "shuffled": SHUFFLED,
    "backwards": COUNTS[::-1],
    "seconds": COUNTS * 0.25,
    "rising": np.cumsum(np.random.default_rng(1).random(ROWS)),
    "milliseconds of an epoch": 1_700_000_000_000 + COUNTS * 125,
    "whole decimals": COUNTS * 1.0,
    "text": [f"w{n}" for n in COUNTS],
    "times": pd.date_range("2024-05-01", periods=ROWS, freq="h"),
    "range": pd.RangeIndex(ROWS),
    "range from 5": pd.RangeIndex(5, 5 + 2 * ROWS, 2),
}
"""What an index with a name may hold."""
FEATURES = {
    "restarting": COUNTS % 6,
    "far apart": SHUFFLED * 10_000,
    "not close together": SHUFFLED * 3,
    "decimals in no order": X[:, 0] * 2,
    "decimals that go down": -np.cumsum(np.random.default_rng(1).random(ROWS)),
    "truth values": COUNTS % 2 == 0,
    "infinities": np.where(COUNTS > 20, np.inf, X[:, 0]),
    "gaps": np.where(COUNTS == 3, np.nan, COUNTS),
    "numbers as text": [f"{n % 5}.5" for n in COUNTS],
}
"""What a first column may hold that is a feature."""


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("where", ["train", "test", "both"])
def test_later_rows_are_called_as_the_index_of_the_run_calls_them(tmp_path, suffix, where):
    """However few they are, and wherever that column stands."""
    indexed = FRAME.assign(window=COUNTS + 1000)[["window", *FRAME]]
    named, paths = {"label": "mood", "group": "who"}, []
    for name in ("train", "test"):
        frame = indexed if where in (name, "both") else FRAME
        paths.append(tmp_path / f"{name}.{suffix}")
        frame.to_csv(paths[-1], index=False) if suffix == "csv" else frame.to_parquet(paths[-1])
    _, output = ingested(tmp_path, *paths, **named)
    known = quality(output)["indices"]
    assert known == ["window"]
    later = tmp_path / "later.csv"
    indexed[["who", "x", "y", "window"]].head(3).to_csv(later, index=False)
    params = {**named, "id": None, "test_group": None, "ignore": []}
    assert _layout(open_table(later), ("x", "y"), known, params).id == "window"
    assert _layout(open_table(later), ("x", "y"), (), params).id is None


def plain(table):
    return table.drop(columns=["mood", "who"])


@pytest.mark.parametrize(
    ("kind", "name"),
    [*((kind, "window") for kind in INDICES), ("shuffled", "index"), ("seconds", "7")],
)
def test_an_index_with_a_name_is_the_id(tmp_path, kind, name):
    train = FRAME.set_index(pd.Index(INDICES[kind], name=name))
    assert_alike(tmp_path, train, plain(train))
    output = tmp_path / "as parquet/out"
    assert matrix(output / "train.parquet")[0] == ["x", "y"]
    ids = pq.read_table(output / "test_rows.parquet")["id"].to_pylist()
    assert list(map(str, ids)) == [str(at).removesuffix(".0") for at in train.index] or (
        kind in ("times", "seconds") and len({*ids}) == ROWS
    )
    (note,) = quality(output)["reading"]["test"]
    assert note.startswith(f"{name!r} looks like an index that was saved along, and is taken for t")


@pytest.mark.parametrize("kind", FEATURES)
def test_other_first_columns_are_features(tmp_path, kind):
    train = FRAME.set_index(pd.Index(FEATURES[kind], name="window"))
    assert_alike(tmp_path, train, plain(train))
    output = tmp_path / "as parquet/out"
    assert matrix(output / "train.parquet")[0] == ["window", "x", "y"]
    assert quality(output)["reading"] == {"train": [], "test": []}


@pytest.mark.parametrize("rows", [8, ROWS])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_reset_index_makes_stands_anywhere(tmp_path, rows, suffix):
    train = FRAME[:rows].reset_index()[["x", "y", "index", "mood", "who"]]
    assert_alike(tmp_path, train, plain(train), index=False)
    assert matrix(tmp_path / f"as {suffix}/out/train.parquet")[0] == ["x", "y"]


def test_what_reset_index_makes_of_frames_that_were_joined_is_refused(tmp_path):
    train = pd.concat([FRAME[:12], FRAME[:12]]).reset_index()
    found = assert_alike(tmp_path, train, plain(train), index=False)
    assert "the id 0 was already used" in found and "data.ignore: ['index']" in found


def test_a_feature_may_be_called_index(tmp_path):
    train = FRAME.rename(columns={"x": "index"})
    assert_alike(tmp_path, train, plain(train), index=False)
    assert matrix(tmp_path / "as csv/out/train.parquet")[0] == ["index", "y"]


def test_an_index_beside_an_id(tmp_path):
    train = FRAME.assign(key=SHUFFLED + 50).set_index(pd.Index(SHUFFLED, name="window"))
    assert_alike(tmp_path, train, plain(train), id="key")
    output = tmp_path / "as csv/out"
    assert matrix(output / "train.parquet")[0] == ["x", "y"]
    assert pq.read_table(output / "test_rows.parquet")["id"][0].as_py() == 50
    (note,) = quality(output)["reading"]["train"]
    assert "'window' looks like an index" in note and "is not read; if it is a feature, let" in note


@pytest.mark.parametrize("kind", ["shuffled", "seconds", "text"])
@pytest.mark.parametrize("index", [COUNTS, COUNTS + 7])
@pytest.mark.parametrize("name", ["window", "index"])
@pytest.mark.parametrize("how", [{}, {"label": None, "group": None}])
def test_an_index_with_a_name_beside_one_without(tmp_path, kind, index, name, how):
    """As where a frame is saved that was made by reset_index; it may only count the rows."""
    train = FRAME.set_axis(pd.Index(index) if index[0] else pd.RangeIndex(ROWS))
    train.insert(0, name, INDICES[kind])
    assert_alike(tmp_path, train, plain(train), **how)
    output = tmp_path / "as parquet/out"
    assert matrix(output / "train.parquet")[0] == ["x", "y"]
    assert pq.read_table(output / "test_rows.parquet")["id"].to_pylist() == index.tolist()
    assert f"{name!r} looks like an index that was saved along, and is not read" in " ".join(
        quality(output)["reading"]["train"]
    )


def test_the_column_after_an_id_is_a_feature(tmp_path):
    train = FRAME.assign(z=SHUFFLED)[["y", "z", "x", "mood", "who"]]
    assert_alike(tmp_path, train, plain(train), id="y", index=False)
    assert matrix(tmp_path / "as csv/out/train.parquet")[0] == ["z", "x"]


@pytest.mark.parametrize("window", [COUNTS, COUNTS % 6])
def test_an_index_of_two_levels_one_of_which_is_the_person(tmp_path, window):
    train = FRAME.assign(window=window).set_index(["who", "window"])
    assert_alike(tmp_path, train, train.drop(columns="mood"))
    features = matrix(tmp_path / "as csv/out/train.parquet")[0]
    assert features == (["x", "y"] if len({*window}) == ROWS else ["window", "x", "y"])


@pytest.mark.parametrize("names", [[None, "w"], ["w", None], [None, None], ["v", "w"]])
def test_an_index_of_two_levels_with_and_without_names(tmp_path, names):
    train = FRAME.set_index(pd.MultiIndex.from_arrays([COUNTS, COUNTS % 6], names=names))
    found = assert_alike(tmp_path, train, plain(train))
    assert ("index saved by accident" in found) == (names == ["w", None])
    assert ("have the same name ''" in found) == (names == [None, None])


@pytest.mark.parametrize("kind", ["counted", "shuffled", "text"])
def test_a_small_test_table_has_the_index_of_the_training_table(tmp_path, kind):
    train = FRAME.set_index(pd.Index(INDICES[kind], name="window"))
    assert_alike(tmp_path, train, plain(train)[5:8])
    ids = pq.read_table(tmp_path / "as csv/out/test_rows.parquet")["id"].to_pylist()
    assert ids == train.index[5:8].tolist()


def test_a_feature_of_the_training_table_is_one_in_the_test_table(tmp_path):
    train = FRAME.assign(x=SHUFFLED * 10_000)
    assert_alike(tmp_path, train, plain(train.assign(x=COUNTS)), index=False)
    assert matrix(tmp_path / "as csv/out/test.parquet")[0] == ["x", "y"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_several_files_have_each_an_index_with_a_name(tmp_path, suffix):
    paths = []
    for person, part in FRAME.rename(columns={"mood": "label", "who": "person"}).groupby("person"):
        paths.append(tmp_path / f"{person}.{suffix}")
        part.index = pd.RangeIndex(len(part), name="window")
        part.to_csv(paths[-1]) if suffix == "csv" else part.to_parquet(paths[-1])
    _, output = joined(tmp_path, *paths)
    assert matrix(output / "train.parquet")[0] == ["x", "y"]
    assert pq.read_table(output / "train_rows.parquet")["id"].to_pylist() == [*range(ROWS)]


def test_text_that_is_a_number_with_a_unit_is_no_index(tmp_path):
    train = FRAME.set_index(pd.Index([f"{n},5 uS" for n in COUNTS], name="eda"))
    assert assert_alike(tmp_path, train, plain(train)).startswith("expected numbers")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("kind", ["shuffled", "seconds", "text"])
def test_init_takes_it_for_one_too(tmp_path, suffix, kind):
    train = FRAME.set_index(pd.Index(INDICES[kind], name="step"))
    path = tmp_path / f"t.{suffix}"
    train.to_csv(path) if suffix == "csv" else train.to_parquet(path)
    found = guess(open_table(path), None)
    assert found.features == ["x", "y"] and "step" in (*found.indices, found.id)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["", "index"])
def test_init_leaves_an_index_out_that_repeats(tmp_path, suffix, name):
    train, path = FRAME.set_index(pd.Index(COUNTS % 6, name=name or None)), tmp_path / f"t.{suffix}"
    train.to_csv(path) if suffix == "csv" else train.to_parquet(path)
    assert guess(open_table(path), None).ignore == {name: "an index that repeats"}


def test_without_names_of_columns_decimals_are_an_id_if_somebody_says_so(tmp_path):
    train = FRAME.set_index(pd.Index(COUNTS * 0.25, name="seconds"))
    path, how = tmp_path / "t.csv", {"label": None, "group": None}
    train.to_csv(path)
    plain(train).to_csv(tmp_path / "u.csv")
    with pytest.raises(InputError, match=r"found '0\.25', which looks like a measurement"):
        ingested(tmp_path, path, tmp_path / "u.csv", **how)
    (tmp_path / "named").mkdir()
    ingested(tmp_path / "named", path, tmp_path / "u.csv", **how, id="seconds")
