"""Tables that people brought, and what must come of them, where no other test has the same."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from emodag.chain.jobs import jobs
from emodag.config.sections import load
from emodag.science.tables.ingest import open_table, true_classes
from emodag.verbs import check
from ledger.errors import ConfigError, InputError
from tests.unit.emodag.test_ingest import ingested, matrix, quality, write
from tests.unit.emodag.test_ingest_dialects import BODY, FRAME, HEADER, PLAIN, X, complaint

WHO = {"label": "mood", "group": "who"}


def saved(folder, name, table):
    path = folder / name
    table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_of_text_is_named_and_can_be_left_out(tmp_path, suffix):
    table = FRAME.assign(gender=["f", "m"] * 3, time=pd.date_range("2024-01-01", periods=6))
    path = saved(tmp_path, f"t.{suffix}", table)
    with pytest.raises(InputError, match=r"found text in 'gender', 'time'; leave out .*ignore: "):
        ingested(tmp_path, path, path, **WHO)
    (tmp_path / "without").mkdir()
    _, output = ingested(tmp_path / "without", path, path, **WHO, ignore=["gender", "time"])
    np.testing.assert_array_equal(matrix(output / "train.parquet")[1], X)


def test_a_time_stamp_is_the_same_id_in_both_formats(tmp_path):
    table = FRAME.assign(time=pd.date_range("2024-01-01", periods=6, freq="h"))
    ids = []
    for suffix in ("csv", "parquet"):
        (tmp_path / suffix).mkdir()
        path = saved(tmp_path / suffix, f"t.{suffix}", table)
        _, output = ingested(tmp_path / suffix, path, path, **WHO, id="time")
        ids.append(pq.read_table(output / "train_rows.parquet")["id"].to_pylist())
    assert ids[0] == ids[1] and len(set(ids[0])) == 6


def test_ratings_that_the_test_table_lacks(tmp_path):
    train = write(tmp_path / "train.csv", FRAME.assign(valence=1.5).to_csv(index=False))
    test = write(tmp_path / "test.csv", FRAME.drop(columns=["mood"]).to_csv(index=False))
    with pytest.raises(InputError, match=r"lacks 'valence'; .* or name in data.ignore what is no"):
        ingested(tmp_path, train, test, **WHO)
    (tmp_path / "without").mkdir()
    _, output = ingested(tmp_path / "without", train, test, **WHO, ignore=["valence"])
    assert quality(output)["ignored_columns"] == ["valence"]


def test_a_window_number_that_restarts_is_no_id(tmp_path):
    text = FRAME.assign(window=[0, 1] * 3).to_csv(index=False)
    message = complaint(tmp_path, text, id="window")
    assert "data row 3 (line 4): the id 0 was already used in data row 1" in message
    assert "a number that restarts with each person is no id: name it in data.ignore" in message


def test_the_suffix_says_how_a_file_is_read(tmp_path):
    with pytest.raises(InputError, match=r"t\.txt: unknown kind of file; expected \.csv or"):
        open_table(write(tmp_path / "t.txt", PLAIN))


def test_a_class_that_one_person_has(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(
        tmp_path, "t.csv", FRAME.assign(mood=["cheerful", "tense", "calm", "tense"] + ["calm"] * 2)
    )
    files = {"source": "files", "train": "t.csv", "test": "t.csv"}
    classes = ["calm", "tense", "cheerful"]
    config = load({"data": {**files, **WHO, "classes": classes}, "folds": 2})
    looking = check.Looking()
    check._make_tables(config, jobs(config), tmp_path / "made", looking)
    told = "trains without class 'cheerful': all who show it (P) are held out together"
    assert any(told in line for line in looking.warnings)


def test_names_of_columns_are_taken_as_they_are(tmp_path):
    names = ["acc", "acc.x", 'a "quoted" one', "two\nlines", "a\xa0space", " leading"]
    values = np.arange(36.0).reshape(6, 6)
    table = pd.DataFrame(values, columns=names).assign(mood=FRAME["mood"], who=FRAME["who"])
    for suffix in ("csv", "parquet"):
        (tmp_path / suffix).mkdir()
        path = saved(tmp_path / suffix, f"t.{suffix}", table)
        _, output = ingested(tmp_path / suffix, path, path, **WHO)
        found, read = matrix(output / "train.parquet")
        assert found == names
        np.testing.assert_array_equal(read, values)


def test_spaces_after_the_commas_of_the_header_show(tmp_path):
    message = complaint(tmp_path, HEADER.replace(",", ", ") + BODY)
    assert "has no column 'mood'; the nearest of its 5 columns is ' mood'" in message


@pytest.mark.parametrize(
    ("persons", "expected"),
    [
        (["1e5", "2e5", "3e5"], ["1e5", "2e5", "3e5"]),
        (["01", "02", "1"], ["01", "02", "1"]),
        (["1.1", "1.2", "b"], ["1.1", "1.2", "b"]),
        (["1.1", "1.2", "2.1"], "found '1.1', which looks like a measurement; .*with a letter"),
        (["1E+11", "2", "3"], "found '1E.11', which looks like a long number that a spreadsheet"),
        (["AB", "NA", "CD"], ["AB", "NA", "CD"]),
        (["AB", "None", "null"], ["AB", "None", "null"]),
        (["1", "NA", "2"], "the person is missing .found 'NA'.; .*that is a name, write it oth"),
        (["AB", "#N/A", "CD"], "the person is missing .found '#N/A'"),
        (["NA", "NA", "NA"], "the person is missing .found 'NA'"),
        (["AB", "", "CD"], "the person is missing; fill it in"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_persons_are_called(tmp_path, suffix, persons, expected):
    path = saved(tmp_path, f"t.{suffix}", FRAME.assign(who=np.repeat(persons, 2)))
    if isinstance(expected, str):
        with pytest.raises(InputError, match=expected):
            ingested(tmp_path, path, path, **WHO)
    else:
        _, output = ingested(tmp_path, path, path, **WHO)
        rows = pq.read_table(output / "train_rows.parquet")
        assert rows["person"].to_pylist() == np.repeat(expected, 2).tolist()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_person_who_is_called_as_a_missing_cell_is_told(tmp_path, suffix):
    """Unless `missing_values` says that nobody is."""
    path = saved(tmp_path, f"t.{suffix}", FRAME.replace({"who": {"Q": "NA"}}))
    _, output = ingested(tmp_path, path, path, **WHO)
    told = " / ".join(quality(output)["warnings"])
    assert "'NA' is taken for a person, as cells of text are there; where that stands for a" in told
    assert "'NA', 'P', 'R' of the test table are in the training table too" in told
    (tmp_path / "again").mkdir()
    with pytest.raises(InputError, match=r"the person is missing .found 'NA'"):
        ingested(tmp_path / "again", path, path, **WHO, missing_values=["NA"])


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["NA", "null", "#N/A", "nan", "x", "1.1"], None),
        (["NA", "1", "2", "3", "4", "5"], None),
        ([*"12345", "06"], None),
        (["1.1", "1.2", "1.3", "2.1", "2.2", "2.3"], None),
        (["0.50", *"12345"], ["0.5", "1.0", "2.0", "3.0", "4.0", "5.0"]),
        (["1.1", "1.10", *"2345"], "the id '1.1' was already used .*; 1.10 is the number 1.1, too"),
        (["1E+10", *"23456"], [10**10, 2, 3, 4, 5, 6]),
        (["1.2E+12", *"23456"], [12 * 10**11, 2, 3, 4, 5, 6]),
        (["1.23457E+12", *"23456"], "found '1.23457E.12', which looks like a long number that a s"),
        (["", *"23456"], "the id is missing; fill it in"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["key", None])
def test_what_rows_are_called(tmp_path, suffix, name, ids, expected):
    """By a column that is named, or an index without a name."""
    table = FRAME.assign(key=ids) if name else FRAME.set_index(pd.Index(ids))
    path = tmp_path / f"t.{suffix}"
    how = {} if name is None else {"index": False}
    table.to_parquet(path, **how) if suffix == "parquet" else table.to_csv(path, **how)
    if isinstance(expected, str):
        with pytest.raises(InputError, match=expected):
            ingested(tmp_path, path, path, **WHO, id=name)
    else:
        _, output = ingested(tmp_path, path, path, **WHO, id=name)
        assert pq.read_table(output / "test_rows.parquet")["id"].to_pylist() == (expected or ids)


def test_labels_one_hot_are_one_error():
    with pytest.raises(ConfigError, match=r"data\.label: input should be a valid string; found"):
        load({"data": {"source": "files", "train": "a", "label": ["calm", "tense"], "group": "w"}})


def test_a_truth_with_a_column_of_its_usage(tmp_path):
    path = write(tmp_path / "truth.csv", "ID,Predicted,Usage\n0,1,Public\n1,0,Private\n")
    how = {"label": None, "id": None, "classes": ["calm", "tense"], "written": {}}
    assert true_classes(path, [0, 1], how).tolist() == [1, 0]


@pytest.mark.parametrize("label", ["Tense", "6.5"])
def test_a_label_of_no_class(tmp_path, label):
    text = PLAIN.replace("tense", label, 1)
    message = complaint(tmp_path, text)
    assert "column 'mood', data row 2 (line 3): expected one of the classes 'calm', 'tense'" in (
        message
    )
    otherwise = ", which is 'tense' in another spelling" if label == "Tense" else ""
    assert f"found {label!r}{otherwise}; correct it" in message


def test_an_address_is_no_file():
    with pytest.raises(InputError, match=r"there is no such file or folder; download it, and name"):
        open_table(Path("https://example.org/t.csv"))


def test_thousands_are_refused_with_their_place(tmp_path):
    text = f'{HEADER}"1,234",1,2,calm,P\n{BODY}'
    assert "column 'f0', data row 1 (line 2): expected a number, found '1,234'" in complaint(
        tmp_path, text
    )


def test_every_cell_quoted(tmp_path):
    table = FRAME.assign(f1=FRAME["f1"].where(FRAME.index > 0))
    text = table.to_csv(index=False, quoting=csv.QUOTE_ALL)
    path = write(tmp_path / "t.csv", text)
    _, output = ingested(tmp_path, path, path, **WHO)
    assert quality(output)["cells"]["train"]["missing"] == {"columns": {"f1": 1}, "total": 1}
