"""Which artifacts the report is built from, by configuration."""

import pytest

from emodag.chain.jobs import jobs
from emodag.chain.report import report_job
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
    assert "drift" not in report_job(load({})).inputs
    job = report_job(load({"report": {"drift": True}}))
    assert job.inputs["drift"] == ("drift", "drift.json")


def test_it_looks_into_the_leak_free_models_where_there_are_any():
    inputs = report_job(load({})).inputs
    weights = [role for role in inputs if role.endswith("weights.safetensors")]
    assert weights == [f"nested/seed1/gen2/fold{f}/weights.safetensors" for f in range(5)]
    inputs = report_job(load({"protocols": ["published"]})).inputs
    assert "published/scaled/all/train.parquet" in inputs


def test_what_has_no_influence_on_results_has_none_on_the_report():
    files = {"source": "files", "train": "a.csv", "test": "b.csv"}
    params = report_job(load({"data": files})).params
    moved = {"source": "files", "train": "c.csv", "test": "d.csv"}
    other = {"data": moved, "store": "s", "training": {"checkpoint_every": 3}}
    assert report_job(load(other)).params == params
    assert report_job(load({"data": files, "training": {"epochs": 3}})).params != params
