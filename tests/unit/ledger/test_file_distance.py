"""How far apart two files are: tables, tensors, JSON and text."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from ledger.compare import table_distance
from ledger.compare.contents import Packed
from ledger.compare.dotted import changes, dotted
from ledger.compare.file_distance import file_distance
from ledger.errors import IntegrityError


@pytest.fixture
def files(tmp_path):
    """Writes the two sides of a file and compares them."""

    def compare(name, write, a, b):
        for side, content in (("a", a), ("b", b)):
            (tmp_path / side).mkdir(exist_ok=True)
            write(tmp_path / side / name, content)
        return file_distance(tmp_path / "a" / name, tmp_path / "b" / name)

    return compare


def parquet(path, columns, **options):
    pq.write_table(pa.table(columns), path, compression="zstd", **options)


def grouped(path, columns):
    parquet(path, columns, row_group_size=100)


RNG = np.random.default_rng(0)
TABLE = {f"f{j}": RNG.normal(size=1000) for j in range(7)}


def test_one_cell_of_a_table(files):
    changed = {name: values.copy() for name, values in TABLE.items()}
    changed["f3"][617] = np.nextafter(changed["f3"][617], 9)
    found = files("t.parquet", grouped, TABLE, changed)
    whole = found["whole"]
    assert (whole["cells"], whole["differing"], whole["ulps"]) == (7000, 1, 1)
    assert list(found["parts"]) == ["f3"]


def test_row_groups_and_dictionaries_leave_no_trace(files, tmp_path):
    table = {**TABLE, "person": [f"p{n % 9}" for n in range(1000)]}
    as_dictionary = {**table, "person": pa.array(table["person"]).dictionary_encode()}

    def write(path, columns):
        size = 300 if path.parent.name == "a" else 77
        parquet(path, columns, row_group_size=size)

    whole = files("t.parquet", write, table, as_dictionary)["whole"]
    assert (whole["cells"], whole["differing"]) == (8000, 0)
    other = {**as_dictionary, "person": [*table["person"][:-1], "q"], "f0": TABLE["f0"] + 1}
    found = files("t.parquet", write, table, other)
    assert {name: part["differing"] for name, part in found["parts"].items()} == {
        "f0": 1000,
        "person": 1,
    }
    assert found["parts"]["person"]["absolute"] is None
    assert found["whole"]["absolute"] == pytest.approx(1)


def test_missing_values_differ_from_all_others(files):
    def column(values):
        return {"x": pa.array(values, pa.int32())}

    found = files("t.parquet", parquet, column([1, None, None, 4]), column([1, None, 3, 6]))
    whole = found["whole"]
    assert (whole["cells"], whole["differing"], whole["incomparable"]) == (4, 2, 1)
    assert whole["absolute"] == 2


def test_tables_of_other_shapes(files):
    found = files(
        "t.parquet",
        parquet,
        {"x": np.arange(3), "y": np.arange(3)},
        {"x": np.arange(3) + 0.5, "z": np.arange(3)},
    )
    assert found["only_in_a"] == ["y"] and found["only_in_b"] == ["z"]
    assert found["types"] == {"x": ["int64", "double"]} and found["whole"]["absolute"] == 0.5
    assert files("t.parquet", parquet, {"x": [1, 2]}, {"x": [1]}) == {"rows": [2, 1]}


def test_tensors(files):
    a = {"w": np.ones((2, 3), np.float32), "b": np.zeros(2, np.float32), "old": np.zeros(1)}
    b = {"w": np.ones((2, 3), np.float32), "b": np.zeros(3, np.float32), "new": np.zeros(1)}
    b["w"][1, 2] = np.nextafter(np.float32(1), np.float32(2))
    found = files("w.safetensors", lambda path, tensors: save_file(tensors, path), a, b)
    assert found["shapes"] == {"b": [[2], [3]]}
    assert (found["only_in_a"], found["only_in_b"]) == (["old"], ["new"])
    assert list(found["parts"]) == ["w"]
    assert (found["whole"]["cells"], found["whole"]["ulps"]) == (6, 1)


def test_tensors_are_summed_in_one_order(files):
    a, b = ({f"w{n}": RNG.normal(size=5) for n in range(40)} for _ in "ab")
    found = {
        json.dumps(files("w.safetensors", lambda path, tensors: save_file(tensors, path), a, b))
        for _ in range(8)
    }
    assert len(found) == 1


def test_json_by_dotted_key(files):
    found = files(
        "f.json",
        lambda path, text: path.write_text(text),
        '{"f1": [0.5, 0.6], "n": 3, "gone": {}}',
        '{"f1": [0.5, 0.7], "n": 3.0, "new": null}',
    )
    assert found["changes"] == [
        {"key": "f1.1", "a": 0.6, "b": 0.7},
        {"key": "n", "a": 3, "b": 3.0},
        {"key": "gone", "a": {}},
        {"key": "new", "b": None},
    ]


def test_text_by_line(files):
    def write(path, text):
        path.write_text(text)

    found = files("s.csv", write, "ID,x\n0,1\n1,2\n2,3\n", "ID,x\n0,1\n1,3\n")
    assert found["lines"] == {"a": 4, "b": 3, "differ": 2}
    assert found["first"] == {"line": 3, "a": "1,2", "b": "1,3"}
    found = files("s.csv", write, "a\n", "a\nb\n")
    assert found["first"] == {"line": 2, "b": "b"}
    assert "first" not in files("s.csv", write, "a\n", "a")


@pytest.mark.parametrize("name", ["t.parquet", "w.safetensors", "f.json"])
def test_what_cannot_be_read_is_named(files, name):
    with pytest.raises(IntegrityError, match=f"{name}.*cannot be compared.*verify"):
        files(name, lambda path, content: path.write_bytes(content), b"PAR1 not", b"at all {")


def test_dotted():
    assert dotted({"a": {"b": [1, {"c": 2}]}, "d": []}) == {"a.b.0": 1, "a.b.1.c": 2, "d": []}
    assert dotted(5) == {"": 5}
    assert changes({"a": 1}, {"a": 1}) == []
    assert changes({"a": True}, {"a": 1}) == [{"key": "a", "a": True, "b": 1}]


def test_files_out_of_a_pack(tmp_path, monkeypatch):
    """They are compared in memory as on the disk, and what would unpack to too much is refused."""
    changed = {**TABLE, "f3": TABLE["f3"] + 1}
    parquet(tmp_path / "a.parquet", TABLE)
    parquet(tmp_path / "b.parquet", changed)
    for name, columns in (("a", TABLE), ("b", changed)):
        save_file(columns, tmp_path / f"{name}.safetensors")
        (tmp_path / f"{name}.json").write_text(f'{{"x": {len(columns)}, "y": "{name}"}}')
        (tmp_path / f"{name}.csv").write_text(f"1\n{name}\n")
    for suffix in ("parquet", "safetensors", "json", "csv"):
        a, b = (tmp_path / f"{name}.{suffix}" for name in "ab")
        packed = [Packed(path, path.read_bytes()) for path in (a, b)]
        assert file_distance(*packed) == file_distance(a, packed[1]) == file_distance(a, b)
    monkeypatch.setattr(table_distance, "UNPACKED_CELLS", 6999)
    paths = [tmp_path / f"{name}.parquet" for name in "ab"]
    assert file_distance(*paths)["whole"]["differing"] == 1000
    with pytest.raises(IntegrityError, match="too large once unpacked"):
        file_distance(*(Packed(path, path.read_bytes()) for path in paths))


@pytest.mark.parametrize("suffix", ["parquet", "safetensors", "json"])
@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"PAR1" * 9, bytes(99)])
def test_what_a_stranger_may_have_packed(suffix, content):
    file = Packed(Path(f"x.zip/a.{suffix}"), content)
    with pytest.raises(IntegrityError, match=r"x\.zip/a\.\w+ cannot be compared"):
        file_distance(file, file)
