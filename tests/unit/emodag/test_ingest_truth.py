"""The true labels of the test table: which column they are in, and which row is whose."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emodag.science.tables.ingest import true_classes
from ledger.errors import InputError

CLASSES = ["calm", "tense", "dull"]


def asked(label, id, **written):
    return {"label": label, "id": id, "classes": CLASSES, "written": written}


def truth(folder, text, *, label=None, id=None, ids=(0, 1, 2)):
    path = folder / "truth.csv"
    path.write_text(text)
    return true_classes(path, ids, asked(label, id))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("label\n2\n0\n1\n", None),
        ("label,emotion\n0,dull\n0,calm\n0,tense\n", "emotion"),
        ("mood,label\nx,2\ny,0\nz,1\n", "emotion"),
        ("ID,Predicted\n0,2\n1,0\n2,1\n", None),
        ("Predicted,ID,person\n1,2,P\n2.0,0,P\n0,1,P\n", None),
        ("id,whatever\n1,calm\n2,tense\n0,dull\n", None),
    ],
)
def test_column_and_order(tmp_path, text, label):
    codes = truth(tmp_path, text, label=label)
    assert codes.dtype == np.int8
    assert codes.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("classes", "cells", "expected"),
    [
        (["1", "2", "3"], "2 1.0 3", [1, 0, 2]),
        (["1", "2", "3"], "1 2 1", [0, 1, 0]),
        (["1", "2", "3"], "0 1 2", "'1', '2', '3', all by name, found '0';"),
        (["1", "2", "rest"], "1 0 2", "'rest', all by name, found '0';"),
        (["01", "00"], "01 00 01", [0, 1, 0]),
        (["01", "00"], "1 0 1", "found '1', which is '01' in another spelling;"),
        (["-1", "1"], "0 1 0", "'-1', '1', all by name, found '0';"),
        (["1.0", "1.5", "2.0"], "1 1.5 2", [0, 1, 2]),
        (["1.0", "1.5", "2.0"], "0 1 2", "all by name, found '0';"),
        (["2", "1", "0"], "0 1 2", [2, 1, 0]),
        (["0", "1", "2"], "2 +1 00", [2, 1, 0]),
        (["00", "01", "02"], "2 1 0", [2, 1, 0]),
        (["calm", "1", "dull"], "2 1 0", [2, 1, 0]),
        (["0.5", "1.5", "2.5"], "2 1 0", [2, 1, 0]),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_numbers_are_positions_unless_classes_are_called_by_other_ones(
    tmp_path, suffix, classes, cells, expected
):
    path, table = tmp_path / f"truth.{suffix}", pd.DataFrame({"label": cells.split()})
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    how = {"label": None, "id": None, "classes": classes, "written": {}}
    if isinstance(expected, list):
        assert true_classes(path, range(3), how).tolist() == expected
    else:
        with pytest.raises(InputError, match=re.escape(expected)):
            true_classes(path, range(3), how)


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("window,label\nw2,1\nw0,2\nw1,0\n", "window"),
        (",label\nw2,1\nw0,2\nw1,0\n", None),
        ("Unnamed: 0,label\nw1,0\nw2,1\nw0,2\n", "window"),
    ],
)
def test_ids_under_the_tables_name_or_none(tmp_path, text, id):
    assert truth(tmp_path, text, label="mood", id=id, ids=("w0", "w1", "w2")).tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    "text",
    [
        "row_id,label\n2,dull\n0,calm\n1,tense\n",  # as `submission.id` may be called
        "row_id,target\n2,dull\n0,calm\n1,tense\n",
        "label,rid\ndull,2.0\ncalm,0\ntense,1\n",
        "person,rid,label\na,2,dull\na,0,calm\nb,1,tense\n",
    ],
)
def test_a_column_of_the_test_rows_ids_is_one_whatever_its_name(tmp_path, text):
    assert truth(tmp_path, text, label="mood").tolist() == [0, 1, 2]


def test_a_column_of_other_numbers_is_no_id(tmp_path):
    text = "number,label\n2,dull\n0,calm\n3,tense\n"
    assert truth(tmp_path, text).tolist() == [2, 0, 1]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize(
    ("ids", "numbers", "is_refused"),
    [
        ((0, 1, 2), [1, 2, 3], False),
        ((0, 1, 2), [3, 1, 2], True),
        ((0, 1, 2), [3.0, 2.0, 1.0], True),
        ((0, 1, 2), [3, 1, 5], False),
        (("u", "v", "w"), [0, 1, 2], False),
        (("u", "v", "w"), [2, 0, 1], True),
        (("u", "v", "w"), [1, 3, 2], True),
        ((5, 6, 7), [1, 3, 2], True),
    ],
)
def test_numbers_of_rows_that_do_not_rise_are_another_order(
    tmp_path, suffix, index, ids, numbers, is_refused
):
    frame = pd.DataFrame({"q": [1, 1, 2], "row": numbers, "mood": ["dull", "calm", "tense"]})
    path = saved(tmp_path, frame, suffix, index=index)
    if is_refused:
        expected = "column 'row': numbers the rows in another order than they stand in; sort"
        with pytest.raises(InputError, match=expected):
            true_classes(path, ids, asked("mood", None))
    else:
        assert true_classes(path, ids, asked("mood", None)).tolist() == [2, 0, 1]


def test_parquet_with_text_ids(tmp_path):
    path = tmp_path / "truth.parquet"
    pq.write_table(pa.table({"label": [0, 2], "id": ["v", "u"]}), path)
    ids = np.array(["u", "v"], dtype=object)
    codes = true_classes(path, ids, asked("label", None))
    assert codes.tolist() == [2, 0]


def saved(folder, frame, suffix, **how):
    """A frame as a truth: its path, and how such a text is written."""
    path = folder / f"truth.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path, index=how.pop("index", None))
    else:
        frame.to_csv(path, **how)
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("index", "ids", "expected"),
    [
        (range(3), (0, 1, 2), [2, 0, 1]),
        (range(3), (2, 0, 1), [1, 2, 0]),
        (range(3), ("u", "v", "w"), [2, 0, 1]),
        (range(3), (1, 2, 3), [2, 0, 1]),
        (range(5, 8), (6, 5, 7), [0, 2, 1]),
        (range(0, 6, 2), (4, 0, 2), [1, 2, 0]),
        ([7, 3, 5], (3, 5, 7), [0, 1, 2]),
        (list("wuv"), ("u", "v", "w"), [0, 1, 2]),
        (range(5, 8), (0, 1, 2), "lacks 3 of the 3 ids"),
        ([1, 0, 2], ("u", "v", "w"), "lacks 3 of the 3 ids"),
    ],
)
def test_the_index_of_a_frame(tmp_path, suffix, index, ids, expected):
    """Alike in both formats; one that only counts is no id where rows have others."""
    path = saved(tmp_path, pd.DataFrame({"mood": ["dull", "calm", "tense"]}, index=index), suffix)
    how = asked("x", None)
    if isinstance(expected, str):
        with pytest.raises(InputError, match=expected):
            true_classes(path, ids, how)
    else:
        assert true_classes(path, ids, how).tolist() == expected


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("id", ["key", None])
@pytest.mark.parametrize(
    ("ids", "found", "expected"),
    [
        (("u", "v", "w"), ["w", "u", "V"], r"column 'q': lacks 1 of the 3 ids .*\('v'\) .*\('V'\)"),
        (("u", "v", "w"), ["w", "u", "u"], r"column 'q'.*'u' was already used in data row 2"),
        (("u", "v", "w"), ["w", "u", None], "column 'q'.*missing"),
        ((70, 80, 90), [90, 70, 81], r"column 'q': lacks 1 .*\('80'\).* leave this column out"),
        (("070", "080", "090"), ["090", "070", "081"], r"column 'q': lacks 1 .*\('080'\)"),
    ],
)
def test_rows_with_some_of_the_ids_have_no_order(tmp_path, suffix, index, id, ids, found, expected):
    frame = pd.DataFrame({"q": found, "mood": ["dull", "calm", "tense"]})
    path = saved(tmp_path, frame, suffix, index=index)
    with pytest.raises(InputError, match=expected):
        true_classes(path, ids, asked("mood", id))


@pytest.mark.parametrize("index", [True, False])
def test_ids_go_before_an_index_that_counts(tmp_path, index):
    frame = pd.DataFrame({"q": ["w", "u", "v"], "mood": ["dull", "calm", "tense"]})
    path = saved(tmp_path, frame, "csv", index=index)
    assert true_classes(path, ("u", "v", "w"), asked("mood", "key")).tolist() == [0, 1, 2]


def test_an_order_is_told_and_refused_where_ids_have_a_name(tmp_path):
    ids, told = ("u", "v", "w"), []
    path = tmp_path / "truth.csv"
    for text in ("mood\ndull\ncalm\ntense\n", ",mood\n0,dull\n1,calm\n2,tense\n"):
        path.write_text(text)
        codes = true_classes(path, ids, asked("mood", "key"), told.append)
        assert codes.tolist() == [2, 0, 1]
    note = f"{path}: has no ids of the test table; its rows are taken in the same order"
    assert told == [note, note]
    path.write_text("person,mood\nP,dull\nP,calm\nQ,tense\n")
    with pytest.raises(InputError, match=r"no column 'key', .*\('person'\) holds .*'u', 'v', 'w'"):
        true_classes(path, ids, asked("mood", "key"))
    assert true_classes(path, ids, asked("mood", None), told.append).tolist() == [2, 0, 1]
    path.write_text("q,mood\nw,dull\nu,calm\nv,tense\n")
    true_classes(path, ids, asked("mood", None), told.append)
    assert len(told) == 3


@pytest.mark.parametrize("suffix", ["csv", "csv.xz", "tsv.zip", "parquet"])
def test_the_rules_of_the_other_tables(tmp_path, suffix):
    """A separator nobody guesses, decimal commas, an index beside the id."""
    frame = pd.DataFrame({"key": [2.0, 0.0, 1.0], "mood": [1.0, 2.0, 0.0], "f": 0.5})
    path = saved(
        tmp_path, frame, suffix, **({} if suffix == "parquet" else {"sep": ":", "decimal": ","})
    )
    written = {"separator": ":", "decimal": ","}
    how = asked("mood", "key", **written, missing=["7"])
    assert true_classes(path, [0, 1, 2], how).tolist() == [2, 0, 1]
    with pytest.raises(InputError, match=r"data row 1.*the label is missing .found '1.0'"):
        true_classes(path, [0, 1, 2], asked("mood", "key", **written, missing=["1"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("label\n2\n0\n", "expected 3 rows as in the test table, found 2"),
        ("label\n", "found 0"),
        ("label\n2\n\n1\n", "data row 2 .*the label is missing"),
        ("label\n2\n0\n3\n", "data row 3 .*expected one of the classes"),
        ("ID,label\n0,2\n1,0\n3,1\n", r"lacks 1 of the 3 ids of the test table \('2'\)"),
        ("ID,label\n0,2\n1,0\n1,1\n", "id 1 was already used in data row 2"),
        ("x,y\n0,2\n1,0\n2,1\n", "cannot tell which column"),
        ("ID\n0\n1\n2\n", "cannot tell which column"),
    ],
)
def test_truth_that_does_not_fit(tmp_path, text, expected):
    with pytest.raises(InputError, match=expected):
        truth(tmp_path, text)


def test_real_truth():
    root = Path(__file__).parents[3]
    folder = root / os.environ.get("EMODAG_DATA", "../shared/data") / "stress_predict"
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}; set EMODAG_DATA")
    rows = pq.read_metadata(folder / "test.parquet").num_rows
    how = asked("label", None) | {"classes": ["rest", "one", "two", "three"]}
    codes = true_classes(folder / "test_truth.csv", range(rows), how)
    assert codes.shape == (rows,)
    assert set(codes.tolist()) == {0, 1, 2, 3}
