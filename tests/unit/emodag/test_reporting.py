"""Which artifacts the report is built from, by configuration."""

import pytest

from emodag.chain.jobs import jobs
from emodag.config.sections import load


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"protocols": ["nested"], "seeds": [3, 4]},
        {"protocols": ["published"], "generations": 1, "folds": 2},
        {"report": {"drift": True}},
        {"data": {"source": "files", "train": "a.csv", "test": "b.csv"}},
    ],
)
def test_it_reads_what_the_chain_makes(values):
    chain = jobs(load(values))
    origins = [o for o in chain["report"].inputs.values() if not isinstance(o, str)]
    assert all(file in chain[job].outputs for job, file in origins)
    assert len(set(origins)) == len(origins)


def test_drift_is_read_on_request():
    assert "drift" not in jobs(load({}))["report"].inputs
    job = jobs(load({"report": {"drift": True}}))["report"]
    assert job.inputs["drift"] == ("drift", "drift.json")


def test_it_looks_into_the_leak_free_models_where_there_are_any():
    inputs = jobs(load({}))["report"].inputs
    weights = [role for role in inputs if role.endswith("weights.safetensors")]
    assert weights == [f"nested/seed1/gen2/fold{f}/weights.safetensors" for f in range(5)]
    inputs = jobs(load({"protocols": ["published"]}))["report"].inputs
    assert "published/scaled/all/train.parquet" in inputs


def test_what_has_no_influence_on_results_has_none_on_the_report():
    files = {"source": "files", "train": "a.csv", "test": "b.csv"}
    params = jobs(load({"data": files}))["report"].params
    moved = {"source": "files", "train": "c.csv", "test": "d.csv"}
    other = {"data": moved, "store": "s", "training": {"checkpoint_every": 3}}
    assert jobs(load(other))["report"].params == params
    assert jobs(load({"data": files, "training": {"epochs": 3}}))["report"].params != params
