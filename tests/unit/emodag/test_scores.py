"""The scores stage refuses a leak-free score whose model has seen the held-out labels."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from emodag.science.tables.matrices import write_columns
from emodag.stages.scores import LeakageError, run

ENTRY = {"role": "fit", "env": "e", "protocol": "nested", "seed": 1, "stage": "gen1", "fold": 0}


@pytest.fixture
def inputs(tmp_path):
    persons = np.array([1, 1, 2, 2, 3], np.int64)
    write_columns(tmp_path / "rows.parquet", {"person": persons})
    write_columns(tmp_path / "folds.parquet", {"group_fold": np.array([0, 0, 1, 1, 1], np.int16)})
    (tmp_path / "fit.json").write_text(json.dumps({"macro_f1": 0.5, "accuracy": 0.6}))
    return {
        "rows": tmp_path / "rows.parquet",
        "folds": tmp_path / "folds.parquet",
        "fit": tmp_path / "fit.json",
    }


def score(inputs, seen, *, leak_free):
    context = SimpleNamespace(labels_seen={"fit": frozenset(seen)})
    output = inputs["rows"].parent
    run(inputs, {"fits": [{**ENTRY, "leak_free": leak_free}]}, output, context)
    return (output / "scores.csv").read_text()


def test_a_clean_lineage_is_scored(inputs):
    assert score(inputs, {"2", "3"}, leak_free=True).endswith("e,nested,1,gen1,0,0.5,,0.6,,,\n")


def test_a_leak_is_refused_where_the_protocol_claims_there_is_none(inputs):
    with pytest.raises(LeakageError, match="fit: the model has seen labels of 1, whom it is"):
        score(inputs, {"1", "2"}, leak_free=True)
    assert "0.5" in score(inputs, {"1", "2"}, leak_free=False)
