"""Rows that are there twice, whatever columns are called; sound tables are not suspected."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from tests.unit.emodag.suspicions.tables import PEOPLE, WINDOWS, frame, plain, suspected


def test_sound_tables_are_not_suspected(tmp_path):
    suspected(tmp_path, frame("p"), frame("q"), expected=0)


def test_rows_of_both_tables(tmp_path):
    test = pd.concat([plain(frame("q")), plain(frame("p"))[7:12]], ignore_index=True)
    test = test[["f3", "f0", "f1", "f2", "f4", "f5"]]
    found = suspected(tmp_path, frame("p"), test)
    assert "5 rows of the test table are in the training table too" in found


def test_rows_of_both_tables_without_the_columns_that_were_dropped(tmp_path):
    train = frame("p").assign(f2=np.nan)
    found = suspected(tmp_path, train, plain(train)[:1])
    assert "1 row of the test table is in the training table too" in found


def test_rows_under_two_names(tmp_path):
    train = frame("p")
    twin = train[train["who"] == "p1"].assign(who="somebody")
    found = suspected(tmp_path, pd.concat([train, twin], ignore_index=True), plain(frame("q")))
    assert "40 rows of the training table are there under two persons ('p1', 'somebody')" in found


def test_rows_of_both_tables_of_which_one_was_saved_as_float32(tmp_path):
    train, test = frame("p"), plain(frame("q"))
    test.iloc[:3] = train.iloc[:3, :6]
    test = test.astype(np.float32)
    assert suspected(tmp_path, train, test, suffix="parquet").startswith(
        "3 rows of the test table are in the training table too"
    )


def test_rows_that_are_read_twice(tmp_path):
    train = frame("p")
    found = suspected(tmp_path, pd.concat([train, train.iloc[:7]]), plain(frame("q")))
    assert found.startswith("7 rows of the training table are copies of others of the same person")


def test_a_coarse_table_has_equal_rows(tmp_path):
    train, test = frame("p"), frame("q")
    for table in (train, test):
        table[[f"f{at}" for at in range(6)]] = (plain(table) > 0).astype(float)
    suspected(tmp_path, train, test, expected=0)


def test_rows_of_a_sensor_that_is_off_are_no_copies(tmp_path):
    train, test = frame("p"), plain(frame("q"))
    train.loc[[1, 50], [f"f{at}" for at in range(6)]] = 0
    train.loc[[2, 51], "f3"] = np.nan
    test.loc[7] = 0
    suspected(tmp_path, train, test, expected=0)


def test_neighbours_that_are_nearly_equal(tmp_path):
    def smooth(table):
        x = plain(table).groupby(table["who"]).transform(lambda f: f.cumsum().rolling(9, 1).mean())
        return x.assign(mood=table["mood"], who=table["who"])

    found = suspected(tmp_path, smooth(frame("p")), plain(frame("q")))
    assert found.startswith("neighbouring rows of a person are nearly equal")


@pytest.mark.parametrize("kind", ["blocks", "ages", "far"])
def test_few_values_are_no_neighbours(tmp_path, kind):
    """A column of few values seldom changes; the values of an artefact differ beyond float64."""
    train = frame("p")
    for at in range(6):
        if kind == "blocks":
            train[f"f{at}"] = np.arange(len(train)) % WINDOWS // (15 + at) + at
        elif kind == "ages":
            train[f"f{at}"] = np.repeat(np.arange(PEOPLE) * 7 % 5 + at, WINDOWS) * 1.0
            train.loc[3::40, f"f{at}"] = 1
        elif at < 3:
            train.loc[::9, f"f{at}"] = 1e308
            train.loc[1::9, f"f{at}"] = -1e308
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        suspected(tmp_path, train, plain(frame("q")), expected=0)


def noisy(table):
    """The rows in another order, with a little noise."""
    rng = np.random.default_rng(0)
    table = table.iloc[rng.permutation(len(table))]
    features = [f"f{at}" for at in range(6)]
    return table.assign(**{n: table[n] + 1e-5 * rng.normal(size=len(table)) for n in features})


@pytest.mark.parametrize("spoil", [noisy, lambda table: table.round(3)])
def test_rows_of_the_test_table_that_are_copies_but_for_noise(tmp_path, spoil):
    train = frame("p")
    train.loc[7, "f1"], train.loc[::9, "f5"] = 1e32, np.nan
    test = pd.concat([plain(frame("q", seed=6)), plain(spoil(train))[:60]], ignore_index=True)
    found = suspected(tmp_path, train, test)
    assert found.startswith("about 20% of the test table's rows are nearly equal to one of the")


@pytest.mark.parametrize("is_train_rounded", [True, False])
def test_copies_that_are_rounded_to_decimals_that_are_coarse_for_some_features(
    tmp_path, is_train_rounded
):
    train, test = frame("p"), plain(frame("q", seed=6))
    for table in (train, test):
        table["f4"] *= 0.01
        table["f5"] = table["f5"] * 0.002 + 7
    test = pd.concat([test, plain(train)[:60]], ignore_index=True)
    if is_train_rounded:
        train = train.round(3)
    else:
        test = test.round(3)
    found = suspected(tmp_path, train, test)
    assert found.startswith("about 20% of the test table's rows are nearly equal to one of the")


def test_coarse_features_are_no_copies(tmp_path):
    """Answers from 1 to 5, beside what is nearly always 0."""
    train, test = frame("p"), plain(frame("q", seed=6))
    for table in (train, test):
        answers = table[["f0", "f1", "f2", "f3"]]
        table[answers.columns] = answers.round().clip(-2, 2)
        table[["f4", "f5"]] = table[["f4", "f5"]].clip(lower=3) - 3
        table["f5"] += np.where(np.arange(len(table)) % 5, 0, np.arange(len(table)))
    suspected(tmp_path, train, test, expected=0)


def test_rows_of_another_person_that_are_copies_but_for_noise(tmp_path):
    train = frame("p")
    twin = noisy(train[train["who"] == "p1"]).assign(who="somebody")
    found = suspected(tmp_path, pd.concat([train, twin], ignore_index=True), plain(frame("q")))
    assert re.match(r"about 2\d% of the training table's rows are nearly equal to one of", found)
