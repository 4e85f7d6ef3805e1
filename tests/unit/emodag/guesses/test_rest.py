"""Which columns are ids or no features."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from emodag.chain.jobs import jobs
from emodag.config.combined import combined
from emodag.science.tables.guesses.guess import guess
from emodag.science.tables.ingest import open_table
from emodag.verbs import check
from ledger.errors import InputError
from tests.unit.emodag.test_init import frame, init, labelled, written


@pytest.mark.parametrize(
    "cell", ["{}.5%", "1.{}25,75", "{},25 uS", "-0.{}", "{}'023", "{} 023", "{}\u2019023.5"]
)
def test_numbers_with_marks_are_no_names_of_rows(tmp_path, cell):
    x = (
        [cell.format(n) for n in range(20)]
        if cell != "-0.{}"
        else [f"-0.{n}5 V" for n in range(20)]
    )
    labelled(x=x, a=np.random.default_rng(1).normal(size=20)).to_csv(
        tmp_path / "t.csv", index=False
    )
    found = guess(open_table(tmp_path / "t.csv"), None)
    assert found.id is None and [*found.ignore] == ["x"]
    assert found.ignore["x"].startswith("numbers with marks, as ")


def test_a_feature_that_the_test_table_spells_otherwise_is_told(tmp_path):
    labelled(a=np.arange(20) / 7, Bvp=np.arange(20) / 3).to_csv(tmp_path / "t.csv", index=False)
    test = pd.DataFrame({"a": [0.5, 0.25], "BVP": [0.5, 0.75]})
    test.to_csv(tmp_path / "u.csv", index=False)
    found = guess(open_table(tmp_path / "t.csv"), open_table(tmp_path / "u.csv"))
    assert "but has 'BVP'" in found.ignore["Bvp"]


@pytest.mark.parametrize("words", [["n.a.", "Na"], ["--", "missing"], ["N/a", "NONE"]])
def test_words_for_missing_cells(tmp_path, words):
    table = frame(range(6)).astype({"eda1": object})
    table.loc[[3, 9], "eda1"] = words
    _, text = written(tmp_path, {"t.csv": table})
    assert yaml.safe_load(text)["data"]["missing_values"] == sorted(words)


def test_times_with_decimals_that_come_first_are_ids(tmp_path, monkeypatch):
    """The default layout, which needs no names, would refuse them."""
    table = frame(range(6))
    table.insert(0, "timestamp", 1.7e9 + 0.25 * np.arange(len(table)))
    written(tmp_path, {"t.csv": table})
    monkeypatch.chdir(tmp_path)
    config = combined([Path("mine.yaml")], [])
    check._make_tables(config, jobs(config), tmp_path / "made", check.Looking())


def test_bytes_that_are_not_utf_8_are_said_to_be(tmp_path):
    table = labelled(a=np.arange(20) / 7)
    table["who"] = np.where(table["who"] == 0, "Zo\u00eb", "Ben")
    table.to_csv(tmp_path / "t.csv", index=False, encoding="latin-1")
    with pytest.raises(InputError, match=r"column 'who', .*: holds bytes that are not UTF-8"):
        guess(open_table(tmp_path / "t.csv"), None)


@pytest.mark.parametrize("cell", ["0{}.02.2024", "0{}:30", "0 days 00:00:0{}", "2024-05-0{}"])
def test_times_and_spans_of_time_are_no_names_of_rows(tmp_path, cell):
    x = [cell.format(1 + n) for n in range(8)]
    labelled(a=np.arange(8) / 7, x=x).to_csv(tmp_path / "t.csv", index=False)
    found = guess(open_table(tmp_path / "t.csv"), None)
    assert found.id is None and found.ignore == {"x": "a time stamp"}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_folders_are_called_is_no_feature(tmp_path, suffix):
    for (person, at), part in labelled(a=np.arange(20) / 7, at=np.arange(20) % 2).groupby(
        ["who", "at"]
    ):
        folder = tmp_path / f"t/who={person}/session={at}"
        folder.mkdir(parents=True)
        part = part.drop(columns=["who", "at"])
        if suffix == "csv":
            part.to_csv(folder / "part.csv", index=False)
        else:
            part.to_parquet(folder / "part.parquet")
    status, said, complained = init(tmp_path, "t")
    assert status == 0, complained
    assert "ignored         'session': what a folder is called\n" in said
