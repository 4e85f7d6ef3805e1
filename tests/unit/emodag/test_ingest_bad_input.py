"""Tables that cannot be used: each is one message that says where and what, and leaves nothing."""

import gzip
import io
import re
import zipfile
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emodag.science.tables import csv_tables
from emodag.science.tables.ingest import open_table
from emodag.stages import ingest
from ledger.errors import InputError

HEADER = "a,b,label,person\n"
ROWS = ["1,2,calm,P", "3,4,tense,P", "5,6,calm,Q", "7,9,tense,Q"]
TEST = "a,b\n1.5,2\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"


class Silent:
    """A context for stages that fail before they have anything to say."""

    workers = 2  # so that what is wrong is found by another thread than the stage's

    def warn(self, message):
        raise AssertionError(message)

    note = warn


def train_text(row=None, text="", header=HEADER, end="\n"):
    """The training table with its data row `row`, counted from 1, replaced by `text`."""
    rows = [text if at == row else cells for at, cells in enumerate(ROWS, start=1)]
    return (header + "\n".join([*rows, ""])).replace("\n", end)


def message_of(folder, train, test=TEST, *, train_name="train.csv", **changes):
    """Run the stage on two files, given as text or bytes (None: no file); return its complaint."""
    for name, content in ((train_name, train), ("test.csv", test)):
        if content is not None:
            data = content if isinstance(content, bytes) else content.encode()
            (folder / name).write_bytes(data)
    params = {
        "label": "label", "group": "person", "id": None, "classes": ["calm", "tense"],
        "missing": "impute", "infinite": "missing", "all_missing": "drop", "constant": "keep",
        "decimals": "nearest", "min_rows_per_person": 2,
        "separator": None, "decimal": None, "missing_values": [],
        "ignore": [], "test_group": None,
    }  # fmt: skip
    output = folder / "out"
    output.mkdir()
    inputs = {"train": folder / train_name, "test": folder / "test.csv"}
    with pytest.raises(InputError) as caught:
        ingest.run(inputs, {**params, **changes}, output, Silent())
    assert list(output.iterdir()) == []
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder / train_name) in message or str(folder / "test.csv") in message
    return message


def zipped():
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("train.csv", train_text())
    return memory.getvalue()


def parquet_bytes(columns):
    memory = io.BytesIO()
    pq.write_table(pa.table(columns), memory)
    return memory.getvalue()


def parquet_columns(**columns):
    return {
        "a": [1.0, 2.0, 3.0, 4.0],
        "b": [1.0, 2.0, 3.0, 5.0],
        "label": ["calm", "tense"] * 2,
        "person": ["P", "P", "Q", "Q"],
    } | columns


NOISE = np.random.default_rng(5).normal(size=4000)
LONG_PARQUET = parquet_bytes(
    {"a": NOISE, "b": NOISE, "label": ["calm", "tense"] * 2000, "person": ["P", "Q"] * 2000}
)
NO_ROWS = parquet_bytes({name: cells[:0] for name, cells in parquet_columns().items()})
ZIPPED_TEXT = gzip.compress(train_text().encode(), mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("train.csv", None, "there is no such file"),
        ("train.csv", b"", "is empty"),
        ("train.csv", HEADER, "no rows"),
        ("train.csv", HEADER.strip(), "no rows"),
        ("train.csv", b"\n\n", "no header"),
        ("train.csv", PNG, "is binary"),
        ("train.csv", zipped(), "zip archive"),
        ("train.csv", LONG_PARQUET, "is a Parquet file"),
        ("train.csv", ZIPPED_TEXT, "is compressed with gzip"),
        ("train.csv", train_text().encode("utf-16"), "UTF-16"),
        ("train.csv", train_text(end="\r"), "lone carriage return"),
        ("train.csv", '"a\n' + train_text(), "quotation mark"),
        ("train.csv.gz", train_text(), "is not compressed with gzip"),
        ("train.csv.gz", b"", "is empty"),
        ("train.csv.gz", ZIPPED_TEXT[:-12], "cut short"),
        ("train.csv.gz", ZIPPED_TEXT[:30], "cut short"),
        ("train.csv.gz", ZIPPED_TEXT[:-8] + bytes(8), "damaged"),
        ("train.csv.gz", gzip.compress(zipped(), mtime=0), "zip archive"),
        ("train.parquet", b"", "is empty"),
        ("train.parquet", train_text(), "is not a Parquet file"),
        ("train.parquet", LONG_PARQUET[:5000], "cut short"),
        ("train.pq", LONG_PARQUET[:4] + bytes(50) + LONG_PARQUET[54:], "damaged"),
        ("train.parquet", NO_ROWS, "no rows"),
        ("train.txt", train_text(), "expected .csv or .tsv, also with .gz"),
    ],
)  # fmt: skip
def test_files_that_are_not_tables(tmp_path, name, content, expected):
    assert expected in message_of(tmp_path, content, train_name=name)


def test_a_folder_is_not_a_table(tmp_path):
    (tmp_path / "train.csv").mkdir()
    assert "cannot be read" in message_of(tmp_path, None)


@pytest.mark.parametrize(
    ("row", "text", "expected"),
    [
        (2, "3,abc,tense,P", "column 'b', data row 2 (line 3): expected a number, found 'abc'"),
        (2, "3,,tense", "data row 2 (line 3): expected 4 cells as in the header, found 3"),
        (3, "5,6,7,calm,Q", "data row 3 (line 4): expected 4 cells as in the header, found 5"),
        (3, "5;6;calm;Q", "separated by commas"),
        (4, '7,"9,tense,Q', "data row 4 (line 5)"),
        (4, '7,"1,5",tense,Q', "column 'b', data row 4 (line 5): expected a number, found '1,5'"),
        (1, "1,1e400,calm,P", "column 'b', data row 1 (line 2): '1e400' is beyond the range"),
        (1, "inf,-1e309,calm,P", "column 'b', data row 1 (line 2): '-1e309' is beyond the range"),
        (1, "1_0,2,calm,P", "column 'a', data row 1 (line 2): expected a number, found '1_0'"),
        (1, "0x1,2,calm,P", "found '0x1'"),
        (2, "3,4,cross,P", "column 'label', data row 2 (line 3): expected one of the classes"),
        (2, "3,4,2,P", "found '2'"),
        (2, "3,4,1,P", "found '1'"),
        (2, "3,4,0.5,P", "found '0.5'"),
        (2, "3,4,,P", "column 'label', data row 2 (line 3): the label is missing"),
        (2, "3,4,NaN,P", "the label is missing (found 'NaN')"),
        (3, "5,6,calm,", "column 'person', data row 3 (line 4): the person is missing"),
        (3, "5,6,calm,S", "person 'Q' has 1 row and at least 2 are needed (2 of 3 persons"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_bad_rows(tmp_path, row, text, expected, end):
    assert expected in message_of(tmp_path, train_text(row, text, end=end))


def test_one_person_per_row_hints_at_the_column(tmp_path):
    message = message_of(tmp_path, HEADER + "1,2,calm,10\n3,4,tense,11\n")
    assert "column 'person': person 10 has 1 row" in message and "2 of 2 persons" in message
    assert "is this really the column of persons?" in message


def test_persons_that_are_measurements(tmp_path):
    rows = "5,2,0,1.0\n6,2,1,2.50\n"
    message = message_of(tmp_path, HEADER + rows)
    assert "column 'person', data row 2 (line 3)" in message and "found '2.50'" in message


def test_bytes_that_are_not_utf8(tmp_path):
    text = train_text(3, "5,6,calm,Zo\u00eb").encode("latin-1")
    expected = "column 'person', data row 3 (line 4): holds bytes that are not UTF-8"
    assert expected in message_of(tmp_path, text)


def test_a_header_that_is_not_utf8(tmp_path):
    text = train_text(header="\u00e9," + HEADER[2:]).encode("latin-1")
    assert "the header is not UTF-8" in message_of(tmp_path, text)


def test_rows_are_counted_across_blocks_and_blank_lines(tmp_path, monkeypatch):
    lines = "".join(f"{at},1,{'calm' if at % 2 else 'tense'},P\n" for at in range(500))
    text = f"{HEADER}{lines}\n7,x,calm,P\n{lines}"
    path = tmp_path / "table.csv"
    path.write_text(text)
    table = csv_tables.CsvTable(path)
    monkeypatch.setattr(csv_tables, "BLOCK_BYTES", 300)
    with pytest.raises(InputError, match=re.escape("data row 501 (line 503)")):
        list(table.blocks(["a", "b"], []))
    path.write_text(text.replace("x", "1e999"))
    with pytest.raises(InputError, match=r"data row 501.*'1e999'"):
        list(table.blocks(["a", "b"], []))


def test_an_open_quotation_does_not_swallow_a_long_file(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text(HEADER + '1,2,"calm,P\n' + "1,2,calm,P\n" * 400)
    table = csv_tables.CsvTable(path)
    monkeypatch.setattr(csv_tables, "BLOCK_BYTES", 100)
    monkeypatch.setattr(csv_tables, "_LONGEST_RECORD", 1000)
    with pytest.raises(InputError, match="quotation mark opened after line 2 is not closed"):
        list(table.blocks(["a"], []))


@pytest.mark.parametrize(
    ("header", "changes", "expected"),
    [
        ("a,b,Label,person\n", {}, "no column 'label'; the nearest of its 4 columns is 'Label'"),
        ("a,b,label,persn\n", {}, "no column 'person'; the nearest of its 4 columns is 'persn'"),
        (HEADER, {"id": "key"}, "has no column 'key'"),
        ("a,a,label,person\n", {}, "columns 1 and 2 have the same name 'a'; rename"),
        ("a,a,a,a\n", {}, "columns 1, 2, 3 and 4 have the same name 'a'"),
        ("a,Unnamed: 0,label,person\n", {}, "looks like an index saved by accident"),
        ("a;b;label;person\n", {"label": None, "group": None}, "are they separated by commas?"),
    ],
)  # fmt: skip
def test_bad_headers(tmp_path, header, changes, expected):
    assert expected in message_of(tmp_path, train_text(header=header), **changes)


def test_no_features(tmp_path):
    text = "label,person\ncalm,P\ntense,P\n"
    assert "no feature columns" in message_of(tmp_path, text, "label,person\ncalm,P\n")


def test_nothing_left_after_dropping(tmp_path):
    text = "a,label,person\n,calm,P\n,tense,P\n"
    params = {"all_missing": "error"}
    assert "data.all_missing" in message_of(tmp_path, text, "a\n1\n", **params)


def test_an_absent_class(tmp_path):
    message = message_of(tmp_path, train_text(), classes=["calm", "tense", "dull"])
    assert "column 'label': no training row has the class 'dull'" in message


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("a,c\n1,2\n", "lacks 'b' and also has 'c'"),
        ("a\n1\n", "lacks 'b'"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n1,oops\n", "column 'b', data row 2 (line 3)"),
    ],
)
def test_bad_test_tables(tmp_path, test, expected):
    message = message_of(tmp_path, train_text(), test)
    assert expected in message and "test.csv" in message


def test_many_differences_are_summed_up(tmp_path):
    names = [f"f{at}" for at in range(9)]
    text = ",".join([*names, "label", "person"]) + "\n"
    message = message_of(tmp_path, text, "f0\n1\n")
    assert "lacks 'f1', 'f2', 'f3', 'f4', 'f5' and 3 more" in message


@pytest.mark.parametrize("second", ["10", "10.0", ""])
def test_bad_ids(tmp_path, second):
    text = "id,a,label,person\n10,1,calm,P\n7,1,tense,P\n"
    message = message_of(tmp_path, text, f"id,a\n10,1\n{second},2\n", id="id")
    assert "column 'id', data row 2 (line 3)" in message
    problem = "the id 10 was already used in data row 1" if second else "the id is missing"
    assert problem in message


def test_a_feature_in_the_place_of_the_index(tmp_path):
    text = "x,a,label,person\n1.5,1,calm,P\n2.5,1,tense,P\n"
    message = message_of(tmp_path, text, "x,a\n1.5,1\n", label=None, group=None)
    assert "column 'x', data row 1 (line 2)" in message and "measurement" in message


def decimals(digits, third):
    """Four decimals, which Parquet has in types of up to 38 digits and of more."""
    type_ = pa.decimal128(digits, 0) if digits <= 38 else pa.decimal256(digits, 0)
    return pa.array([*map(Decimal, (1, 2**53, third)), None], type_)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"b": ["1", "x", "3", "4"]}, "column 'b', data row 2: expected a number, found 'x'"),
        ({"b": ["1", "2", "True", "4"]}, "column 'b', data row 3: expected a number, found 'True'"),
        ({"b": ["1", "2", "1e400", "4"]}, "column 'b', data row 3: '1e400' is beyond the range"),
        ({"b": ["1", "9007199254740993", "1", "4"]}, "data row 2: the integer 9007199254740993"),
        ({"b": pa.array([0, 1, 2, 3], pa.timestamp("ms"))}, "found text in 'b'"),
        ({"b": [[1], [2], [3], [4]]}, "found the type list"),
        ({"b": [1, 2, 2**53 + 1, 4]}, "column 'b', data row 3: the integer 9007199254740993"),
        ({"b": [1, 2, 3, 2**63 - 1]}, "column 'b', data row 4: the integer 9223372036854775807"),
        ({"b": decimals(20, 2**53 + 1)}, "data row 3: the integer 9007199254740993"),
        ({"b": decimals(40, -(2**53) - 1)}, "data row 3: the integer -9007199254740993"),
        ({"label": ["calm", None, "calm", "tense"]}, "data row 2: the label is missing"),
        ({"label": [0.0, 1.0, float("nan"), 1.0]}, "data row 3: the label is missing"),
        ({"label": [0, 1, 2, 1]}, "data row 3: expected one of the classes"),
        ({"label": pa.array([0, 1, 2, 1], pa.date32())}, "found '1970-01-01'"),
        ({"label": [[1], [0], [1], [0]]}, "expected whole numbers or text, one in each row, found"),
        ({"person": [["P"], ["P"], ["Q"], ["Q"]]}, "'person': expected whole numbers or text, one"),
        ({"person": [1.0, 1.0, 2.5, 2.5]}, "data row 3: expected the person of a row"),
        ({"__index_level_1__": [0, 1, 2, 3]}, "looks like an index saved by accident"),
    ],
)  # fmt: skip
def test_bad_parquet_columns(tmp_path, columns, expected):
    columns = parquet_columns(**columns)
    names = [name for name in columns if name not in ("label", "person")]
    test = ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n"
    data = parquet_bytes(columns)
    assert expected in message_of(tmp_path, data, test, train_name="train.parquet")


def test_duplicate_parquet_columns(tmp_path):
    arrays = [pa.array([1.0]), pa.array([2.0])]
    memory = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=["a", "a"]), memory)
    message = message_of(tmp_path, memory.getvalue(), train_name="train.parquet")
    assert "columns 1 and 2 have the same name" in message


@pytest.mark.parametrize(
    ("beginning", "message"),
    [
        ('[{"a":1,"label":"x"},{"a":2,"label":"x"}]', "is JSON; write the table as CSV"),
        ('{"a":{"0":1},"label":{"0":"x"}}', "is JSON; write the table as CSV"),
        (
            "@relation x\n@attribute a numeric\n@data\n1\n",
            "is an ARFF file; write the table as CSV",
        ),
        ('<table border="1">\n<tr><th>a</th></tr>\n</table>\n', "is a web page"),
    ],
)
def test_text_that_is_no_table_of_cells(tmp_path, beginning, message):
    (tmp_path / "t.csv").write_text(beginning)
    with pytest.raises(InputError, match=message):
        open_table(tmp_path / "t.csv")
