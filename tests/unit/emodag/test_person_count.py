"""Counting persons before anything has run: as ingest does, once for each state of the tables."""

import os
from functools import partial

import numpy as np
import pandas as pd
import pytest

from emodag.chain import person_count
from emodag.chain.chain import Chain
from emodag.chain.jobs import jobs
from emodag.chain.person_count import MEMORY, counted
from emodag.chain.settled import VARIABLE, handed_on, settled
from emodag.config.sections import load
from emodag.science.synthetic import SIZES
from emodag.science.tables.matrices import read_columns
from emodag.stages import ingest
from ledger.errors import ConfigError, InputError, IntegrityError
from ledger.jobs.plan import PLANS
from tests.unit.emodag.test_folds import Told

NAMED = {"label": "mood", "group": "who", "classes": ["a", "b"]}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A working directory with two tables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    frame(5).to_csv("train.csv", index=False)
    frame(2).drop(columns=["mood", "who"]).to_csv("test.csv", index=False)
    yield tmp_path
    os.environ.pop(VARIABLE, None)


def frame(persons):
    who = np.repeat(np.arange(persons), 4)
    x = np.random.default_rng(0).normal(size=(len(who), 3))
    columns = {"x": x[:, 0], "y": x[:, 1], "z": x[:, 2], "mood": np.tile(list("aabb"), persons)}
    return pd.DataFrame(columns).assign(who=who)


def asked(**data):
    files = {"source": "files", "train": "train.csv", "test": "test.csv"}
    return load({"folds": "persons", "data": {**files, **NAMED, **data}})


def none_is_read(monkeypatch):
    """Have every further look into a table fail."""

    def refuse(*_):
        raise AssertionError("the table is read again")

    monkeypatch.setattr(ingest, "count_persons", refuse)


def test_a_synthetic_twin_says_how_many_it_has():
    for size, made in SIZES.items():
        config = counted(load({"folds": "persons", "data": {"size": size}}))
        assert (config.folds, config.fold_assignment) == (made.train_persons, "persons")
    assert not MEMORY.exists()


def test_a_number_of_folds_is_left_alone():
    config = load({"data": {"source": "files", "train": "no.csv", "test": "no.csv"}})
    assert counted(config) is config and handed_on(config) is config


def test_the_chain_has_a_fold_for_each_person():
    chain = jobs(counted(asked()))
    params = chain["local/folds"].params
    assert (params["folds"], params["assignment"]) == (5, "persons") and "repeats" not in params
    students = [name for name in chain if name.startswith("local/nested/seed1/gen2/fold")]
    assert len(students) == 5


def test_a_table_is_read_once(monkeypatch):
    assert counted(asked()).folds == 5
    none_is_read(monkeypatch)
    assert counted(asked()).folds == 5
    os.utime("train.csv")
    assert counted(asked()).folds == 5, "a touched file is the same"
    with pytest.raises(AssertionError):
        counted(asked(missing_values=["-"]))


def test_a_changed_table_is_counted_anew():
    assert counted(asked()).folds == 5
    frame(6).to_csv("train.csv", index=False)
    assert counted(asked()).folds == 6
    frame(5).to_csv("train.csv", index=False)
    assert counted(asked()).folds == 5


def test_who_only_looks_leaves_nothing():
    assert settled(asked(), read_only=True).folds == 5
    assert not PLANS.exists() and VARIABLE not in os.environ


def test_a_job_of_a_run_goes_by_what_the_run_has_counted(monkeypatch):
    settled(asked())
    frame(6).to_csv("train.csv", index=False)
    none_is_read(monkeypatch)
    assert handed_on(asked()).folds == 5
    del os.environ[VARIABLE]
    with pytest.raises(AssertionError):
        handed_on(asked())


def written(table, kind):
    """The table as a file, or as two."""
    if kind == "parquet":
        table.to_parquet("own.parquet")
        return "own.parquet"
    if kind == "several":
        table[:10].to_csv("one.csv", index=False)
        table[10:].to_csv("two.csv", index=False)
        return ["one.csv", "two.csv"]
    separator = {"semicolons": ";", "csv": ","}[kind]
    table.to_csv("own.csv", index=False, sep=separator)
    return "own.csv"


@pytest.mark.parametrize("kind", ["csv", "semicolons", "parquet", "several"])
@pytest.mark.parametrize(
    "spell", [lambda who: who, lambda who: who * 1.0, lambda who: [f" p{one}" for one in who]]
)
def test_it_counts_as_ingest_does(tmp_path, kind, spell):
    table = frame(6)
    config = asked(train=written(table.assign(who=spell(table["who"])), kind))
    job = Chain(counted(config), "local").ingest()
    inputs = {role: tmp_path / name for role, name in job.inputs.items()}
    told = Told()
    told.workers = 1
    ingest.run(inputs, job.params, tmp_path, told)
    persons = np.unique(read_columns(tmp_path / "train_rows.parquet")["person"])
    assert counted(config).folds == len(persons) == 6


def test_the_competition_s_layout_without_what_is_ignored():
    table = frame(5).rename_axis("row").reset_index().assign(note="text")
    table.to_csv("train.csv", index=False)
    frame(2).drop(columns=["mood", "who"]).rename_axis("row").to_csv("test.csv")
    names = dict.fromkeys(("label", "group"))
    assert counted(asked(**names, ignore=["note"])).folds == 5


@pytest.mark.parametrize(
    ("persons", "data", "error", "message"),
    [
        (2, {}, ConfigError, "needs 3 persons or more, and the training table holds 2"),
        (5, {"group": "whom"}, InputError, "train.csv: has no column 'whom'; .* is 'who'"),
        (5, {"train": "no.csv"}, InputError, "no.csv: No such file"),
        (5, {"min_rows_per_person": 5}, InputError, "person 0 has 4 rows and at least 5"),
        (5, {"ignore": ["notes"]}, ConfigError, "data.ignore holds 'notes'"),
    ],
)
def test_what_cannot_be_counted(persons, data, error, message):
    frame(persons).to_csv("train.csv", index=False)
    with pytest.raises(error, match=message):
        counted(asked(**data))


def test_a_missing_person_is_refused():
    table = frame(5).astype({"who": object})
    table.loc[7, "who"] = None
    table.to_csv("train.csv", index=False)
    with pytest.raises(InputError, match=r"column 'who', data row 8 .*the person is missing"):
        counted(asked())


def test_a_table_that_changes_while_it_is_counted(monkeypatch, here):
    """What is counted is what the digest is of, whatever times the file has."""
    count, place = ingest.count_persons, person_count._place

    def other(really, *arguments):
        frame(4).to_csv(here / "train.csv", index=False)
        return really(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "count_persons", partial(other, count))
        assert counted(asked()).folds == 5
    assert counted(asked()).folds == 4
    MEMORY.unlink()
    frame(5).to_csv("train.csv", index=False)
    with monkeypatch.context() as patch:
        patch.setattr(person_count, "_place", partial(other, place))
        with pytest.raises(IntegrityError, match=r"train\.csv: changed while"):
            counted(asked())
    frame(5).to_csv("train.csv", index=False)
    assert counted(asked()).folds == 5


def test_an_error_names_the_users_file(here):
    (here / "train.csv").write_text("x,mood\n1,a\n")
    with pytest.raises(InputError) as caught:
        counted(asked())
    assert str(caught.value).startswith("train.csv") and "counting" not in str(caught.value)
