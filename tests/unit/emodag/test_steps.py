"""Two runs compared step by step: what differs, by how much, and where it grows."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from emodag.stages.steps import Pair, Step, compare, first_to_differ, over_pairs

RNG = np.random.default_rng(0)
A = RNG.uniform(0.5, 0.99, (100, 10)).astype(np.float32)


@pytest.fixture
def step(tmp_path):
    """Makes a step with one job, whose file holds the matrix `a` and in the other run `b`."""

    def make(name, a, b, carries=("test.parquet",)):
        paths = []
        for side, matrix in (("a", a), ("b", b)):
            directory = tmp_path / side / name
            directory.mkdir(parents=True, exist_ok=True)
            columns = {f"p{n}": column for n, column in enumerate(np.asarray(matrix).T)}
            pq.write_table(pa.table(columns), directory / "test.parquet")
            paths.append(directory / "test.parquet")
        pair = Pair(f"local/{name}", "test.parquet", *paths)
        return Step(name=name, pairs=(pair,), carries=frozenset(carries))

    return make


def nudged(matrix, cells, ulps=1):
    """A copy whose first `cells` cells lie some steps above."""
    bits = matrix.copy().ravel().view(np.uint32)
    bits[:cells] += np.uint32(ulps)
    return bits.view(np.float32).reshape(matrix.shape)


def test_one_ulp_in_one_percent_of_the_cells(step):
    b = nudged(A, 10)
    (found,) = compare([step("gen0", A, b)])
    carried = found["carried"]
    relative = np.abs(b.astype(np.float64) - A) / np.maximum(A, b)
    assert not found["identical"] and found["jobs"] == ["local/gen0"]
    assert (carried["cells"], carried["differing"], carried["share"]) == (1000, 10, 0.01)
    assert carried["ulps"] == 1 and carried["relative"] == pytest.approx(relative.max())
    assert carried["rms"] == pytest.approx(np.sqrt(np.mean(relative**2)))
    assert found["amplification"] is None, "nothing before it differs"


def test_amplification_skips_steps_without_numbers(step):
    steps = [
        step("table", A, A),
        step("scaled", A, nudged(A, 1000)),
        step("gen1/pseudo_labels", A, nudged(A, 5), carries=()),
        step("gen1", A, nudged(A, 1000, 50)),
        step("gen1/blend", A, A),
        step("gen2", A, nudged(A, 1000)),
    ]
    found = compare(steps)
    assert [entry["identical"] for entry in found] == [True, False, False, False, True, False]
    assert first_to_differ(found) == "scaled" and first_to_differ(found[:1]) is None
    assert found[2]["carried"] is None and found[2]["files"]["test.parquet"]["differ"] == 1
    assert found[3]["amplification"] == pytest.approx(50, rel=1e-4)
    for name in (0, 1, 2, 4, 5):
        assert found[name]["amplification"] is None


def test_tables_of_other_rows_and_of_other_types(step):
    rows, types = compare([step("gen1", A, A[:50]), step("gen2", A, A.astype(np.float64))])
    assert not rows["identical"] and rows["carried"] is None
    assert rows["files"]["test.parquet"]["unlike"] == 1
    assert types["files"]["test.parquet"]["types"] == [["float", "double"]]
    assert not types["identical"] and types["carried"]["differing"] == 0


def test_several_jobs_and_files_of_a_step_add_up(step, tmp_path):
    one, two = step("gen1/fold0", A, A), step("gen1/fold1", A, nudged(A, 100, 3))
    weights = []
    for side, values in (("a", A), ("b", nudged(A, 1, 7))):
        save_file({"w": values}, tmp_path / side / "weights.safetensors")
        weights.append(tmp_path / side / "weights.safetensors")
    pair = Pair("local/gen1/fold1", "weights.safetensors", *weights)
    whole = Step(name="gen1", pairs=(*one.pairs, *two.pairs, pair), carries=one.carries)
    (found,) = compare([whole])
    assert found["jobs"] == ["local/gen1/fold1"]
    assert (found["carried"]["cells"], found["carried"]["ulps"]) == (2000, 3)
    assert found["carried"]["share"] == 0.05
    assert found["files"]["weights.safetensors"]["whole"]["ulps"] == 7


def test_a_file_is_digested_once_and_not_against_itself(step):
    asked = []
    same, other = step("a", A, A), step("b", A, A)
    mirror = Step(name="m", pairs=(Pair("m", "test.parquet", *[same.pairs[0].a] * 2),))

    def digest(path):
        asked.append(path)
        return "0"

    assert all(entry["identical"] for entry in compare([same, other, same, mirror], digest))
    assert len(asked) == len(set(asked)) == 4


def test_several_pairs_of_runs(step):
    small = compare([step("x/scaled", A, nudged(A, 1000)), step("x/gen0", A, nudged(A, 1000, 10))])
    large = compare([step("y/scaled", A, nudged(A, 1000)), step("y/gen0", A, nudged(A, 500, 30))])
    equal = compare([step("z/scaled", A, A), step("z/gen0", A, A)])
    scaled, gen0 = over_pairs([small, large, equal])
    assert (scaled["pairs"], scaled["identical"], scaled["carried"]["ulps"]) == (3, 1, 1)
    assert (gen0["carried"]["ulps"], gen0["carried"]["share"]) == (30, 1)
    rms = [entry[1]["carried"]["rms"] for entry in (small, large, equal)]
    assert gen0["each_rms"] == rms and gen0["carried"]["rms"] == sorted(rms)[1]
    grown = [entry[1]["amplification"] for entry in (small, large)]
    assert gen0["amplification"] == pytest.approx(sum(grown) / 2)
    assert scaled["weights"] is None
