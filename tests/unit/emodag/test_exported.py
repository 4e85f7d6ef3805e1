"""The file that an exported model comes with: what it makes of a table of text."""

import json

import numpy as np
import pytest

from emodag.config.sections import load
from emodag.science.tables.table import MISSING
from emodag.verbs import export, exported

FEATURES = ["f0", "f1"]


def read(tmp_path, text, *, separator=None, decimal=None, missing=()):
    model = {"features": FEATURES, "separator": separator, "decimal": decimal}
    model |= {"missing": [*MISSING, *missing]}
    (tmp_path / "model.json").write_text(json.dumps(model))
    (tmp_path / "later.csv").write_text(text)
    return exported.read(str(tmp_path / "later.csv"), tmp_path)[FEATURES].to_numpy(np.float64)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("who,f1,f0\nA,-2.5,1\nB,-999,0.1\n", {}),
        ("who;f1;f0\nA;-2,5;1\nB;-999,0;0,1\n", {}),
        ("who\tf1\tf0\nA\t-2.5\t1\nB\t?\t0.1\n", {}),
        ("who:f1:f0\nA:-2,5:1\nB:NA:0,1\n", {"separator": ":", "decimal": ","}),
    ],
)
def test_a_table_is_read_as_the_run_reads_it(text, told, tmp_path):
    found = read(tmp_path, text, missing=["-999", "?"], **told)
    np.testing.assert_array_equal(found, [[1.0, -2.5], [0.1, np.nan]])


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ValueError, match="lacks the column 'f1'"):
        read(tmp_path, "who;f0\nA;1\n")
    with pytest.raises(ValueError, match="not every cell of the column 'f1' is a number"):
        read(tmp_path, "f0,f1\n1,?\n")


def test_the_card_says_what_the_networks_are():
    nested = {"protocols": ["nested"]}
    file = {"source": "files", "train": "a", "label": "c", "group": "b"}
    assert "the teacher" in export._generation(load({"generations": 0} | nested))
    assert "without pseudo-labels" in export._generation(load({"data": file} | nested))
    assert "self-training" in export._generation(load({}))
