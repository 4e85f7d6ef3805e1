"""The form of submission.csv: the competition's, or a site's own."""

import numpy as np
import pytest

from emodag.chain.chain import Chain
from emodag.config.sections import load
from emodag.science.tables.matrices import probability_columns, write_columns
from emodag.stages import submission
from ledger.errors import ConfigError

PROBABILITIES = np.array([[0.2, 0.5, 0.3], [0.9, 0.1, 0.0], [0.1, 0.1, 0.8]], np.float32)
CLASSES = ["low", "mid, or so", "3"]


def written(folder, ids, **asked):
    """The file that a configuration's parameters make of three rows."""
    values = {"source": "files", "train": "a.csv", "test": "b.csv", "classes": CLASSES}
    values |= {"label": "mood", "group": "who", "id": "key"}
    config = load({"data": values, "submission": asked})
    job = Chain(config, "local").submission()
    inputs = {name: folder / f"{name}.parquet" for name in ("probabilities", "rows")}
    write_columns(inputs["probabilities"], probability_columns(PROBABILITIES))
    write_columns(inputs["rows"], {"id": ids})
    submission.run(inputs, job.params, folder, None)
    return job.params, (folder / "submission.csv").read_text()


def test_as_the_competition_asked_for(tmp_path):
    params, text = written(tmp_path, np.array(["07", "a,b", "9"]))
    assert params == {"boost": [1.0, 1.0, 1.0], "ids": True}
    assert text == 'ID,Predicted\n07,1\n"a,b",0\n9,2\n'


def test_a_sites_own_header_and_labels(tmp_path):
    asked = {"id": "row_id", "label": "target", "values": "names"}
    _, text = written(tmp_path, np.array([3, 1, 2]), **asked)
    assert text == 'row_id,target\n3,"mid, or so"\n1,low\n2,3\n'


def test_one_other_head(tmp_path):
    params, text = written(tmp_path, np.array([3, 1, 2]), label="target")
    assert params["heads"] == ["ID", "target"] and "names" not in params
    assert text.splitlines()[:2] == ["ID,target", "3,1"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"id": "x", "label": "x"}, "submission: `id` and `label` are both 'x'"),
        ({"values": "codes"}, r"submission\.values: .*'numbers' or 'names'; found 'codes'"),
        ({"label": ""}, r"submission\.label: .*at least 1 character"),
    ],
)
def test_a_form_that_is_none(asked, message):
    with pytest.raises(ConfigError, match=message):
        load({"submission": asked})
