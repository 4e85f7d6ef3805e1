"""The benchmarks measure what they say: equal work, whole process trees, distance from a line."""

import json
import sys

import pytest
import torch
from benchmarks.speed import tasks
from benchmarks.speed.growth import distance, with_features, with_rows
from benchmarks.speed.measuring import Comparison, Cost, run, task, written
from benchmarks.speed.page import page
from torch.utils.flop_counter import FlopCounterMode

from tests.workflow.plain_script import Network

WASTE = "x = bytearray(200_000_000); sum(range(160_000_000))"


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """Tables of 240 and 120 rows, and what ingest makes of them."""
    home = tmp_path_factory.mktemp("speed")
    _, found = task("twin", f"{home}/raw/", "demo", 3, 40, directory=home)
    assert found == {"rows": {"train": 240, "test": 120}, "features": 40}
    task("ingest", f"{home}/raw/", f"{home}/table/", directory=home)
    return home


def test_readers_read_the_same_numbers(twin):
    found = {
        how: task("read", twin / "raw/train.csv", how, directory=twin)[1]["digest"]
        for how in ("emodag", "pandas, exact", "pyarrow")
    }
    assert len(set(found.values())) == 1


def test_both_scalings_give_the_same_bits(twin):
    found = [
        task("quantiles", f"{twin}/table/", how, directory=twin)[1]
        for how in ("emodag", "scikit-learn")
    ]
    assert found[0] == found[1] and found[0]["shape"] == [360, 40]


def test_a_fit_reads_what_scale_wrote(twin):
    task("scale", f"{twin}/table/", f"{twin}/scaled/", directory=twin)
    cost, found = task("fit", f"{twin}/scaled/", directory=twin)
    assert found["parameters"] > 40 * 512 and cost.cpu > 0 and 50 < cost.peak < 2000


def test_operations_are_those_of_the_scripts_step():
    x = torch.zeros(128, tasks.WIDTH)
    with FlopCounterMode(display=False) as counter:
        logits, rebuilt = Network(tasks.WIDTH)(x)
        (logits.sum() + rebuilt.sum()).backward()
    last = 3 * 2 * 128 * 128 * 4
    assert tasks.operations(128) == counter.get_total_flops() - last


def test_a_cost_counts_children(tmp_path):
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WASTE!r}])"
    alone = run([sys.executable, "-c", "pass"], tmp_path)
    cost = run([sys.executable, "-c", code], tmp_path)
    assert cost.cpu > alone.cpu + 0.1 and cost.wall > 0.1
    assert cost.peak > 150


def test_a_command_that_fails_ends_the_run_with_what_it_said(tmp_path):
    with pytest.raises(SystemExit, match="no such thing"):
        run([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path)


def test_distance_from_a_line():
    rows = [1.0, 2.0, 4.0, 8.0]
    assert distance(rows, [5 + 3 * x for x in rows]) == pytest.approx(0, abs=1e-12)
    assert distance(rows, [x**2 for x in rows]) > 0.1


def test_the_page_tells_what_was_reached_and_the_json_everything():
    quick, slow = [Cost(1.0, 1.9, 50.0)] * 2, [Cost(3.0, 2.9, 70.0), Cost(2.0, 1.9, 60.0)]
    one = Comparison("whole", "a & b", "at least 2", costs={"emodag": quick, "script": slow})
    one.compare("script", "emodag", lambda ratio: ratio >= 2)
    other = Comparison("part", "c", "at most 1", costs={"emodag": slow, "script": quick})
    other.compare("emodag", "script", lambda ratio: ratio <= 1)
    assert (one.ratios, one.reached, other.reached) == ([3.0, 2.0], True, False)

    text = page([one, other], {"processor": "x<y"})
    assert "a &amp; b" in text and "x&lt;y" in text and text.count("<svg") == 2
    assert "2.500 [2.000, 3.000] (script / emodag)" in text
    assert text.index("<td>yes</td>") < text.index("<td>no</td>")

    found = json.loads(json.dumps(written([one, other], {})))["comparisons"]
    assert found[0]["costs"]["script"][1] == {"wall": 2.0, "cpu": 1.9, "peak": 60.0}


def points(along, fit):
    """Three tables of growing size on which ingest and scale grow with it, and the fit as given."""
    return [
        {
            **{"rows": 100, "features": 8, "parameters": 50, along: size},
            **{kind: {"CPU seconds": 1 + size, "MB": 5.0} for kind in ("ingest", "scale")},
            "fit": {"CPU seconds": fit(size), "MB": 5.0},
        }
        for size in (100, 200, 400)
    ]


def test_growth_with_rows_is_a_distance_from_a_line():
    straight, bent = (with_rows(points("rows", fit)) for fit in (lambda n: 3 * n, lambda n: n * n))
    assert straight.reached and max(straight.ratios) == pytest.approx(0, abs=1e-9)
    assert not bent.reached and bent.facts["found"]["fit, CPU seconds"] == max(bent.ratios) > 0.1
    text = page([bent], {})
    assert text.count("<svg") == 2 and f"fit, CPU seconds {max(bent.ratios):.3f}" in text


def test_growth_with_features_is_that_of_the_work():
    square = points("features", lambda n: n * n)
    assert not with_features(square).reached
    for point in square:
        point["parameters"] = point["features"] ** 2  # which excuses the fit, and nothing else
    one = with_features(square)
    assert one.reached and one.facts["found"]["fit, CPU seconds, 400"] == pytest.approx(1)
    assert one.facts["found"]["scale, CPU seconds, 400"] == pytest.approx(401 / 201 / 2)
    assert page([one], {}).count("<svg") == 2
    square[-1]["ingest"]["CPU seconds"] *= 1.2
    assert not with_features(square).reached
