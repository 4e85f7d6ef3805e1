"""Reading CSV and Parquet: every number as written, whatever the file's dialect and types."""

import csv
import gzip
import io
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodag.science.tables import csv_tables, parquet_tables
from emodag.science.tables.ingest import open_table
from ledger.errors import InputError

HARD_NUMBERS = [
    "0.1", "-0.0", "1e22", "1e23", "9007199254740993.0", "1e-320", "5e-324",
    "2.4703282292062328e-324", "2.4703282292062327e-324",
    "2.2250738585072011e-308", "2.2250738585072014e-308", "1.7976931348623157e308",
    "0.500000000000000166533453693773481063544750213623046875",
    "1.00000000000000011102230246251565404236316680908203125",
    "1.00000000000000011102230246251565404236316680908203126",
    "3.1415926535897932384626433832795028841971693993751",
    "8.5e-324", "6929495644600919.5", "+1.5", ".5", "1.", "1E+5", " 2.5 ", "0" * 400 + "1",
]  # fmt: skip


def write(path, text):
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_spellings_of_csv(tmp_path, end, mark, suffix):
    lines = [
        '"a","b","long, name",person', '"1",-inf,NaN,"P, the first"',
        ' 2 ,Infinity,,"P,', ' the first"', "", '3,+inf,NA,"Q ""2"""', "nan,5,null, Q ",
    ]  # fmt: skip
    path = write(tmp_path / f"t{suffix}", mark + end.join(lines))
    table = open_table(path)
    assert table.columns == ("a", "b", "long, name", "person")
    # Without a last line break, the last record is a block of its own.
    blocks = list(table.blocks(["long, name", "b", "a"], ["person"]))
    nan, inf = math.nan, math.inf
    expected = [[nan, -inf, 1], [nan, inf, 2], [nan, inf, 3], [nan, 5, nan]]
    np.testing.assert_array_equal(np.vstack([block.values for block in blocks]), expected)
    persons = [person for block in blocks for person in block.texts["person"].to_pylist()]
    assert persons == ["P, the first", f"P,{end} the first", 'Q "2"', "Q"]


def test_decimals_as_pandas_reads_them_on_request(tmp_path, monkeypatch):
    x = np.random.default_rng(0).normal(scale=1e3, size=(300, 3)).tolist()
    rows = [f"{a},p{n % 3},{b},{n},{c if n != 7 else ''}" for n, (a, b, c) in enumerate(x)]
    path = write(tmp_path / "t.csv", "\n".join(["a,person,b,n,c", *rows]))
    monkeypatch.setattr(csv_tables, "BLOCK_BYTES", 1000)
    names = ["c", "a", "n", "b"]
    blocks = list(open_table(path, decimals="pandas").blocks(names, ["person"]))
    assert len(blocks) > 10
    found = np.vstack([block.values for block in blocks])
    assert found.tobytes() == pd.read_csv(path)[names].to_numpy(np.float64).tobytes()
    nearest = np.vstack([block.values for block in open_table(path).blocks(names, [])])
    assert 0.05 < (found != nearest).mean() < 0.5
    np.testing.assert_allclose(found, nearest, rtol=1e-15)


def test_what_pandas_takes_for_text_is_explained(tmp_path):
    path = write(tmp_path / "t.csv", "a,b\n1.5,1\nnan(7),2\n")
    with pytest.raises(InputError, match=r"t\.csv: pandas cannot read it .*correct the cell"):
        list(open_table(path, decimals="pandas").blocks(["a"], []))


@pytest.mark.parametrize("text", HARD_NUMBERS)
def test_numbers_are_the_nearest_float64(tmp_path, text):
    table = open_table(write(tmp_path / "t.csv", f"a,b\n{text},1\n"))
    (block,) = table.blocks(["a"], [])
    assert block.values[0, 0].tobytes() == np.float64(float(text)).tobytes()


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=30, min_value=-1, max_value=1).map(
        str
    ),
    st.tuples(st.integers(0, 10**25), st.integers(-330, 280)).map(lambda p: f"{p[0]}e{p[1]}"),
    st.just(""),
)


@given(
    cells=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), block=st.integers(8, 99)
)
def test_csv_equals_float_whatever_the_blocks(tmp_path_factory, cells, block):
    folder = tmp_path_factory.mktemp("floats")
    text = io.StringIO()
    csv.writer(text).writerows([("a", "b"), *cells])
    path = write(folder / "t.csv", text.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        table = open_table(path)
        patch.setattr(csv_tables, "BLOCK_BYTES", block)
        values = np.vstack([part.values for part in table.blocks(["a", "b"], [])])
    expected = np.array([[float(cell or "nan") for cell in row] for row in cells])
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(
        np.signbit(values[values == 0]), np.signbit(expected[expected == 0])
    )


def test_parquet_types_become_float64(tmp_path):
    columns = {
        "bool": pa.array([True, None, False, True]),
        "small": pa.array([1, 2, None, 127], pa.int8()),
        "exact": pa.array([2**53 + 2, -(2**63), None, 2**62]),
        "unsigned": pa.array([0, 2**63, 1, 2], pa.uint64()),
        "half": pa.array(np.array([0.5, 2, 3, 4], np.float16)),
        "single": pa.array([0.1, None, math.inf, math.nan], pa.float32()),
        "decimal": pa.array([Decimal("2845318.5164381"), None, Decimal(1), Decimal("-0.1")]),
        "category": pa.array([1.5, 2.5, 1.5, None]).dictionary_encode(),
        "label": pa.array(["calm", "tense", "calm", "tense"]).dictionary_encode(),
        "person": pa.array([1.0, 1.0, 2.0, 2.0]),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet")
    names = table.columns[:-2]
    (block,) = table.blocks(names, ["label", "person"])
    nan = math.nan
    expected = {
        "bool": [1, nan, 0, 1],
        "small": [1, 2, nan, 127],
        "exact": [2.0**53 + 2, -(2.0**63), nan, 2.0**62],
        "unsigned": [0, 2.0**63, 1, 2],
        "half": [0.5, 2, 3, 4],
        "single": [np.float64(np.float32(0.1)), nan, math.inf, nan],
        "decimal": [2845318.5164381, nan, 1, -0.1],
        "category": [1.5, 2.5, 1.5, nan],
    }
    assert names == tuple(expected)
    np.testing.assert_array_equal(block.values.T, list(expected.values()))
    assert block.texts["label"].to_pylist() == ["calm", "tense", "calm", "tense"]
    assert block.texts["person"].to_pylist() == ["1.0", "1.0", "2.0", "2.0"]


def test_parquet_blocks_follow_each_other(tmp_path, monkeypatch):
    counts = np.arange(50, dtype=np.int64)
    table = pa.table({"a.x": counts, "a": counts + 0.5, "who": counts // 10})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=20)
    monkeypatch.setattr(parquet_tables, "BLOCK_BYTES", 8 * 7)
    blocks = list(open_table(tmp_path / "t.parquet").blocks(["a", "a.x"], ["who"]))
    assert [block.first_row for block in blocks[:4]] == [0, 3, 6, 9]
    values = np.vstack([block.values for block in blocks])
    np.testing.assert_array_equal(values, np.column_stack([counts + 0.5, counts]))
    texts = [text for block in blocks for text in block.texts["who"].to_pylist()]
    assert texts == [str(count // 10) for count in counts]
