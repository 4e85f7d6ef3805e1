"""Features of which some values are codes, or in another unit, or not there."""

import numpy as np
import pytest

from tests.unit.emodag.suspicions.tables import PEOPLE, WINDOWS, frame, plain, suspected


def test_a_column_without_a_value_in_the_test_table(tmp_path):
    test = plain(frame("q")).assign(f1=np.nan, f4=np.inf)
    found = suspected(tmp_path, frame("p"), test)
    assert found.startswith("'f1', 'f4' have no value in the test table")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("code", [-999, 999, -9999, 9999, 99999])
def test_a_code_for_missing_is_not_taken_for_a_number_in_silence(tmp_path, suffix, code):
    """Of reals, counts, and yes and no; one feature has a few such cells by mistake."""
    train = frame("p")
    train["f1"] = np.arange(len(train)) % 7
    train["f2"] = np.arange(len(train)) % 2
    for at, every in enumerate((11, 13, 17)):
        train.loc[at::every, f"f{at}"] = code
    train.loc[::100, "f3"] = code
    found = suspected(tmp_path, train, plain(frame("q")), suffix=suffix)
    assert found.startswith(f"{code} in 'f0', 'f1', 'f2': in many rows")
    assert found.endswith(f"set data.missing_values: [{code}]")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_codes_for_missing_are_told_once(tmp_path, suffix):
    train, test = frame("p"), plain(frame("q"))
    for table in (train, test):
        table["f4"] = 300.0 + np.arange(len(train)) * 7  # milliseconds, wider than 999
    train.loc[::11, "f0"], train.loc[3::12, "f0"], train.loc[::13, "f4"] = -999, -9999, -999
    found = suspected(tmp_path, train, test, suffix=suffix)
    assert found.startswith("-9999 in 'f0'; -999 in 'f0', 'f4': in many rows")
    assert found.endswith("data.missing_values: [-9999, -999]")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_code_for_missing_in_the_test_table_only(tmp_path, suffix):
    train, test = frame("p"), plain(frame("q"))
    train.loc[::11, "f1"], test.loc[::13, "f0"], test.loc[1::9, "f1"] = -999, 9999, -999
    found = suspected(tmp_path, train, test, suffix=suffix)
    assert found.startswith("-999 in 'f1'; 9999 in 'f0': in many rows")


def test_a_code_that_is_set_is_not_told(tmp_path):
    train = frame("p")
    train.loc[::11, "f0"] = -999
    asked = {"missing_values": ["-999"]}
    suspected(tmp_path, train, plain(frame("q")), expected=0, **asked)


def test_ordinary_whole_numbers_are_no_codes(tmp_path):
    """Counts up to 999 and beyond, negative ones, two values alone, and what is far by itself."""
    train, rows = frame("p"), np.arange(PEOPLE * WINDOWS)
    train["f0"] = np.where(rows % 9 == 0, 999, rows * 4)
    train["f1"] = np.where(rows % 9 == 0, -999, 4 * rows - 1000)
    train["f2"] = np.where(rows % 9 == 0, 999, 0)
    train["f3"] = np.where(rows % 9 == 0, 9999, rows * 100.5)
    train["f4"] = np.where(rows % 9 == 0, 999.5, train["f4"])
    test, scaled = plain(frame("q")), ["f0", "f1", "f3"]
    test[scaled] = train[scaled].to_numpy()
    suspected(tmp_path, train, test, expected=0)


@pytest.mark.parametrize("factor", [1e3, 1e-3, 1e6, 1e-6])
def test_a_feature_in_another_unit_in_the_test_table(tmp_path, factor):
    train, test = frame("p"), plain(frame("q", seed=6))
    train.loc[3, ["f1", "f2"]], train["f4"], test["f4"] = 1e32, 0, 1  # an artefact, a constant
    test["f1"] *= factor
    found = suspected(tmp_path, train, test)
    assert found.startswith("'f1' (") and "are they in another unit?" in found


def test_features_of_a_few_persons_are_in_one_unit(tmp_path):
    """Though their sizes differ, as that of power over people does."""
    train, test = frame("p"), plain(frame("q", people=1, seed=6))
    for table, gains in ((train, [1, 3, 5, 8, 2, 30]), (test, [60])):
        table["f1"] = np.exp(table["f1"]) * np.repeat(gains, WINDOWS)
    suspected(tmp_path, train, test, expected=0)


def measured(first, people, *, gain=0.0, seed=5):
    """Heart rates and temperatures, and what has no sign; each person's size differs by `gain`."""
    table = frame(first, people, seed=seed)
    own = np.repeat(np.random.default_rng([seed, people]).normal(size=people), WINDOWS)
    table["f1"] = 70 + 8 * table["f1"] + 10 * own
    table["f2"] = 33 + 0.5 * table["f2"] + own
    table["f3"] = np.random.default_rng(seed).normal(size=len(table)) * np.exp(gain * own)
    return table


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    ("feature", "spoil"),
    [
        ("f1", lambda rate: rate / 60),
        ("f1", lambda rate: rate * 2.54),
        ("f2", lambda celsius: celsius * 1.8 + 32),
        ("f2", lambda celsius: celsius + 273.15),
        ("f3", lambda inches: inches * 25.4),
    ],
)
def test_a_small_factor_or_an_offset_is_told_of_people_enough(tmp_path, feature, spoil, named):
    train, test = measured("p", 12), measured("q", 6).drop(columns="mood")
    test[feature] = spoil(test[feature])
    found = suspected(tmp_path, train, test if named else test.drop(columns="who"))
    assert found.startswith(f"{feature!r} (") and "are they in another unit?" in found


@pytest.mark.parametrize("people", [(12, 6), (12, 2), (6, 6), (10, 1)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_people_differ_though_both_tables_are_in_one_unit(tmp_path, people, seed):
    train, test = measured("p", people[0], gain=1.5, seed=seed), measured("q", people[1], gain=1.5)
    suspected(tmp_path, train, test.drop(columns="mood"), expected=0)
