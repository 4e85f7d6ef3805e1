"""Where the predictions of a table lie, and which of its columns names persons."""

from itertools import product

import pandas as pd
import pytest

from emodag.chain.chain import Chain
from emodag.config.sections import load
from emodag.verbs.last_run import person_column
from emodag.verbs.predict import _lines, _name

FILES = [
    *("later.csv", "later.parquet", "later.csv.gz", "later", "later.csv.csv", "a_later.csv"),
    *(
        "a/later.csv",
        "../later.csv",
        "a/../later.csv",
        "/later.csv",
        "a later.csv",
        "later_of_t001.csv",
    ),
    *("t\u00e4glich.csv", "-.csv", "..csv", "*.csv", "?.csv"),
]


def test_what_differs_has_places_that_differ():
    asked = [*product([(file,) for file in FILES], [None, "t001", "t002"])]
    asked += [(("later.csv", file), None) for file in FILES]
    # Tables that are called as one of these places are.
    asked += [((f"{_name(list(files), of)}.csv",), None) for files, of in asked]
    places = {_name(list(files), of) for files, of in asked}
    assert len(places) == len(set(asked))


def test_the_plain_case_is_readable_and_no_name_is_too_long():
    assert _name(["later.csv"], None) == "later"
    assert _name(["more/later.csv"], None).startswith("more_later-")
    assert _name(["later.csv"], "t001").startswith("later_of_t001-")
    assert len(_name([f"{'ä' * 200}/{'ö' * 100}.csv"], "ü" * 100).encode()) < 255


FILES = {"source": "files", "train": ["a.csv", "b.csv"], "test": "test.csv"}


@pytest.mark.parametrize(
    ("data", "column"),
    [
        ({"source": "synthetic"}, "who"),
        ({"ignore": ["note*"], "test_blocks": 12}, "who"),
        ({"test_blocks": 12}, "note1"),
        ({"test_group": "other"}, "other"),
        ({"label": "mood", "group": "f0"}, "f0"),
        ({"label": "mood", "group": "f0", "test_group": "other"}, "other"),
    ],
)
def test_a_later_tables_persons_are_in_a_column_called_as_that_of_training(
    data, column, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    columns = ["", "f0", "f1", "mood", "who"]
    (tmp_path / "results/raw").mkdir(parents=True)
    pd.DataFrame([[0] * 5], columns=columns).to_parquet("results/raw/train.parquet")
    for name in ("a.csv", "b.csv"):
        pd.DataFrame([[0] * 6], columns=[*columns, "note1"]).to_csv(name, index=False)
    chain = Chain(load({"data": FILES | data if "source" not in data else data}), "local")
    assert person_column(chain) == column
    job = chain.predict("later", ["later.csv"], person_column(chain))
    assert column in (job.params["test_group"], job.params["group"])


@pytest.mark.parametrize(
    ("persons", "told"),
    [
        (["S9"], []),
        ([""], []),
        (["S1", "S9"], ["NOTE 'S1' is in the training table too"]),
        (["s2 ", "S1"], ["NOTE 's2 ', 'S1' are in the training table too"]),
    ],
)
def test_persons_of_the_training_table_are_told(persons, told, tmp_path):
    (tmp_path / "predictions.csv").write_text("ID,Predicted\n0,1\n")
    known = ["training,S1,9,0.1", "training,S2,9,0.2"]
    new = [f"new,{person},9,0.3" for person in persons]
    text = "\n".join(["table,person,rows,distance", *known, *new, ""])
    (tmp_path / "persons.csv").write_text(text)
    said = [*_lines(tmp_path / "predictions.csv", tmp_path / "persons.csv")]
    notes = [line.partition(":")[0] for line in said if line.startswith("NOTE")]
    assert notes == told and len(said) == 2 + len(persons) + len(told)
