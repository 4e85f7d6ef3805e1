"""The file that an exported model comes with: what it makes of a table of text."""

import json

import numpy as np
import pandas as pd
import pytest

from emodag.config.sections import load
from emodag.science.tables.table import MISSING
from emodag.verbs import export, exported

FEATURES = ["f0", "f1"]


def read(tmp_path, text, *, separator=None, decimal=None, missing=()):
    model = {"features": FEATURES, "separator": separator, "decimal": decimal}
    model |= {"missing": [*MISSING, *missing], "group": "who"}
    (tmp_path / "model.json").write_text(json.dumps(model))
    (tmp_path / "later.csv").write_text(text)
    return exported.read(str(tmp_path / "later.csv"), tmp_path)


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
    found = read(tmp_path, text, missing=["-999", "?"], **told)[FEATURES].to_numpy(np.float64)
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


def cells(folder, persons):
    return read(folder, "\n".join(["f0,f1,who", *(f"1,2,{who}" for who in persons)]))["who"]


def test_persons_are_read_as_they_are_written(tmp_path):
    found = exported.names(cells(tmp_path, ["01", "1", "1.0", "NA", "1.50"]))
    assert found.tolist() == ["01", "1", "1", "NA", "1.50"]
    for kind in ("int64", "float64", "category", "string"):
        assert exported.names(pd.Series([2, 1]).astype(kind)).tolist() == ["2", "1"]
    left_out = pd.Series(["u", "v"], dtype="category")[:1]
    assert exported.names(left_out).value_counts().to_dict() == {"u": 1}


@pytest.mark.parametrize("empty", ["", " ", None, float("nan")])
def test_a_row_of_nobody_is_refused(tmp_path, empty):
    persons = cells(tmp_path, ["u", empty]) if isinstance(empty, str) else pd.Series(["u", empty])
    with pytest.raises(ValueError, match="data row 2: the person is missing"):
        exported.names(persons)
