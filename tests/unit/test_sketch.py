"""Sketches: the same for any layout of a file, small, and telling how far apart two files are."""

import base64

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from ledger.compare.sketch_distance import sketch_distance
from ledger.kinds.digest import logical_digest
from ledger.kinds.sketch import Sketcher, read_sketch
from ledger.kinds.sketch_rows import BLOCK, Layout, orders, sizes

FACTOR = 2.5
"""How far an estimated number of cells or of ulps may be off, either way."""


@pytest.fixture
def sketch(tmp_path):
    """The sketch of a table, by way of a file."""

    def made(columns, **options):
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table(columns), path, **options)
        sketcher = Sketcher()
        assert logical_digest(path, sketcher) == logical_digest(path)
        return sketcher.text()

    return made


def normal(rows, columns, seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return {f"f{n}": rng.normal(size=rows).astype(dtype) for n in range(columns)}


def moved(values, cells, ulps):
    """Floats of which some cells are moved by so many ulps."""
    out = values.copy()
    out.view(f"i{values.itemsize}")[cells] += np.asarray(ulps).astype(f"i{values.itemsize}")
    return out


def near(estimate, true):
    return true / FACTOR <= estimate <= true * FACTOR


def test_layout_leaves_no_trace(sketch):
    columns = {
        "x": pa.array([None, 0.5, float("nan"), -0.0, *range(300)], pa.float64()),
        "n": pa.array([3, None, *range(302)], pa.int32()),
        "t": pa.array([None, "a", *map(str, range(302))]),
        "b": pa.array([True, None, *[False] * 302]),
    }
    reference = sketch(columns)
    assert reference == sketch(columns, row_group_size=7)
    encoded = {**columns, "t": columns["t"].dictionary_encode()}
    assert reference == sketch(encoded, row_group_size=100, compression="zstd")


def test_equal_values_have_equal_sketches_whatever_their_bits(sketch):
    bits = np.arange(200, dtype=np.uint64) + 0x7FF8000000000000
    assert sketch({"x": bits.view(np.float64)}) == sketch({"x": np.full(200, np.nan)})
    assert sketch({"x": np.zeros(200)}) != sketch({"x": -np.zeros(200)})


def test_values_pinned_for_all_machines_and_versions(sketch):
    """Integer arithmetic only: another result would make manifests incomparable."""
    n = np.arange(100_000, dtype=np.int64)
    summary = read_sketch(sketch({"n": (n * 2654435761 + 12345) ^ (n << 40)}))[0]
    assert summary.sums[:3].tolist() == [
        5286538216886373937,
        6486005784299121946,
        2392218000672854553,
    ]
    assert summary.checks[:8].tolist() == [181, 150, 9, 77, 135, 251, 220, 211]


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 1000, BLOCK, 3 * BLOCK + 5, 11 * BLOCK])
@pytest.mark.parametrize("counters", [1, 3, 64])
def test_each_row_has_one_counter(rows, counters):
    layout = Layout(rows, min(rows, counters), 5)
    found = np.zeros(layout.counters, int)
    covered = np.zeros(rows, int)
    for order in orders(layout, 0, rows):
        covered[order.rows] += 1
        ends = [*order.starts[1:], len(order.rows)]
        np.add.at(found, order.places // 2, ends - order.starts)
    assert (covered == 1).all() and found.tolist() == sizes(layout).tolist()
    if rows <= counters:
        assert set(found) == {1}
    elif counters == 64 and rows >= 1000:
        assert found.min() < 20 and found.max() > rows / 30


@pytest.mark.parametrize(("rows", "columns"), [(22_496, 12), (3000, 200), (200_000, 1), (50, 4)])
@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("ulps", [1, 1000])
def test_a_share_of_cells_by_some_ulps(sketch, rows, columns, share, ulps):
    a = normal(rows, columns)
    rng = np.random.default_rng(1)
    hit = {name: rng.random(rows) < share for name in a}
    b = {n: moved(x, hit[n], rng.choice([-ulps, ulps], hit[n].sum())) for n, x in a.items()}
    found = sketch_distance(sketch(a), sketch(b))
    whole, cells = found["whole"], sum(int(x.sum()) for x in hit.values())
    assert found["parts"].keys() == {name for name, x in hit.items() if x.any()}
    assert whole["cells"] == rows * columns and near(whole["differing"], cells)
    distance = whole["distance"]
    assert distance["unit"] == "ulp" and near(distance["typical"], ulps)
    assert distance["least"] <= ulps * FACTOR and distance["most"] >= ulps
    if rows == 50:
        assert whole["differing"] == cells


def test_one_cell_of_a_wide_table(sketch):
    a = normal(5000, 300)
    b = {**a, "f7": moved(a["f7"], [1234], 1000)}
    found = sketch_distance(sketch(a), sketch(b))
    assert list(found["parts"]) == ["f7"] and found["whole"]["differing"] <= 2
    distance = found["whole"]["distance"]
    assert distance["most"] == 1000 and near(distance["typical"], 1000)


def test_few_columns_that_differ_wholly_among_many_that_do_by_a_cell(sketch):
    a = normal(5000, 200)
    b = {name: moved(x, [77], 1) for name, x in a.items()}
    b["f0"] = moved(a["f0"], slice(None), 64)
    found = sketch_distance(sketch(a), sketch(b))
    assert near(found["whole"]["differing"], 5199)
    assert near(found["parts"]["f0"]["distance"]["typical"], 64)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("change", [np.negative, lambda x: x * np.nan, lambda x: x * 16])
def test_far_apart(sketch, dtype, change):
    a = normal(5000, 3, dtype=dtype)
    b = {**a, "f1": np.where(np.arange(5000) % 50 == 0, change(a["f1"]), a["f1"])}
    whole = sketch_distance(sketch(a), sketch(b))["whole"]
    assert near(whole["differing"], 100)
    assert whole["distance"]["typical"] > whole["distance"]["binade"]


def test_a_few_far_cells_do_not_hide_what_is_typical(sketch):
    a = normal(22_496, 8)
    b = {name: moved(x, np.arange(0, 22_496, 40), 3) for name, x in a.items()}
    b["f3"][100] = np.nan
    distance = sketch_distance(sketch(a), sketch(b))["whole"]["distance"]
    assert near(distance["typical"], 3) and distance["most"] > distance["binade"]


def test_integers_booleans_and_text(sketch):
    a = {"n": np.arange(5000), "t": np.arange(5000).astype(str), "b": np.arange(5000) % 2 == 0}
    change = np.arange(5000) < 250
    b = {
        "n": a["n"] + 7 * change,
        "t": np.where(change, "other", a["t"]),
        "b": a["b"] ^ change,
    }
    found = sketch_distance(sketch(a), sketch(b))
    assert found["parts"].keys() == set(a)
    assert all(near(part["differing"], 250) for part in found["parts"].values())
    distance = found["parts"]["n"]["distance"]
    assert distance["unit"] == "step" and near(distance["typical"], 7)
    assert "distance" not in found["parts"]["t"] and "distance" not in found["parts"]["b"]


def test_what_cannot_be_compared_cell_by_cell(sketch):
    a, b = normal(100, 2), normal(100, 3)
    found = sketch_distance(sketch(a), sketch({**b, "f1": b["f1"].astype(float)}))
    assert found["only_in_b"] == ["f2"] and found["types"] == {"f1": ["float", "double"]}
    assert found["parts"] == {} and found["whole"]["cells"] == 100
    found = sketch_distance(sketch(a), sketch(normal(99, 2)))
    assert found["shapes"] == {"f0": [[100], [99]], "f1": [[100], [99]]}
    assert found["whole"]["cells"] == 0


def test_tensors_and_lines(tmp_path):
    weights = {"w": normal(3000, 1)["f0"].reshape(50, 60), "steps": np.int64(12)}

    def sketched(name, write):
        sketcher = Sketcher()
        write(tmp_path / name)
        logical_digest(tmp_path / name, sketcher)
        return sketcher.text()

    def tensors(w):
        save = {"w": w, "steps": np.asarray(weights["steps"])}
        return sketched("w.safetensors", lambda path: save_file(save, path))

    other = moved(weights["w"].ravel(), slice(0, 300), 2).reshape(50, 60)
    found = sketch_distance(tensors(weights["w"]), tensors(other))
    assert list(found["parts"]) == ["w"] and found["whole"]["cells"] == 3001
    assert near(found["whole"]["differing"], 300)
    shapes = sketch_distance(tensors(weights["w"]), tensors(other.T.copy()))["shapes"]
    assert shapes == {"w": [[50, 60], [60, 50]]}

    lines = [f"{n},{n % 4}" for n in range(2000)]
    first = sketched("s.csv", lambda path: path.write_text("\n".join(lines)))
    lines[5:105] = ["x"] * 100
    second = sketched("s.csv", lambda path: path.write_text("\n".join(lines)))
    whole = sketch_distance(first, second)["whole"]
    assert whole["cells"] == 2000 and near(whole["differing"], 100) and "distance" not in whole
    assert sketched("a.json", lambda path: path.write_text("{}")) is None


def test_size(sketch):
    """A table of 1,793 columns adds less than 100 kB to its manifest, whatever their names."""
    short = sketch(normal(10, 1793))
    long = {f"a_physiological_feature_{n:04}": x for n, x in enumerate(normal(9, 1793).values())}
    for text in (short, sketch(long)):
        assert 50_000 < len(text) < 100_000
    assert read_sketch(short)[0].layout.counters == 3
    assert sketch(normal(1, 12_000)) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b"",
        lambda b: b[:-1],
        lambda b: b + b"0",
        lambda b: b"\xff" * 4 + b[4:],
        lambda b: b.replace(b'"float"', b"[[[]]]"),
        lambda b: b.replace(b"[100]", b"[-10]"),
        lambda b: b.replace(b"[100]", b"[1e9]"),
        lambda b: b.replace(b"[1,[", b"[7,["),
    ],
)
def test_damage_is_refused(sketch, damage):
    text = sketch(normal(100, 3))
    content = damage(base64.b64decode(text))
    with pytest.raises(ValueError, match="not a sketch"):
        sketch_distance(text, base64.b64encode(content).decode())
    with pytest.raises(ValueError, match="not a sketch"):
        read_sketch("*" + text)
