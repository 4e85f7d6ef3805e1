"""One rule for all formats: a frame is understood alike, or refused alike, however it was saved."""

import csv
import json
import subprocess
import sys
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emodag.science.tables.ingest import open_table, true_classes
from ledger.errors import InputError
from tests.unit.emodag.test_ingest import ingested, quality

ROWS = 8
COUNTS = np.arange(ROWS)
REALS = np.random.default_rng(3).normal(size=ROWS)
CELLS = {
    "bool": COUNTS % 2 == 0,
    **{kind: COUNTS.astype(kind) for kind in ("int8", "int16", "int32", "int64")},
    **{kind: COUNTS.astype(kind) for kind in ("uint8", "uint16", "uint32", "uint64")},
    **{kind: (REALS * 4).round() / 4 for kind in ("float16", "float32")},
    "float64": REALS,
    "gaps": np.where(COUNTS == 2, np.nan, REALS),
    "whole floats": COUNTS * 1.0,
    "large": COUNTS * 1e17,
    "category": pd.Categorical(COUNTS // 2),
    "category of text": pd.Categorical([f"c{n // 2}" for n in COUNTS]),
    "Int64": pd.array([None if n == 2 else n for n in COUNTS], "Int64"),
    "Float64": pd.array([None if n == 2 else n / 4 for n in COUNTS], "Float64"),
    "boolean": pd.array([None if n == 2 else bool(n % 2) for n in COUNTS], "boolean"),
    "string": pd.array([f"s{n // 2}" for n in COUNTS], "string"),
    "numbers as text": [f"{n // 2}" for n in COUNTS],
    "decimals as text": [f"{n // 2}.5" for n in COUNTS],
    "booleans as text": [str(n > 3) for n in COUNTS],
    "hexadecimal": [f"{n // 2}e5" for n in COUNTS],
    "zeros before": [f"00{n // 2}" for n in COUNTS],
    "decimal": [Decimal(int(n)) / 4 for n in COUNTS],
    "inexact": COUNTS + 2**53 - 1,
    "dates": pd.date_range("2024-05-01", periods=ROWS),
    "seconds": pd.date_range("2024-05-01 10:00", periods=ROWS, freq="30s"),
    "milliseconds": pd.date_range("2024-05-01 10:00", periods=ROWS, freq="125ms"),
    "nanoseconds": pd.date_range("2024-05-01", periods=ROWS, freq="3ns"),
    "zones": pd.date_range("2024-05-01", periods=ROWS, freq="h", tz="Europe/Berlin"),
    "durations": pd.to_timedelta(COUNTS, "s"),
    "periods": pd.period_range("2024-05", periods=ROWS, freq="M"),
    "weeks": pd.period_range("2024-05-01", periods=ROWS, freq="W"),
    "intervals": pd.interval_range(0, periods=ROWS),
    "intervals of time": pd.interval_range(pd.Timestamp("2024-05-01"), periods=ROWS),
    "uuids": [uuid.UUID(int=int(n)) for n in COUNTS],
    "bytes": [b"s%d" % n for n in COUNTS],
    "bytes, no text": [b"\xff%d" % n for n in COUNTS],
    "bytes of one size": pd.array([b"s%d" % n for n in COUNTS], pd.ArrowDtype(pa.binary(2))),
    "category of bytes": pd.Categorical([b"s%d" % n for n in COUNTS]),
    "hundreds": [Decimal(f"{n}E+2") for n in COUNTS + 1],
    "hundreds and ones": [Decimal(cell) for cell in ("1E+2", *"2345678")],
    "category of hundreds": pd.Categorical([Decimal(f"{n}E+2") for n in COUNTS + 1]),
    "millionths": [Decimal(f"{n}E-7") for n in COUNTS],
    "halves": [Decimal(f"{n}.{5 * (n % 2)}") for n in COUNTS],
    "halves and whole": [Decimal(cell) for cell in ("1", "1.5", "2.50", *"34567")],
    "wide decimals": pd.array(
        [Decimal(int(n)) for n in COUNTS], pd.ArrowDtype(pa.decimal128(12, 9))
    ),
}
OF_PYARROW = [
    *(("D", "s", None), ("D", "us", None), ("D", "ns", "Europe/Berlin"), ("h", "ms", "UTC")),
    *(("125ms", "us", None), ("125ms", "ns", None), ("125ms", "ms", "Europe/Berlin")),
]
for step, unit, zone in OF_PYARROW:
    CELLS[f"{step} in {unit} of pyarrow, {zone}"] = pd.array(
        pd.date_range("2024-05-01", periods=ROWS, freq=step, tz=zone).as_unit(unit),
        pd.ArrowDtype(pa.timestamp(unit, zone)),
    )
"""How pandas writes such a cell depends on the cell alone, and not on the others."""
USUAL = ["bool", "int64", "float64", "gaps", "category of text", "numbers as text", "milliseconds"]
"""The others are tried in `tests/long`."""
TABLES = ("train.parquet", "train_rows.parquet", "test.parquet", "test_rows.parquet")


def frame(**columns):
    x = np.round(REALS, 3)
    rest = {"x": x, "y": -x, "mood": ["calm", "tense"] * 4, "who": ["P"] * 4 + ["Q"] * 4}
    return pd.DataFrame({**rest, **columns})


def outcome(folder, suffix, train, test, *, index=None, **changes):
    """What ingest makes of two frames: its tables and record, or the end of its complaint."""
    place = folder / f"as {suffix}"
    place.mkdir()
    paths = []
    for name, table in (("train", train), ("test", test)):
        paths.append(place / f"{name}.{suffix}")
        if suffix == "csv":
            table.to_csv(paths[-1], index=True if index is None else index)
        else:
            table.to_parquet(paths[-1], index=index)
    try:
        _, output = ingested(place, *paths, **{"label": "mood", "group": "who"} | changes)
    except InputError as error:
        # Without the place, and what only CSV has: lines, cells without a type, 1.5 beside 2.50.
        reason = str(error).split(": ", 1)[1].replace("expected a number", "expected numbers")
        is_typed = reason.startswith(("expected numbers", "expected the "))
        return reason.split("found")[0] if is_typed else reason
    rows = {name: pq.read_table(output / name) for name in TABLES}
    kept = {name: (table.schema.types, table.to_pydict()) for name, table in rows.items()}
    return json.dumps([str(kept), {**quality(output), "reading": 0}], sort_keys=True)


def assert_alike(folder, train, test, **changes):
    found = [outcome(folder, suffix, train, test, **changes) for suffix in ("csv", "parquet")]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("kind", USUAL)
@pytest.mark.parametrize("index", [None, False])
def test_features_of_the_usual_types(tmp_path, kind, index):
    train = frame(z=pd.Series(CELLS[kind]))
    if kind in ("float16", "float32"):
        train["z"] = train["z"].astype(kind)
    assert_alike(tmp_path, train, train.drop(columns=["mood", "who"]), index=index)


@pytest.mark.parametrize("kind", USUAL)
@pytest.mark.parametrize("role", ["id", "group"])
def test_ids_and_persons_of_the_usual_types(tmp_path, kind, role):
    cells = pd.Series(CELLS[kind])
    if role == "group":
        cells = cells.iloc[[0, 1, 3, 4] * 2].reset_index(drop=True)
    train = frame(z=cells).drop(columns=["who"] if role == "group" else [])
    roles = {"id": "z"} if role == "id" else {"group": "z"}
    test = train.drop(columns=["mood", "who"], errors="ignore")
    found = assert_alike(tmp_path, train, test, index=False, **roles)
    assert "found text in" not in found
    if role == "id" and "seconds" in kind:
        assert "2024-05-01" in found


@pytest.mark.parametrize("kind", ["bool", "int8", "float64", "boolean", "category"])
def test_truth_values_as_classes_in_another_order(tmp_path, kind):
    """1 is True, and not the class at position 1."""
    train = frame()
    train["mood"] = pd.Series(COUNTS % 2).astype(kind)
    test = train.drop(columns=["mood", "who"])
    found = assert_alike(tmp_path, train, test, classes=["True", "False"], index=False)
    assert f"'label': {(1 - COUNTS % 2).tolist()}" in json.loads(found)[0]


@pytest.mark.parametrize("spelling", ["{}", "{}.0", "{}.00"])
@pytest.mark.parametrize("classes", [["1", "0"], ["1.0", "0"]])
def test_a_whole_number_is_one_class_however_written(tmp_path, spelling, classes):
    train = frame(mood=[spelling.format(n % 2) for n in COUNTS])
    train.to_csv(tmp_path / "train.csv", index=False)
    _, output = ingested(
        tmp_path, *[tmp_path / "train.csv"] * 2, label="mood", group="who", classes=classes
    )
    labels = pq.read_table(output / "train_rows.parquet")["label"].to_pylist()
    assert labels == (1 - COUNTS % 2).tolist()


INDICES = {
    "counted": pd.RangeIndex(ROWS),
    "from 1000": pd.RangeIndex(1000, 1000 + ROWS),
    "filtered": pd.Index(COUNTS * 3),
    "text": pd.Index([f"w{n}" for n in COUNTS]),
    "times": pd.date_range("2024-05-01", periods=ROWS, freq="h"),
    "periods": pd.period_range("2024-05", periods=ROWS, freq="M"),
    "zones": pd.date_range("2024-10-27", periods=ROWS, freq="h", tz="Europe/Berlin"),
    "seconds": pd.Index(COUNTS * 0.25),
    "backwards": pd.RangeIndex(ROWS - 1, -1, -1),
}


@pytest.mark.parametrize("kind", INDICES)
def test_the_index_is_the_id_where_columns_are_named(tmp_path, kind):
    train = frame().set_index(INDICES[kind])
    test = train.drop(columns=["mood", "who"])
    found = json.loads(assert_alike(tmp_path, train, test))
    assert found[1]["features"] == 2
    ids = pq.read_table(tmp_path / "as parquet/out/test_rows.parquet")["id"].to_pylist()
    is_text = kind in ("times", "periods", "zones", "seconds")
    assert ids == [str(at) if is_text else at for at in INDICES[kind].tolist()]


@pytest.mark.parametrize("index", [COUNTS, COUNTS % 4, COUNTS + 9])
def test_an_index_without_a_name_can_be_ignored(tmp_path, index):
    train = frame().set_index(pd.Index(index))
    found = json.loads(assert_alike(tmp_path, train, train, ignore=[""]))
    assert "'id': [0, 1, 2, 3, 4, 5, 6, 7]" in found[0]


def test_types_that_pandas_defines_are_no_numbers(tmp_path):
    """Whether or not pandas has told pyarrow of them, which else reads whole numbers."""
    train = frame(z=pd.period_range("2024-05", periods=ROWS, freq="M"))
    train.to_parquet(tmp_path / "t.parquet")
    code = (
        "import sys; from pathlib import Path; "
        "from emodag.science.tables.ingest import open_table; "
        "assert 'pandas' not in sys.modules; "
        f"print(open_table(Path({str(tmp_path / 't.parquet')!r}))._types['z'])"
    )
    code += "; print(next(open_table(Path(sys.argv[1])).blocks([], ['z'])).texts['z'][1])"
    path = str(tmp_path / "t.parquet")
    command = [sys.executable, "-c", code, path]
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    assert done.stdout.split() == ["pandas.period", "2024-06"]
    with pytest.raises(InputError, match=r"column 'z': .* found the type pandas\.period;"):
        list(open_table(tmp_path / "t.parquet").blocks(["z"], []))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_run_says_what_became_of_the_index(tmp_path, suffix):
    train = frame(key=COUNTS * 2).set_index(INDICES["from 1000"])
    outcome(tmp_path, suffix, train, train)
    reading = quality(tmp_path / f"as {suffix}/out")["reading"]
    assert reading["train"] == ["the first column, without a name, is taken for the rows' id"]
    (tmp_path / "named").mkdir()
    outcome(tmp_path / "named", suffix, train, train, id="key")
    reading = quality(tmp_path / f"named/as {suffix}/out")["reading"]
    assert reading["test"] == ["the first column, without a name, is not read"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_index_that_repeats_is_no_id(tmp_path, suffix):
    train = frame().set_index(COUNTS % 4)
    path = tmp_path / f"train.{suffix}"
    train.to_csv(path) if suffix == "csv" else train.to_parquet(path)
    with pytest.raises(InputError, match=r"the id 0 was already used in .*saved by accident"):
        ingested(tmp_path, path, path, label="mood", group="who")


@pytest.mark.parametrize("name", ["w", "from"])
def test_an_index_in_the_metadata_only_comes_first(tmp_path, name):
    train = frame(x=COUNTS * 11)[["x", "y", "mood", "who"]]
    train.index = pd.RangeIndex(1000, 1000 + ROWS, name=name)
    test = train.drop(columns=["mood", "who"])
    found = json.loads(assert_alike(tmp_path, train, test, label=None, group=None))
    assert found[1]["features"] == 2
    ids = pq.read_table(tmp_path / "as parquet/out/test_rows.parquet")["id"].to_pylist()
    assert ids == list(range(1000, 1000 + ROWS))


@pytest.mark.parametrize("first", [COUNTS * 11, REALS, [f"{n % 2}.5" for n in COUNTS]])
def test_an_index_that_only_counts_is_the_first_column(tmp_path, first):
    """Which Parquet does not hold, and text does."""
    train = frame(x=first)[["x", "y", "mood", "who"]]
    found = json.loads(assert_alike(tmp_path, train, train[["x", "y"]], label=None, group=None))
    assert found[1]["features"] == 2
    for suffix in ("csv", "parquet"):  # that layout is said in the documentation
        assert quality(tmp_path / f"as {suffix}/out")["reading"] == {"train": [], "test": []}


def test_an_index_that_is_called_as_a_column_is(tmp_path):
    train = frame(z=COUNTS).set_index(pd.Index(COUNTS * 2, name="z"))
    assert "columns 1 and 6 have the same name 'z'" in assert_alike(tmp_path, train, train)


def test_a_truth_is_matched_by_its_index(tmp_path):
    truth = pd.DataFrame({"mood": ["calm", "tense"]}, index=[7, 3])
    truth.to_csv(tmp_path / "truth.csv")
    truth.to_parquet(tmp_path / "truth.parquet")
    for suffix in ("csv", "parquet"):
        path = tmp_path / f"truth.{suffix}"
        how = {"label": "mood", "id": None, "classes": ["calm", "tense"], "written": {}}
        codes = true_classes(path, [3, 7], how)
        assert codes.tolist() == [1, 0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_code_for_missing_is_found_in_every_width(tmp_path, dtype):
    frame = pd.DataFrame({"a": np.array([-999.9, 2], dtype), "b": [1, 2]})
    frame.to_parquet(tmp_path / "t.parquet")
    (block,) = open_table(tmp_path / "t.parquet", missing=["-999.9"]).blocks(["a", "b"], [])
    assert np.isnan(block.values).tolist() == [[True, False], [False, False]]


RANGE = {"kind": "range", "name": None, "start": 5, "stop": 9, "step": 1}
NOTES = {
    "no JSON": b"{",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "a word": b'"x"',
    "deep": b"[" * 10**5,
    "no list": json.dumps({"index_columns": 7}).encode(),
    "a name": json.dumps({"index_columns": "x"}).encode(),
    "null": json.dumps({"index_columns": None}).encode(),
    "levels": json.dumps({"index_columns": [None, 3, ["x"], {"kind": "other"}, "gone"]}).encode(),
    **{
        f"{key}: {value}": json.dumps({"index_columns": [{**RANGE, key: value}]}).encode()
        for key in ("start", "stop", "step")
        for value in (None, 0, 0.5, "x", 10**30)
    },
    "half a range": json.dumps({"index_columns": [{"kind": "range"}]}).encode(),
}


@pytest.mark.parametrize("notes", NOTES)
def test_what_is_no_note_of_pandas_is_passed_over(tmp_path, notes):
    table = pa.table({"x": [1.0, 2.0], "y": [1, 2]}).replace_schema_metadata(
        {b"pandas": NOTES[notes]}
    )
    pq.write_table(table, tmp_path / "t.parquet")
    found = open_table(tmp_path / "t.parquet")
    assert found.columns == ("x", "y") and found.index is None
    (block,) = found.blocks(["x", "y"], [])
    assert block.values.tolist() == [[1, 1], [2, 2]]


def test_a_level_that_is_noted_twice(tmp_path):
    table = pa.table({"x": [1.0, 2.0], "y": [1, 2]})
    notes = {b"pandas": json.dumps({"index_columns": ["y", "y"]}).encode()}
    pq.write_table(table.replace_schema_metadata(notes), tmp_path / "t.parquet")
    assert open_table(tmp_path / "t.parquet").columns == ("y", "x")


def test_an_index_of_several_levels(tmp_path):
    """With names they are columns; without, the tables are refused."""
    levels = [["P"] * 4 + ["Q"] * 4, COUNTS % 4]
    train = (
        frame().drop(columns="who").set_index(pd.MultiIndex.from_arrays(levels, names=["who", "w"]))
    )
    found = json.loads(assert_alike(tmp_path, train, train.drop(columns="mood")))
    assert found[1]["features"] == 3
    (tmp_path / "unnamed").mkdir()
    train = train.rename_axis([None, None]).assign(who="P")
    found = [outcome(tmp_path / "unnamed", suffix, train, train) for suffix in ("csv", "parquet")]
    assert all("index" in reason or "same name ''" in reason for reason in found)


@pytest.mark.parametrize("role", ["id", "group", "label"])
@pytest.mark.parametrize(
    "cells",
    [[["a"], ["b"]], [[1, 2], [3]], [{"a": 1}, {"a": 2}], [np.array([1, 2]), np.array([3, 4])]],
)
def test_lists_are_no_names(tmp_path, role, cells):
    column = {"id": "z", "group": "who", "label": "mood"}[role]
    train = frame()
    repeated = [cells[n % 2] for n in COUNTS]
    train[column] = pd.Series(repeated, dtype=object)
    changes = {"classes": [str(cell) for cell in cells]} if role == "label" else {}
    changes |= {"id": "z"} if role == "id" else {}
    test = train if role == "id" else train[["x", "y"]]
    found = [
        outcome(tmp_path, suffix, train, test, index=False, **changes)
        for suffix in ("csv", "parquet")
    ]
    assert found[0] == "expected the " + {"group": "person"}.get(role, role) + (
        " of a row, a whole number or text, "
    )
    assert found[1].startswith("expected whole numbers or text, one in each row, found the type ")


@pytest.mark.parametrize("cell", ["a\rb", "\rb", "b\r", "a\r\rb"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("column", ["mood", "note"])
def test_a_cell_with_a_lone_carriage_return(tmp_path, cell, quoting, column):
    """Without quotation marks it ends the line; with them it is read, as in Parquet."""
    train = frame(note=[f"n{n}" for n in COUNTS])[["x", "note", "y", "mood", "who"]]
    train.loc[5 if column == "note" else [1, 3, 5, 7], column] = cell
    classes = ["calm", cell.strip() if column == "mood" else "tense"]
    how = {"label": "mood", "group": "who", "classes": classes, "ignore": ["note"]}
    path = tmp_path / "t.csv"
    train.to_csv(path, index=False, quoting=quoting)
    row = 6 if column == "note" else 2
    if quoting == csv.QUOTE_MINIMAL:
        with pytest.raises(InputError, match=f"row {row}: a cell holds a lone carriage return"):
            ingested(tmp_path, path, path, **how)
        return
    train.to_parquet(tmp_path / "t.parquet")
    labels = []
    for suffix in ("csv", "parquet"):
        (tmp_path / suffix).mkdir()
        path = tmp_path / f"t.{suffix}"
        _, output = ingested(tmp_path / suffix, path, path, **how)
        labels.append(pq.read_table(output / "train_rows.parquet")["label"].to_pylist())
    assert labels[0] == labels[1] == [0, 1] * 4


def test_columns_that_have_a_name_together(tmp_path):
    train = frame().rename_axis(columns="feature")
    assert json.loads(assert_alike(tmp_path, train, train))[1]["features"] == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather"])
@pytest.mark.parametrize("index", [None, [f"w{at}" for at in range(ROWS)]])
def test_names_of_two_levels_are_refused(tmp_path, suffix, index):
    train = frame().set_index(pd.Index(range(ROWS) if index is None else index))
    pairs = [(name, "mean" if name in ("x", "y") else "") for name in train.columns]
    flat = train.set_axis([str(pair) for pair in pairs], axis=1)
    train.columns = pd.MultiIndex.from_tuples(pairs)
    path = tmp_path / f"t.{suffix}"
    for table in (train, flat):
        if suffix == "csv":
            table.to_csv(path)
        else:
            getattr(table, f"to_{suffix}")(path)
        if table is train:
            with pytest.raises(InputError, match=r"second header|of several levels"):
                open_table(path)
    assert set(open_table(path).columns) >= {*flat.columns}


def test_an_index_that_is_called_by_a_number(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.RangeIndex(5, 7, name=7))
    frame.to_parquet(tmp_path / "t.parquet")
    assert open_table(tmp_path / "t.parquet").columns == ("7", "a")
