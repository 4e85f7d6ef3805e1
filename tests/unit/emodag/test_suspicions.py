"""What makes a score lie is found, whatever columns are called; sound tables are not suspected."""

import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest

from emodag.science.tables import suspicions
from emodag.science.tables.suspicions import same_persons
from emodag.stages import ingest
from ledger.errors import ConfigError, InputError

PEOPLE, WINDOWS = 6, 40


class Notes:
    """The part of a context that the stage uses."""

    def __init__(self):
        self.warnings, self.workers = [], 1

    def warn(self, message):
        self.warnings.append(message)


def frame(first, people=PEOPLE, *, classes=4, seed=5):
    """Six features of people that `first` counts from, which hint at the label."""
    rng = np.random.default_rng([seed, ord(first)])
    label = rng.integers(classes, size=people * WINDOWS)
    x = rng.normal(size=(len(label), 6)) + 0.5 * label[:, None]
    table = pd.DataFrame(x, columns=[f"f{at}" for at in range(6)])
    names = [f"{first}{at}" for at in range(people)]
    return table.assign(mood=[f"m{at}" for at in label], who=np.repeat(names, WINDOWS))


def suspected(folder, train, test, *, suffix="csv", expected=1, **asked):
    """The warnings about the tables, which must be the same in the run and in quality.json."""
    inputs = {}
    for name, table in (("train", train), ("test", test)):
        inputs[name] = folder / f"{name}.{suffix}"
        if suffix == "csv":
            table.to_csv(inputs[name], index=False)
        else:
            table.to_parquet(inputs[name], index=False)
    params = {
        "label": "mood", "group": "who", "id": None, "classes": sorted(set(train["mood"])),
        "missing": "impute", "infinite": "missing", "all_missing": "drop", "constant": "keep",
        "decimals": "nearest", "separator": None, "decimal": None, "missing_values": [],
        "ignore": [], "test_group": None,
        "min_rows_per_person": 2, **asked,
    }  # fmt: skip
    output = folder / "out"
    output.mkdir()
    context = Notes()
    ingest.run(inputs, params, output, context)
    found = json.loads((output / "quality.json").read_text())["warnings"]
    told = [warning for warning in context.warnings if not warning.startswith(str(folder))]
    assert told == found
    assert len(found) == expected, found
    return " / ".join(found)


def plain(table):
    """As a test table: without label and person."""
    return table.drop(columns=["mood", "who"])


def test_sound_tables_are_not_suspected(tmp_path):
    suspected(tmp_path, frame("p"), frame("q"), expected=0)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_persons_of_both_tables(tmp_path, suffix):
    test = frame("q", seed=6).replace({"who": {"q2": "P 3", "q4": "p4"}})
    found = suspected(tmp_path, frame("p"), test, suffix=suffix)
    assert "'P 3', 'p4' of the test table are in the training table too" in found


def test_persons_numbered_in_both_tables(tmp_path):
    train, test = frame("p"), frame("q")
    train["who"] = np.repeat(np.arange(PEOPLE), WINDOWS)
    test["who"] = np.repeat(np.arange(PEOPLE) + 5.0, WINDOWS)
    found = suspected(tmp_path, train, test)
    assert found.startswith("'5' of the test table is in the training table too")


@pytest.mark.parametrize("column", ["subject", "who"])
def test_the_test_tables_own_person_column(tmp_path, column):
    test = frame("q", seed=6).replace({"who": {"q2": "p3"}}).rename(columns={"who": column})
    found = suspected(tmp_path, frame("p"), test, test_group=column)
    assert found.startswith("'p3' of the test table is in the training table too")


@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        ("f1", ConfigError, "data.test_group is 'f1', which is the id, the label or a feature"),
        ("subjct", InputError, "has no column 'subjct'; the nearest of its 8 columns is 'subject'"),
        ("subject", InputError, "expected the person of a row, .* looks like a measurement"),
    ],
)
def test_what_is_no_person_column(tmp_path, column, error, message):
    test = frame("q").rename(columns={"who": "subject"})
    test["subject"] = np.arange(len(test)) + 0.25
    with pytest.raises(error, match=message):
        suspected(tmp_path, frame("p"), test, test_group=column)


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


def test_a_name_in_several_spellings(tmp_path):
    names = {"p1": "Ann Lee", "p2": "ann  lee", "p3": "ANNLEE", "p4": "Ann Leeds"}
    found = suspected(tmp_path, frame("p").replace({"who": names}), plain(frame("q")))
    assert found.startswith("'ANNLEE' and 'Ann Lee' and 'ann  lee': probably one person")
    assert same_persons([1, 2, 11], []) == []


ONE_PERSON = [
    ["p1", "p01", "P001", "p_1", "p-1", "P 1", "(p1)"],
    ["p0", "p_0", "P00"],
    ["Jos\u00e9", "Jose", "JOSE\u0301", "jos\u00e9 "],
    ["\u0130pek", "Ipek", "ipek"],
    ["S1-1", "S1_1", "s01.1", "S1 - 1"],
    ["Ann Lee", "ann  lee", "ANNLEE", "Ann-Lee"],
    ["1", "01"],
]
OTHERS = ["p11", "p1.1", "p100", "S11", "S1a1", "Josef", "-1", "1.0", "?", "!", "\u304c", "\u304b"]
"""Of which none is one of these, or of each other."""


@pytest.mark.parametrize("names", ONE_PERSON)
def test_spellings_of_a_name_that_people_mix_up(names):
    (found,) = same_persons([*names, *OTHERS], [])
    told = " and ".join(map(repr, sorted(names)))
    assert found.startswith(f"{told}: probably one person in several spellings")


LEAKS = {
    "the code": lambda code, rng: {"again": code},
    "a shuffled code": lambda code, rng: {"again": np.array([3, 0, 2, 1])[code]},
    "a rating cut in four": lambda code, rng: {"again": code + rng.uniform(0, 0.99, len(code))},
    "two ratings": lambda code, rng: {
        "v": rng.integers(1, 5, len(code)) + 4 * (code % 2),
        "a": rng.integers(1, 5, len(code)) + 4 * (code // 2),
    },
    "two continuous ratings, some missing": lambda code, rng: {
        "v": rng.uniform(1, 5, len(code)) + 4 * (code % 2),
        "a": np.where(rng.random(len(code)) < 0.01, np.nan, rng.uniform(1, 5, len(code)))
        + 4 * (code // 2),
    },
}


@pytest.mark.parametrize("leak", LEAKS)
def test_features_that_give_the_label_away(tmp_path, leak):
    train, test = frame("p", 10), frame("q")
    for table in (train, test):
        code = table["mood"].str[1:].astype(int).to_numpy()
        for name, values in LEAKS[leak](code, np.random.default_rng(8)).items():
            table.insert(2, name, values)
    found = suspected(tmp_path, train, plain(test))
    assert "'again' alone" in found if "rating" not in leak[3:] else "alone, across" in found
    if leak.startswith("two"):
        assert "'a' with 'v' alone, across persons" in found


def test_a_pair_must_tell_more_than_the_better_of_the_two(tmp_path):
    """A feature that tells nearly enough is no leak with whatever stands beside it."""
    train = frame("p", 10)
    code = train["mood"].str[1:].astype(int).to_numpy()
    noise = np.random.default_rng(1)
    train["f2"] = np.where(noise.random(len(code)) < 0.04, noise.integers(4, size=len(code)), code)
    train["f2"] += noise.uniform(0, 0.4, len(code))
    suspected(tmp_path, train, plain(frame("q")), expected=0)


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_row_is_found_in_order(seed, monkeypatch):
    """By sorting as by all distances, where no two are equal."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(90, 4))
    values[rng.random(90) < 0.1, 1] = np.nan
    near = suspicions._Neighbours(values, rng.integers(3, size=90), rng.integers(5, size=90))
    ranked = suspicions._ranked

    def stretched(values):
        order, places = ranked(values)
        return order, places * np.pi * (1 + places**2)

    monkeypatch.setattr(suspicions, "_ranked", stretched)
    features = [0, 2, 3]  # missing values are equal
    assert near.told(features).tolist() == [near.share(near.distances(at)) for at in features]


def test_the_number_of_the_window_gives_the_order_away(tmp_path):
    train = frame("p")
    number = np.tile(np.arange(WINDOWS), PEOPLE)
    train["mood"] = [f"m{at}" for at in number // 10]
    found = suspected(tmp_path, train.assign(f5=number), plain(frame("q")))
    assert "the label follows from 'f5' alone" in found


def test_what_one_person_alone_can_tell_is_no_leak(tmp_path):
    """A time that never comes again, and a number that is the person's own."""
    train = frame("p").assign(f4=np.arange(PEOPLE * WINDOWS), f5=np.repeat(range(PEOPLE), WINDOWS))
    suspected(tmp_path, train, plain(frame("q")), expected=0)


def shown_one_class_each(people, windows=WINDOWS):
    """Features of people, half of whom show one class and half the other."""
    train = frame("p", people)
    train["mood"] = np.repeat([f"m{at % 2}" for at in range(people)], windows)
    return train, train["mood"].str[1:].astype(int).to_numpy()


@pytest.mark.parametrize("people", [4, 6, 50])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_label_by_another_name_where_people_show_one_class_each(tmp_path, people, suffix):
    train, code = shown_one_class_each(people)
    train["f3"] = np.array([7.5, -2.0])[code]
    found = suspected(tmp_path, train, plain(frame("q")), suffix=suffix)
    assert found.startswith("the label follows from 'f3' alone, across persons")


@pytest.mark.parametrize("people", [6, 50])
def test_a_rating_behind_the_label_where_people_show_one_class_each(tmp_path, people):
    """Of few people it may be chance, as any feature that differs between them."""
    train, code = shown_one_class_each(people)
    train["f3"] = code + np.random.default_rng(8).uniform(0, 0.99, len(code))
    suspected(tmp_path, train, plain(frame("q")), expected=people == 50)


def test_what_each_person_has_of_their_own_is_no_leak(tmp_path):
    """A number for each, and the sex, which is not the class."""
    train, _ = shown_one_class_each(50)
    person = np.repeat(np.arange(50), WINDOWS)
    train["f3"], train["f4"] = person * 7 % 50 / 3, (person // 2) % 2
    suspected(tmp_path, train, plain(frame("q")), expected=0)


@pytest.mark.parametrize("rare", [2, 6])
def test_chance_is_no_leak(rare):
    """Many features, few rows, a rare class."""
    rng = np.random.default_rng(2)
    codes = np.zeros(40, np.int8)
    codes[:: 40 // rare] = 1
    glance = suspicions.Glance(
        digests=np.arange(40, dtype=np.uint64),
        empty=np.zeros(40, bool),
        sample=np.arange(40),
        sampled=rng.normal(size=(40, 3000)),
        watched=np.empty((40, 0)),
    )
    names = [f"f{at}" for at in range(3000)]
    assert suspicions.telling_features(glance, names, codes, np.arange(40) % 4) == []


def test_a_column_without_a_value_in_the_test_table(tmp_path):
    test = plain(frame("q")).assign(f1=np.nan, f4=np.inf)
    found = suspected(tmp_path, frame("p"), test)
    assert found.startswith("'f1', 'f4' have no value in the test table")


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


def test_rows_of_a_sensor_that_is_off_are_no_copies(tmp_path):
    train, test = frame("p"), plain(frame("q"))
    train.loc[[1, 50], [f"f{at}" for at in range(6)]] = 0
    train.loc[[2, 51], "f3"] = np.nan
    test.loc[7] = 0
    suspected(tmp_path, train, test, expected=0)


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


@pytest.mark.parametrize("other", ["M1", "m1 ", "m_1", "\uff4d1"])
def test_a_class_in_several_spellings(tmp_path, other):
    train = frame("p")
    at = train.index[train["mood"] == "m1"][::2]
    train.loc[at, "mood"] = other
    if other.strip() == "m1":  # spaces around a cell are no part of it
        suspected(tmp_path, train, plain(frame("q")), classes=["m0", "m1", "m2", "m3"], expected=0)
    else:
        found = suspected(tmp_path, train, plain(frame("q")))
        assert "probably one class in several spellings" in found and ascii(other) in found


def test_marks_tell_classes_apart(tmp_path):
    train = frame("p").replace({"mood": {"m0": "V+A+", "m1": "V+A-", "m2": "V-A+", "m3": "V-A-"}})
    suspected(tmp_path, train, plain(frame("q")), expected=0)


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


def test_many_columns_are_sampled_with_fewer_rows(tmp_path, monkeypatch):
    plain(frame("p")).to_parquet(tmp_path / "a.parquet", index=False)
    monkeypatch.setattr(suspicions, "_SAMPLE_BYTES", 8 * 6 * 100)
    assert suspicions.glance(tmp_path / "a.parquet").sampled.shape == (100, 6)


def test_a_glance_is_the_same_however_the_file_is_cut(tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    table = plain(frame("p"))
    table.iloc[3] = np.nan
    table.iloc[4, 0], table.iloc[5, 0] = 0.0, -0.0
    table.iloc[5, 1:] = table.iloc[4, 1:]
    table.to_parquet(tmp_path / "a.parquet", index=False)
    whole = suspicions.glance(tmp_path / "a.parquet")
    assert whole.empty.nonzero()[0].tolist() == [3]
    assert whole.digests[4] == whole.digests[5]
    assert len(set(whole.digests.tolist())) == len(table) - 1
    np.testing.assert_array_equal(whole.sampled, table.to_numpy()[whole.sample])
    np.testing.assert_array_equal(whole.watched, table.to_numpy())
    monkeypatch.setattr(suspicions, "_COLUMNS_AT_ONCE", 4)
    pq.write_table(pq.read_table(tmp_path / "a.parquet"), tmp_path / "b.parquet", row_group_size=7)
    for name, value in vars(suspicions.glance(tmp_path / "b.parquet")).items():
        np.testing.assert_array_equal(value, getattr(whole, name), err_msg=name)


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
