"""Logical digests see values and nothing else."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from ledger.disk.canonical import canonical_json, digest, is_sha256
from ledger.kinds import digest as kinds
from ledger.kinds.digest import digests, logical_digest


def written(path, table, **options):
    pq.write_table(table, path, **options)
    return logical_digest(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.lists(st.tuples(st.none() | st.floats(), st.none() | st.text()), max_size=30),
    st.integers(1, 7),
)
def test_layout_leaves_no_trace(tmp_path, rows, group):
    table = pa.table(
        {"x": pa.array([r[0] for r in rows], pa.float64()), "t": pa.array([r[1] for r in rows])}
        if rows
        else {"x": pa.array([], pa.float64()), "t": pa.array([], pa.string())}
    )
    if table.schema.field("t").type == pa.null():
        table = table.set_column(1, "t", table["t"].cast(pa.string()))
    reference = written(tmp_path / "a.parquet", table)
    assert reference == written(
        tmp_path / "b.parquet", table, row_group_size=group, compression="zstd"
    )
    assert reference == written(tmp_path / "c.parquet", table, use_dictionary=False, version="1.0")
    as_dictionary = table.set_column(1, "t", table["t"].dictionary_encode())
    assert reference == written(tmp_path / "d.parquet", as_dictionary)


BASE = {"x": np.array([1.0, 2.0, 0.0]), "n": np.array([1, 2, 3], np.int32)}


@pytest.mark.parametrize(
    "changed",
    [
        {"x": np.array([1.0, np.nextafter(2.0, 3.0), 0.0]), "n": BASE["n"]},
        {"x": np.array([1.0, 2.0, -0.0]), "n": BASE["n"]},
        {"x": BASE["x"].astype(np.float32), "n": BASE["n"]},
        {"y": BASE["x"], "n": BASE["n"]},
        {"n": BASE["n"], "x": BASE["x"]},
        {"x": BASE["x"][:2], "n": BASE["n"][:2]},
        {"x": pa.array([1.0, 2.0, None]), "n": BASE["n"]},
    ],
    ids=["ulp", "minus zero", "dtype", "name", "column order", "rows", "missing"],
)
def test_every_difference_in_value_shows(tmp_path, changed):
    reference = written(tmp_path / "a.parquet", pa.table(BASE))
    assert written(tmp_path / "b.parquet", pa.table(changed)) != reference


def test_the_parts_that_differ_are_told(tmp_path, monkeypatch):
    changed = {**BASE, "n": BASE["n"].astype(np.int64), "y": BASE["x"]}
    found = []
    for columns in (BASE, changed):
        pq.write_table(pa.table(columns), tmp_path / "a.parquet")
        found.append(digests(tmp_path / "a.parquet")[1])
    (left, right), both = found, {"x", "n"}
    assert left.keys() == both and right.keys() == both | {"y"}
    assert left["x"] == right["x"] and left["n"] != right["n"] and right["y"] != right["x"]
    monkeypatch.setattr(kinds, "MANY", 2)
    assert digests(tmp_path / "a.parquet") == (logical_digest(tmp_path / "a.parquet"), {})
    save_file({"a": torch.arange(4.0), "b": torch.arange(4.0)}, tmp_path / "w.safetensors")
    before = digests(tmp_path / "w.safetensors")[1]
    save_file({"a": torch.arange(4.0), "b": -torch.arange(4.0)}, tmp_path / "w.safetensors")
    after = digests(tmp_path / "w.safetensors")[1]
    assert after.keys() == {"a", "b"} and after["a"] == before["a"] and after["b"] != before["b"]


def test_nan_payloads_are_one_nan(tmp_path):
    payloads = np.array([0x7FF8000000000000, 0x7FF8000000000001, 0xFFF8000000000000], np.uint64)
    plain = pa.table({"x": np.full(3, np.nan)})
    odd = pa.table({"x": payloads.view(np.float64)})
    assert written(tmp_path / "a.parquet", plain) == written(tmp_path / "b.parquet", odd)


def test_missing_rows_are_told_apart_from_the_values_around_them(tmp_path):
    digests = {
        written(tmp_path / "a.parquet", pa.table({"x": pa.array(values, pa.int8())}))
        for values in ([None, 1, 1], [1, None, 1], [1, 1, None], [1, 1], [None, None, 1])
    }
    assert len(digests) == 5


def test_a_type_without_a_rule_is_refused(tmp_path):
    with pytest.raises(TypeError, match="'when'"):
        written(tmp_path / "a.parquet", pa.table({"when": pa.array([1], pa.timestamp("s"))}))


def test_tensors_by_name_type_shape_and_value(tmp_path):
    def saved(metadata=None, **tensors):
        save_file(tensors, tmp_path / "w.safetensors", metadata)
        return logical_digest(tmp_path / "w.safetensors")

    a, b = torch.arange(6.0), torch.ones(2)
    reference = saved(a=a, b=b)
    assert reference == saved(b=b, a=a) == saved({"note": "x"}, a=a, b=b)
    assert (
        len({reference, saved(a=a.reshape(2, 3), b=b), saved(a=a, c=b), saved(a=a, b=2 * b)}) == 4
    )


def test_json_by_value_and_other_files_by_bytes(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1, "b": 2}')
    (tmp_path / "b.json").write_text('{"b":2,\n"a":1}')
    assert logical_digest(tmp_path / "a.json") == logical_digest(tmp_path / "b.json")
    (tmp_path / "a.csv").write_text("ID\n1\n")
    (tmp_path / "b.csv").write_text("ID\n1")
    assert logical_digest(tmp_path / "a.csv") != logical_digest(tmp_path / "b.csv")


def test_canonical_json():
    assert canonical_json({"b": [1, 2.5], "a": "é"}) == '{"a":"é","b":[1,2.5]}'.encode()
    with pytest.raises(ValueError):
        canonical_json(float("nan"))
    assert is_sha256(digest(1)) and not is_sha256("../" + digest(1)[3:])
