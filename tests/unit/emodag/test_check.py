"""What `check` says a run will take of a table with very many features."""

import json

import pyarrow.parquet as pq
import pytest

from emodag.chain.jobs import jobs
from emodag.config.sections import load
from emodag.verbs import check


@pytest.mark.parametrize("ratio", [4, 16])
def test_the_weights_that_grow_are_nearly_all_of_a_wide_network(ratio):
    from emodag.science.fit.model import AttentiveAutoencoder, ModelSettings

    widths = {"hidden": 32, "code": 8, "head": 8, "attention": True, "gate_ratio": ratio}
    rest = {"dropout": 0.0, "residual": True, "corruption": 0.0, "matmul": "torch"}
    config, settings = load({"model": widths}), ModelSettings(**widths, **rest)
    network = AttentiveAutoencoder(2000, 4, settings, None)
    weights = sum(each.numel() for each in network.parameters())
    assert check._weights(config, 2000) == pytest.approx(weights, rel=0.02)


def test_what_a_fit_takes_is_told_where_it_is_much():
    assert list(check._memory(load({}), 700)) == []
    (line,) = check._memory(load({}), 100_000)
    assert line.strip() == "a fit takes about 82 GB of memory for 100,000 features"


def told(**seconds):
    """What is said of a run whose parts take so long, all others nothing."""
    config = load({"protocols": ["nested"], "folds": 3})
    taken = check.Seconds(**dict.fromkeys(check.Seconds._fields, 0.0) | seconds)
    chain, rows = jobs(config), {"train": 600, "test": 300}
    submission, *_ = check._cost(config, chain, rows, taken)
    return submission.partition(": about ")[2].partition(" on ")[0]


def test_a_run_takes_as_long_as_its_parts(monkeypatch):
    """Each of three folds has a scaling and three fits, on two cores; one reads the tables."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert told() == "10 s"
    assert told(reading=1200.0) == "20 minutes"
    assert told(scaling=1200.0) == "30 minutes"
    assert told(fit=1200.0) == "1.5 hours"


def test_trials_that_are_not_known_yet_are_no_part_of_the_cost_and_are_told():
    space = {"training.mixup": {"uniform": [0, 1]}}
    for sampler, more in (("tpe", 1), ("sobol", 0)):
        config = load({"search": {"trials": 25, "sampler": sampler, "space": space}})
        taken = check.Seconds(*[0.0] * len(check.Seconds._fields))
        lines = check._cost(config, jobs(config), {"train": 600, "test": 300}, taken)
        assert sum("15 trials more, drawn from the scores" in line for line in lines) == more


def test_scaling_is_measured_by_some_of_the_features(tmp_path, monkeypatch):
    config = load({"data": {"size": "demo"}})
    chain, looking = jobs(config), check.Looking()
    check._make_tables(config, chain, tmp_path, looking)
    quality = json.loads((tmp_path / "local/table/quality.json").read_text())
    widths = []

    def scale(inputs, params, output, context):
        widths.append(pq.read_metadata(inputs["train"]).num_columns)
        assert params["fold"] is None

    monkeypatch.setattr("emodag.stages.scale.run", scale)
    monkeypatch.setattr(check, "SCALED", 1)
    assert check._seconds_of_scaling(config, chain, quality, tmp_path) >= 0
    assert widths == [check.COLUMNS] and quality["features"] > check.COLUMNS
