"""Which column is the label, and which the person."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from emodag.chain.jobs import jobs
from emodag.config.combined import combined
from emodag.science.tables.guesses.guess import guess
from emodag.science.tables.ingest import open_table
from emodag.science.tables.row_facts import label_codes
from emodag.verbs import check
from tests.unit.emodag.test_init import MOODS, frame, init, labelled, two, written


def test_a_table_that_the_verb_cannot_tell(tmp_path):
    """Several columns could be the persons, none is called so: nothing is decided."""
    table = frame(range(6), person="vp").assign(raum=lambda t: t["vp"] // 2 + 10)
    said, text = written(tmp_path, {"t.csv": table}, status=1)
    assert "person          UNSURE: cannot be told; it could be 'vp' or 'raum'\n" in said
    assert "Wrote mine.yaml; fill in data.group there." in said
    assert "  # group: to be filled in: cannot be told; it could be 'vp' or 'raum'\n" in text
    assert "group" not in yaml.safe_load(text)["data"]


def test_a_label_that_the_verb_cannot_tell(tmp_path):
    table = frame(range(6), label="a").assign(b=lambda t: t["a"].map(len) + t.index % 2)
    table["c"] = [str(at % 4) + "x" for at in range(72)]
    said, text = written(tmp_path, {"t.csv": table}, status=1)
    assert "label           UNSURE: cannot be told; it could be 'a' or 'c'\n" in said
    assert "data.label" in said and "label" not in yaml.safe_load(text)["data"]


def test_other_names_in_one_table(tmp_path):
    table = frame([f"S{at}" for at in range(6)], label="gefuehl", person="proband")
    said, text = written(tmp_path, {"t.csv": table[table.columns[::-1]]})
    data = yaml.safe_load(text)["data"]
    assert (data["label"], data["group"]) == ("gefuehl", "proband")
    assert said.count("UNSURE: told by its cells, not by its name") == 2


def test_a_person_and_a_label_called_by_numbers_and_text(tmp_path):
    people = [1, 2, 3, 4, 5, "6b"]
    _, text = written(tmp_path, {"t.csv": frame(people, moods=["0", "1", "unknown"])})
    data = yaml.safe_load(text)["data"]
    assert data["group"] == "who" and data["classes"] == ["0", "1", "unknown"]
    assert "missing_values" not in data


def test_persons_that_look_like_measurements(tmp_path):
    said, _ = written(tmp_path, {"t.csv": frame([1.1, 1.2, 2.1, 2.2])}, status=1)
    assert "'who' is called so, but what it holds does not group rows: they are decimals" in said


@pytest.mark.parametrize(
    ("column", "cells", "why"),
    [
        ("mood", "calm", "it is 'calm' in all rows"),
        ("who", "S1", "it is 'S1' in all rows"),
        ("mood", None, "it is empty"),
        ("who", [f"S{at}" for at in range(72)], "nearly every row has another value"),
    ],
)
def test_a_column_that_is_called_so_and_groups_no_rows(tmp_path, column, cells, why):
    said, _ = written(tmp_path, {"t.csv": frame(range(6)).assign(**{column: cells})}, status=1)
    assert f"{column!r} is called so, but what it holds does not group rows: {why}\n" in said


@pytest.mark.parametrize("name", ["stress", "Valence", "arousal_label"])
def test_ratings_are_called_so_where_nothing_else_is(tmp_path, name):
    _, text = written(tmp_path, {"t.csv": frame(range(6), label=name, moods=[0, 1])})
    assert yaml.safe_load(text)["data"]["label"] == name


def test_half_steps_that_the_test_table_lacks(tmp_path):
    train, test = two(label="pain", moods=[1, 1.5, 2])
    said, text = written(tmp_path, {"t.csv": train, "u.csv": test})
    assert yaml.safe_load(text)["data"]["classes"] == ["1.0", "1.5", "2.0"]
    assert "'pain', the test table lacks it, and its values are few" in said


def test_half_steps_alone_may_be_a_feature(tmp_path):
    table = frame(range(6), label="pain", moods=[1, 1.5, 2])
    said, _ = written(tmp_path, {"t.csv": table}, status=1)
    assert "label           UNSURE: cannot be told; it could be 'pain'\n" in said


def test_a_number_for_no_label(tmp_path):
    said, text = written(tmp_path, {"t.csv": frame(range(6), moods=["-1", "0", "1", "2"])})
    assert "UNSURE: is '-1' a class, or does it stand for no label?" in said
    assert "  label: mood  # called so; is '-1' a class" in text


@pytest.mark.parametrize("word", ["?", "unlabeled", "Unknown", "n.a.", "none"])
def test_a_word_for_no_label(tmp_path, word):
    said, _ = written(tmp_path, {"t.csv": frame(range(6), moods=["a", "b", word])})
    assert f"UNSURE: is {word!r} a class, or does it stand for no label?" in said


def test_a_class_in_several_spellings(tmp_path):
    said, _ = written(tmp_path, {"t.csv": frame(range(6), moods=["calm", "Calm", "v+", "v-"])})
    assert "UNSURE: 'Calm' and 'calm' are probably one class in several spellings" in said


def test_all_pairs_of_spellings_are_named_but_few_of_many(tmp_path):
    joys = ["Joie", "joie", "Col\u00e8re", "colere"]
    said, _ = written(tmp_path, {"t.csv": frame(range(6), moods=joys)})
    assert "UNSURE: 'Col\u00e8re' and 'colere'; 'Joie' and 'joie' are probably one class" in said
    many = [f"{name}{'x' * at}" for at in range(7) for name in "Aa"]
    (tmp_path / "many").mkdir()
    said, _ = written(tmp_path / "many", {"t.csv": frame(range(6), windows=28, moods=many)})
    assert "'Axxxx' and 'axxxx' and 2 more are probably one class in several" in said


@pytest.mark.parametrize("moods", [["0", "1", "True", "False"], ["0", "TRUE"], ["true", "0", "1"]])
def test_booleans_and_numbers_are_two_classes(tmp_path, moods):
    table = frame(range(6), moods=moods)
    said, text = written(tmp_path, {"t.csv": table})
    assert yaml.safe_load(text)["data"]["classes"] == ["0", "1"]
    assert ("are probably one class in several spellings" in said) == (len(moods) > 2)
    table.to_csv(tmp_path / "again.csv", index=False)
    codes = label_codes(
        open_table(tmp_path / "again.csv"), "mood", pa.array(table["mood"]), ["0", "1"]
    )
    assert codes.tolist() == table["mood"].str.casefold().isin(["1", "true"]).astype(int).tolist()


@pytest.mark.parametrize("column", ["mood", "who"])
def test_the_first_of_several_files_may_tell_nothing_of_a_column(tmp_path, column):
    """It is of a person without labels, or of one called NA."""
    tables = {f"S{at}.csv": frame([f"p{at}"], seed=at, moods=["a", "b"]) for at in range(4)}
    tables["S0.csv"][column] = None if column == "mood" else "NA"
    _, text = written(tmp_path, tables)
    data = yaml.safe_load(text)["data"]
    assert (data["label"], data["group"]) == ("mood", "who") and "ignore" not in data


def test_the_test_tables_own_column_of_persons(tmp_path):
    test = frame(["a", "b"], person="Participant").drop(columns="mood")
    _, text = written(tmp_path, {"t.csv": frame(range(6)), "u.csv": test})
    assert yaml.safe_load(text)["data"]["test_group"] == "Participant"


def test_another_column_called_as_persons_are_is_no_feature(tmp_path):
    table = frame(range(6), person="subject").assign(participant=lambda t: t["subject"] // 2)
    said, text = written(tmp_path, {"t.csv": table})
    assert "UNSURE: by name it could also be 'participant'" in said
    assert yaml.safe_load(text)["data"]["ignore"] == ["participant"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["NA", "None", "null"])
def test_a_class_that_is_called_as_missing_cells_are(tmp_path, name, suffix):
    table = two()[0]
    first = table["mood"].iloc[0]
    table["mood"] = table["mood"].where(table["mood"] != first, name)
    if suffix == "csv":
        table.to_csv(tmp_path / "train.csv", index=False)
    else:
        table.to_parquet(tmp_path / "train.parquet", index=False)
    _, said, _ = init(tmp_path, f"train.{suffix}")
    assert f"UNSURE: is {name!r} a class? It stands for no label here" in said


@pytest.mark.parametrize("people", [["AB", "NA", "CD", "EF"], ["null", "b", "c", "None"]])
def test_persons_that_are_called_as_missing_cells_are(tmp_path, people):
    said, text = written(tmp_path, {"t.csv": frame(people)})
    assert "4 persons: " in said and yaml.safe_load(text)["data"]["group"] == "who"


@pytest.mark.parametrize("how", [{"sep": ";", "decimal": ","}, {"sep": ";"}])
def test_numbers_with_decimals_are_no_roles(tmp_path, how):
    frame([1.5, 1.25, 2.5, 3]).to_csv(tmp_path / "t.csv", index=False, **how)
    _, said, _ = init(tmp_path, "t.csv")
    assert "'who' is called so, but what it holds does not group rows" in said


def test_another_column_called_so(tmp_path):
    table = frame(range(6)).assign(condition=[f"c{at % 5}" for at in range(72)])
    said, text = written(tmp_path, {"t.csv": table})
    assert "UNSURE: by name it could also be 'condition'" in said
    assert "  label: mood  # called so; by name it could also be 'condition'\n" in text
    assert yaml.safe_load(text)["data"]["ignore"] == ["condition"]


def test_classes_are_those_of_all_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("emodag.science.tables.csv_tables.BLOCK_BYTES", 2048)
    table = frame(range(12)).sort_values("who", kind="stable")
    table.loc[table.index[-3:], "mood"] = "weary"
    _, text = written(tmp_path, {"t.csv": table})
    assert yaml.safe_load(text)["data"]["classes"] == [*MOODS, "weary"]


def test_a_person_that_is_missing_somewhere_is_said_to_be(tmp_path):
    table = labelled(a=np.arange(20) / 7)
    table["who"] = ["", *map("S{}".format, table["who"][1:])]
    table.to_csv(tmp_path / "t.csv", index=False)
    found = guess(open_table(tmp_path / "t.csv"), None)
    assert found.person is None
    assert found.unsure["person"].endswith("'who' is called so, but 1 of its cells are missing")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_label_in_half_steps(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    steps = ["-0.5", "0.0", "0.5"]
    train, test = two(label="label", moods=[float(step) for step in steps])
    for name, table in (("train", train), ("test", test)):
        path = f"{name}.{suffix}"
        table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    status, said, _ = init(tmp_path, f"train.{suffix}", f"test.{suffix}")
    data = yaml.safe_load(Path("mine.yaml").read_text())["data"]
    assert status == 0 and data["label"] == "label" and data["classes"] == steps, said
    (tmp_path / "made").mkdir()
    config = combined([Path("mine.yaml")], [])
    check._make_tables(config, jobs(config), tmp_path / "made", check.Looking())
    quality = json.loads((tmp_path / "made/local/table/quality.json").read_text())
    assert [*quality["class_counts"]] == steps


def test_the_shorter_name_goes_first(tmp_path):
    table = frame(range(6), label="label")
    table.insert(0, "label_id", np.tile(np.arange(3), len(table) // 3))
    said, text = written(tmp_path, {"t.csv": table})
    assert yaml.safe_load(text)["data"]["label"] == "label"
    assert "UNSURE: by name it could also be 'label_id'" in said
