"""What `init` makes of tables nobody has described; `tests/long/test_init_runs.py` runs it all."""

import io
import json
import os
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from emodag import application
from emodag.chain.jobs import jobs
from emodag.config.combined import combined
from emodag.science.tables.ingest import open_table
from emodag.science.tables.text_columns import text_columns
from emodag.verbs import check
from emodag.verbs import init as init_verb
from ledger.errors import InputError

MOODS = ["calm", "cheerful", "tense"]
FEATURES = [f"eda{at}" for at in range(5)]


def frame(people, *, seed=0, windows=12, label="mood", person="who", moods=MOODS):
    """Some windows of each person with features, a label that they tell badly, and the person."""
    rng = np.random.default_rng(seed)
    rows = windows * len(people)
    mood = rng.permutation(np.arange(rows) % len(moods))
    x = (rng.normal(size=(rows, 5)) + 0.3 * mood[:, None]).round(3)
    made = pd.DataFrame(x, columns=FEATURES)
    made[label] = [moods[at] for at in mood]
    made[person] = np.repeat(people, windows)
    return made


def two(people=range(6), others=range(6, 8), **how):
    """A training table and a test table of other people."""
    label, person = how.get("label", "mood"), how.get("person", "who")
    test = frame(list(others), seed=1, **how)
    return frame(list(people), **how), test.drop(columns=[label, person])


@dataclass
class Kind:
    """Tables as people have them, the verb's arguments, and the section `data` that is right."""

    files: dict[str, pd.DataFrame]
    data: dict
    arguments: list[str] = field(default_factory=list)
    how: dict = field(default_factory=dict)
    said: str = ""

    def write(self, folder):
        for name, table in self.files.items():
            if name.endswith(".parquet"):
                table.to_parquet(folder / name, **self.how)
            else:
                table.to_csv(folder / name, **{"index": False, **self.how})

    @property
    def asked(self):
        return self.arguments or [*self.files]


NAMED = {"train": "train.csv", "test": "test.csv", "label": "mood", "group": "who"}
NAMED |= {"classes": MOODS}
ONE = {**{key: NAMED[key] for key in ("label", "group", "classes")}, "train": "all.csv"}


def csv(train, test, *, how=None, said="", **data):
    """Two tables as train.csv and test.csv, and what of `NAMED` is otherwise or not there."""
    changed = {name: value for name, value in {**NAMED, **data}.items() if value is not None}
    return Kind({"train.csv": train, "test.csv": test}, changed, how=how or {}, said=said)


def annotated():
    """Columns that are no features, in both tables."""
    made = []
    for table in two(person="subject_id"):
        rows = len(table)
        table.insert(0, "note", [f"run {at % 3}" for at in range(rows)])
        table.insert(1, "timestamp", 1.7e9 + 2 * np.arange(rows))
        table.insert(2, "recorded", pd.date_range("2024-01-01", periods=rows).astype(str))
        table.insert(3, "part", np.tile(np.arange(12), rows // 12))
        made.append(table)
    return made


def rated():
    """Valence and arousal beside the label of their quadrant."""
    rng = np.random.default_rng(4)
    made = []
    for table in two(people=range(10), windows=40, moods=["LVLA", "HVLA", "LVHA", "HVHA"]):
        rows = len(table)
        mood = table.get("mood", pd.Series(["LVLA"] * rows))
        table["valence"] = rng.uniform(1, 4.5, rows) + 4.5 * mood.str.startswith("HV")
        table["arousal"] = rng.uniform(1, 4.5, rows) + 4.5 * mood.str.endswith("HA")
        made.append(table)
    return made


def with_id():
    made = []
    for name, table in zip("ab", two(people=[f"S{at:02}" for at in range(6)]), strict=True):
        table.insert(0, "row_id", [f"{name}{at:03}" for at in range(len(table))])
        made.append(table)
    return made


def spoilt():
    train, test = two()
    train["eda1"] = train["eda1"].astype(str).where(train.index % 7 > 0, "?")
    return train, test


def with_copies():
    train, test = two(moods=["1", "2", "3"])
    train["mood_id"] = train["mood"].astype(int) + 10
    return train, test


FOREIGN = {"label": "stimmung", "person": "versuchsperson"}
POSITIONAL = {"label": None, "group": None}
INDEXED = pd.concat([frame([1, 2, 3]), frame([4, 5, 6], seed=2)], ignore_index=True)


def half_labelled():
    table = frame(range(6))
    table.loc[table.index % 4 == 3, "mood"] = None
    return table


KINDS = {
    "one table": Kind({"all.csv": frame(range(6))}, ONE),
    "rows without a label": Kind({"all.csv": half_labelled()}, {**ONE, "unlabelled": "rows"}),
    "plain names": csv(*two()),
    "test table first": Kind(
        {"b.csv": two()[1], "a.csv": two()[0]}, {**NAMED, "train": "a.csv", "test": "b.csv"}
    ),
    "persons in the test table": csv(two()[0], frame([8, 9], seed=1).drop(columns="mood")),
    "both tables whole": csv(two()[0], frame([8, 9], seed=1)),
    "numbers for labels": csv(*two(moods=["1", "2", "3"]), classes=["1", "2", "3"]),
    "numbers with decimals for labels": csv(
        *two(moods=[1.0, 2.0, 3.0], label="target"), label="target", classes=["1", "2", "3"]
    ),
    "truth values": csv(
        *two(moods=[True, False], label="stressed_label"),
        label="stressed_label",
        classes=["False", "True"],
    ),
    "text for persons": csv(
        *two(people=["S2", "S3", "S10", "S11", "S12"], person="ParticipantID"),
        group="ParticipantID",
    ),
    "other names": csv(
        *two(**FOREIGN),
        label="stimmung",
        group="versuchsperson",
        said="told by its cells, not by its name",
    ),
    "competition's layout": csv(
        *(table.rename_axis("n").reset_index() for table in two(**FOREIGN)), **POSITIONAL
    ),
    "a saved index": csv(*two(), how={"index": True}, **POSITIONAL),
    "an id": csv(*with_id(), id="row_id"),
    "an index that is no count": csv(
        *(table.set_axis(range(9, 9 + len(table))) for table in two()), how={"index": True}
    ),
    "semicolons": csv(*two(), how={"sep": ";", "decimal": ","}),
    "Parquet": Kind(
        {"train.parquet": two()[0], "test.parquet": two()[1]},
        {**NAMED, "train": "train.parquet", "test": "test.parquet"},
    ),
    "no features": csv(
        *annotated(),
        group="subject_id",
        ignore=["note", "timestamp", "recorded", "part"],
        said="'timestamp', 'recorded': a time stamp",
    ),
    "second ratings": csv(
        *rated(), classes=None, ignore=["valence", "arousal"], said="the label follows from"
    ),
    "what the test table lacks": csv(
        two()[0].assign(rating=[at % 7 for at in range(72)]), two()[1], ignore=["rating"]
    ),
    "marks for missing cells": csv(*spoilt(), missing_values=["?"]),
    "the label twice": csv(*with_copies(), classes=["1", "2", "3"], ignore=["mood_id"]),
    "a file per person": Kind(
        {
            **{f"S{at}.csv": part for at, part in INDEXED.groupby("who")},
            "others.csv": two()[1],
        },
        {**NAMED, "train": "S*.csv", "test": "others.csv"},
        ["S*.csv", "others.csv"],
    ),
    "persons called by numbers with an e": csv(*two(people=["1e5", "2e5", "1e6", "2e6", "3e5"])),
    "true labels alone beside them": Kind(
        {"train.csv": two()[0], "test.csv": two()[1], "truth.csv": frame([6, 7])[["mood"]]},
        NAMED,
        said="'truth.csv'",
    ),
    "truth beside them": Kind(
        {"train.csv": with_id()[0], "test.csv": with_id()[1]}
        | {"truth.csv": with_id()[1][["row_id"]].assign(mood="calm")},
        {**NAMED, "id": "row_id"},
        said="'truth.csv'",
    ),
}


def init(folder, *arguments):
    """Exit status, standard output and standard error of the verb in a folder."""
    before, said, complained = Path.cwd(), io.StringIO(), io.StringIO()
    os.chdir(folder)
    try:
        with redirect_stdout(said), redirect_stderr(complained):
            status = application.main(["init", *arguments])
    finally:
        os.chdir(before)
    return status, said.getvalue(), complained.getvalue()


@pytest.mark.parametrize("name", KINDS)
def test_what_is_guessed(tmp_path, monkeypatch, name):
    kind = KINDS[name]
    kind.write(tmp_path)
    status, said, complained = init(tmp_path, *kind.asked)
    assert status == 0, said + complained
    written = (tmp_path / "mine.yaml").read_text()
    data = yaml.safe_load(written)["data"]
    others = yaml.safe_load(written)
    from_1 = kind.data.get("classes") == ["1", "2", "3"]
    assert others.pop("submission", None) == ({"values": "names"} if from_1 else None)
    assert others.keys() <= {"data", "training", "folds"}
    assert data == {"source": "files", **kind.data}, written
    assert kind.said in said and "Next: emodag check mine.yaml" in said
    monkeypatch.chdir(tmp_path)
    config = combined([Path("mine.yaml")], [])
    (tmp_path / "made").mkdir()
    check._make_tables(config, jobs(config), tmp_path / "made", check.Looking())
    quality = json.loads((tmp_path / "made/local/table/quality.json").read_text())
    assert quality["features"] == 5


def written(folder, tables, *arguments, status=0):
    """What is said of tables, and the configuration that is written."""
    for name, table in tables.items():
        table.to_csv(folder / name, index=False)
    done, said, complained = init(folder, *tables, *arguments)
    assert done == status and not complained, complained
    return said, (folder / "mine.yaml").read_text()


def test_one_table(tmp_path):
    said, text = written(tmp_path, {"all.csv": frame(range(6))})
    assert yaml.safe_load(text)["data"] == {
        "source": "files", "train": "all.csv", "label": "mood", "group": "who", "classes": MOODS
    }  # fmt: skip
    assert "none: there will be scores, no submission" in said


def test_a_folder_with_a_part_per_person(tmp_path):
    for person, part in frame([f"S{at}" for at in range(6)]).groupby("who"):
        folder = tmp_path / f"all.parquet/who={person}"
        folder.mkdir(parents=True)
        part.drop(columns="who").to_parquet(folder / "part-0.parquet")
    status, said, complained = init(tmp_path, "all.parquet")
    assert status == 0, said + complained
    assert yaml.safe_load((tmp_path / "mine.yaml").read_text())["data"] == {
        "source": "files", "train": "all.parquet", "label": "mood", "group": "who", "classes": MOODS
    }  # fmt: skip
    assert "6 persons: 'S0', 'S1'" in said


def test_a_table_called_test_among_several(tmp_path):
    tables = {f"{name}.csv": frame([name * 2]) for name in ("train", "val", "test")}
    _, text = written(tmp_path, tables)
    data = yaml.safe_load(text)["data"]
    assert data["train"] == ["train.csv", "val.csv"] and data["test"] == "test.csv"


@pytest.mark.parametrize("named", ["hidden", "testset", "test_set", "val"])
@pytest.mark.parametrize("placeholder", [0, -1, None])
def test_of_two_files_with_labels_the_one_beside_train_is_the_test_table(
    tmp_path, named, placeholder
):
    """Its labels may be anything, and none is learned from."""
    hidden = frame([8, 9], seed=1).assign(mood=placeholder)
    said, text = written(tmp_path, {f"{named}.csv": hidden, "train.csv": frame(range(6))})
    data = yaml.safe_load(text)["data"]
    assert data["train"] == "train.csv" and data["test"] == f"{named}.csv"
    assert data["classes"] == MOODS and "unlabelled" not in data
    assert ("UNSURE: it has labels, too" in said) == (named == "val")


def test_a_table_called_test_is_none_to_learn_from(tmp_path):
    tables = {"Hidden.csv": frame([8, 9], seed=1), "windows.csv": frame(range(6))}
    data = yaml.safe_load(written(tmp_path, tables)[1])["data"]
    assert data["train"] == "windows.csv" and data["test"] == "Hidden.csv"


@pytest.mark.parametrize("labels", ["calm", "-1", None])
@pytest.mark.parametrize("people", [1, 3])
def test_files_whose_labels_tell_nothing_are_perhaps_to_be_predicted(tmp_path, labels, people):
    tables = {f"S{at}.csv": frame([at], seed=at) for at in range(people)}
    tables |= {f"T{at}.csv": frame([9 - at], seed=at).assign(mood=labels) for at in range(people)}
    said, text = written(tmp_path, tables)
    odd = ", ".join(f"'T{at}.csv'" for at in range(people))
    told = f"{odd} {'has' if people == 1 else 'have'} one label throughout, or none: if these rows"
    assert said.count(told) == text.count(told) == 1


def test_files_of_one_class_each_are_not_doubted(tmp_path):
    tables = {f"{mood}.csv": part for mood, part in frame(range(6)).groupby("mood")}
    assert "UNSURE" not in written(tmp_path, tables)[0]


def test_a_file_without_one_of_the_features_is_perhaps_no_test_table(tmp_path):
    tables = {f"S{at}.csv": frame([at], seed=at) for at in range(4)}
    tables["S1.csv"] = tables["S1.csv"].drop(columns="eda4")
    said, _ = written(tmp_path, tables)
    assert "test table      S1.csv. UNSURE: it has labels, too; is it a part of the" in said


def test_a_table_that_is_named_by_itself_comes_before_one_of_a_folder(tmp_path):
    (tmp_path / "d").mkdir()
    for at in range(4):
        frame([at], seed=at).drop(columns=["eda4"] * (at == 1)).to_csv(tmp_path / f"d/S{at}.csv")
    two()[1].to_csv(tmp_path / "others.csv")
    status, said, _ = init(tmp_path, "d", "others.csv")
    data = yaml.safe_load((tmp_path / "mine.yaml").read_text())["data"]
    assert status == 0 and data["test"] == "others.csv"
    assert "left out        d/S1.csv. UNSURE: it has labels, too; is it a part" in said
    assert "training table that lacks 'eda4'?\n" in said


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("called", ["S{}.", "S{}/features."])
def test_files_that_are_called_as_their_persons(tmp_path, monkeypatch, suffix, called):
    monkeypatch.chdir(tmp_path)
    for at in range(6):
        path = tmp_path / (called.format(at) + suffix)
        path.parent.mkdir(exist_ok=True)
        table = frame([at], seed=at).drop(columns="who")
        table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    pattern = called.format("[0-3]") + suffix
    status, said, _ = init(tmp_path, pattern)
    assert status == 0 and "'file', the name of the file; 4 persons: 'S0', 'S1'" in said
    data = yaml.safe_load(Path("mine.yaml").read_text())["data"]
    assert data == {**ONE, "source": "files", "train": pattern, "group": "file"}
    others = [called.format(at) + suffix for at in (3, 4, 5)]
    data |= {"test": others, "unlabelled": others[1:]}
    Path("mine.yaml").write_text(yaml.safe_dump({"data": data, "folds": 4}))
    config = combined([Path("mine.yaml")], [])
    (tmp_path / "made").mkdir()
    check._make_tables(config, jobs(config), tmp_path / "made", check.Looking())
    quality = json.loads((tmp_path / "made/local/table/quality.json").read_text())
    assert quality["features"] == 5
    assert quality["rows_per_person"] == {f"S{at}": 12 for at in range(4)}
    assert quality["unlabelled_rows_per_person"] == {"S4": 12, "S5": 12}
    assert any("'S3' of the test table is in the training" in told for told in quality["warnings"])


def test_files_that_do_not_name_their_person(tmp_path):
    tables = {f"{at}/{day}.csv": frame([at], seed=at) for at in range(2) for day in range(2)}
    for at in range(2):
        (tmp_path / str(at)).mkdir()
    tables = {name: table.drop(columns="who") for name, table in tables.items()}
    said, _ = written(tmp_path, tables, status=1)
    assert "put it into a folder that says so, such as person=S2" in said


def test_each_of_several_files_has_an_index(tmp_path):
    for at in range(4):
        frame([at], seed=at).to_csv(tmp_path / f"S{at}.csv")
    _, said, _ = init(tmp_path, "S*.csv")
    assert "id              numbers, as each file has the index that was saved along\n" in said


def test_a_configuration_that_exists_stays(tmp_path):
    (tmp_path / "mine.yaml").write_text("mine\n")
    frame(range(4)).to_csv(tmp_path / "t.csv")
    status, said, complained = init(tmp_path, "t.csv")
    assert (status, said) == (1, "") and "mine.yaml exists; remove it, or" in complained
    assert (tmp_path / "mine.yaml").read_text() == "mine\n"
    status, said, _ = init(tmp_path, "t.csv", "--out", "other.yaml")
    assert status == 0 and "Next: emodag check other.yaml" in said


def test_the_preset_is_next_where_whose_rows_are_predicted_is_known(tmp_path):
    (tmp_path / "workflow/config").mkdir(parents=True)
    (tmp_path / init_verb.PRESET).touch()
    tables = frame(range(6)), frame(range(6, 8)).drop(columns="mood")
    for name, test, preset in (
        ("known", tables[1], f"{init_verb.PRESET} "),
        ("unknown", tables[1].drop(columns="who"), ""),
    ):
        tables[0].to_csv(tmp_path / "train.csv")
        test.to_csv(tmp_path / "test.csv")
        said = init(tmp_path, "train.csv", "test.csv", "--out", f"{name}.yaml")[1]
        assert f"Next: emodag check {preset}{name}.yaml" in said
        assert ("# test_blocks: " in (tmp_path / f"{name}.yaml").read_text()) == (not preset)


@pytest.mark.parametrize("tested", [1, 3])
def test_names_of_several_test_files_say_whose_they_are(tmp_path, monkeypatch, tested):
    """Of a single file they do not, as it may hold several persons' rows."""
    (tmp_path / "workflow/config").mkdir(parents=True)
    (tmp_path / init_verb.PRESET).touch()
    for folder, people in (("tr", range(6)), ("te", range(6, 6 + tested))):
        (tmp_path / folder).mkdir()
        for at in people:
            absent = ["who"] + ["mood"] * (folder == "te")
            frame([at], seed=at).drop(columns=absent).to_csv(tmp_path / f"{folder}/S{at}.csv")
    status, said, _ = init(tmp_path, "tr", "te")
    text = (tmp_path / "mine.yaml").read_text()
    assert status == 0 and yaml.safe_load(text)["data"]["group"] == "file"
    assert ("# test_blocks: " in text) == (tested == 1)
    assert (f"Next: emodag check {init_verb.PRESET} mine.yaml" in said) == (tested > 1)
    monkeypatch.chdir(tmp_path)
    Path("blocks.yaml").write_text("data: {test_blocks: 4}\n")
    config = combined([Path("mine.yaml"), Path("blocks.yaml")], [])
    (tmp_path / "made").mkdir()
    if tested == 1:
        check._make_tables(config, jobs(config), tmp_path / "made", check.Looking())
    else:
        with pytest.raises(InputError, match=r"'file'.* if this is no name of files or folders"):
            check._make_tables(config, jobs(config), tmp_path / "made", check.Looking())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a;b\n", "t.csv: has a header but no rows"),
        ("a\n1\n", "t.csv: has one column only, 'a'"),
        ("a\u00a6who\n1\u00a63\n", "separated by '\u00a6' signs? Write it with commas"),
        ("a   b  who\n1 2   3\n", "separated by several spaces? Write it with one mark"),
        ('"a,b,who"\n"1,2,3"\n', "whole lines of it stand in quotation marks: remove those"),
        ('"a;b;who"\n"1;2;3"\n', "whole lines of it stand in quotation marks: remove those"),
        ("1.5,calm\n2.5,tense\n", "t.csv: its first line looks like data"),
        ("a,a\n1,2\n", "columns 1 and 2 have the same name 'a'"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    status, said, complained = init(tmp_path, "t.csv")
    assert status == 1 and not said and message in complained
    assert not (tmp_path / "mine.yaml").exists()


@pytest.mark.parametrize("name", ["T*.csv", "t.parquet", "parts", "parts/who=S1", "t.txt"])
def test_a_file_or_folder_that_is_not_there(tmp_path, name):
    assert f"{name}: there is no such file or folder; correct the path" in init(tmp_path, name)[2]


@pytest.mark.parametrize("mark", [" ", ":", "^", "~", "#", "/", "!"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_a_separator_that_a_run_must_be_told(tmp_path, monkeypatch, mark, decimal):
    kind = csv(*two(), how={"sep": mark, "decimal": decimal}, separator=mark)
    kind.write(tmp_path)
    status, said, complained = init(tmp_path, *kind.asked)
    assert status == 0, said + complained
    assert "cells           separated by " in said
    assert yaml.safe_load((tmp_path / "mine.yaml").read_text())["data"] == {
        "source": "files", **kind.data
    }  # fmt: skip
    monkeypatch.chdir(tmp_path)
    config = combined([Path("mine.yaml")], [])
    check._make_tables(config, jobs(config), tmp_path / "made", check.Looking())
    quality = json.loads((tmp_path / "made/local/table/quality.json").read_text())
    assert quality["features"] == 5


def test_tables_with_two_separators_of_which_a_run_must_be_told(tmp_path):
    train, test = two()
    train.to_csv(tmp_path / "a.csv", index=False, sep=":")
    test.to_csv(tmp_path / "b.csv", index=False)
    expected = "a.csv: its cells are separated by colons, and those of b.csv by commas; write both"
    assert expected in init(tmp_path, "a.csv", "b.csv")[2]


def test_a_wide_table_is_looked_at_in_seconds(tmp_path):
    rng = np.random.default_rng(2)
    wide = pd.DataFrame(rng.normal(size=(24, 5_000)).round(2)).add_prefix("f")
    table = pd.concat([wide, frame(range(4), windows=6)[["mood", "who"]]], axis=1)
    table.insert(700, "note", "x")
    began = time.process_time()
    _, text = written(tmp_path, {"t.csv": table})
    assert time.process_time() - began < 10
    assert yaml.safe_load(text)["data"]["ignore"] == ["note"]


def test_names_steer_no_terminal_and_no_yaml(tmp_path):
    odd = "a: b # c\x1b[31m\n"
    table = frame(range(6), person=odd).rename(columns={"mood": "label"})
    table["te\nxt"] = "x"
    said, text = written(tmp_path, {"t.csv": table.rename(columns={odd: "subject\n"})})
    assert yaml.safe_load(text)["data"]["group"] == "subject\n"
    assert yaml.safe_load(text)["data"]["ignore"] == ["te\nxt"]
    assert "\x1b" not in said


def labelled(**columns):
    """A frame of two persons with a label, and further columns."""
    rows = len(next(iter(columns.values())))
    mood = ["calm", "tense", "tense", "calm", "calm"] * rows
    return pd.DataFrame({**columns, "mood": mood[:rows], "who": np.arange(rows) * 2 // rows})


def test_rows_that_are_named_as_r_does_it(tmp_path):
    rows = [f'"{n}",{n / 7},{"calm" if n % 2 else "tense"},S{n // 5}' for n in range(20)]
    (tmp_path / "t.csv").write_text("\n".join(["a,mood,who", *rows]))
    assert "named, as R does it" in open_table(tmp_path / "t.csv").hint


def test_names_of_other_alphabets_are_written_as_they_are(tmp_path):
    table = frame(range(6), person="\u00fcbung\u202e").rename(columns={"mood": "gef\u00fchl"})
    _, text = written(
        tmp_path, {"t.csv": table.rename(columns={"eda0": "\u0437\u0432\u0443\u043a"})}
    )
    data = yaml.safe_load(text)["data"]
    assert "label: gef\u00fchl  #" in text and "\u202e" not in text
    assert data["label"] == "gef\u00fchl" and data["group"] == "\u00fcbung\u202e"


def with_commas(table, names=FEATURES):
    return table.assign(**{n: table[n].astype(str).str.replace(".", ",") for n in names})


@pytest.mark.parametrize("odd", ["", "?"])
def test_decimal_commas_in_quotation_marks_between_commas(tmp_path, odd):
    train, test = map(with_commas, two())
    train.loc[3, "eda1"] = odd or train.loc[3, "eda1"]
    said, text = written(tmp_path, {"t.csv": train, "u.csv": test})
    data = yaml.safe_load(text)["data"]
    assert data["decimal"] == "," and "decimals        written with a comma" in said
    assert data.get("missing_values", []) == [odd] * bool(odd) and "UNSURE" not in said
    table = open_table(tmp_path / "t.csv", decimal=",", missing=[odd])
    (block,) = table.blocks(FEATURES, [])
    assert np.isnan(block.values).sum() == bool(odd)


@pytest.mark.parametrize(
    ("cells", "cell", "how"),
    [
        (["True", "0", "1", "False"], "False", {}),
        (["0.1", "0.2"], "0.1", {"sep": ";", "decimal": ","}),
        (["1.234", "5.678"], "1.234", {"sep": ";", "decimal": ","}),
        (["0,1", "0.2"], "0,1", {}),
        (["1", "2 mV", "3"], "2 mV", {}),
    ],
)
def test_a_column_of_numbers_with_other_cells_is_doubted(tmp_path, cells, cell, how):
    for name, table in zip(("t.csv", "u.csv"), two(), strict=True):
        odd = [cells[at % len(cells)] for at in range(len(table))]
        table.assign(odd=odd).to_csv(tmp_path / name, index=False, **how)
    status, said, _ = init(tmp_path, "t.csv", "u.csv")
    assert status == 0 and f"UNSURE: not all of 'odd' is numbers, such as {cell!r}:" in said
    assert "decimal" not in yaml.safe_load((tmp_path / "mine.yaml").read_text())["data"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_booleans_among_numbers_are_named(tmp_path, suffix):
    table, path = frame(range(6)), tmp_path / f"t.{suffix}"
    table["eda0"] = [("True", "0", "1", "False")[at % 4] for at in range(len(table))]
    table.to_csv(path) if suffix == "csv" else table.to_parquet(path)
    with pytest.raises(InputError, match=r"column 'eda0'.* mixes True and False with numbers"):
        list(open_table(path).blocks(["eda0"], []))


def test_a_minus_sign_as_in_print_is_named(tmp_path):
    table = frame(range(6)).assign(eda0=lambda t: (t["eda0"] - 9).astype(str))
    table["eda0"] = table["eda0"].str.replace("-", "\u2212")
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        with pytest.raises(InputError, match=r"column 'eda0', data row .*minus sign is U\+2212"):
            list(open_table(tmp_path / name).blocks(["eda0"], []))
        assert text_columns(open_table(tmp_path / name), FEATURES) == []
