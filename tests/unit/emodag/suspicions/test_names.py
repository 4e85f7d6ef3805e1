"""Persons of both tables, and names in several spellings."""

import numpy as np
import pytest

from emodag.science.tables.suspicions.names import presumed_classes, same_persons
from ledger.errors import ConfigError, InputError
from tests.unit.emodag.suspicions.tables import PEOPLE, WINDOWS, frame, plain, suspected


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
    ["0", "False", "false"],
]

OTHERS = ["p11", "p1.1", "p100", "S11", "S1a1", "Josef", "-1", "1.0", "?", "!", "\u304c", "\u304b"]
"""Of which none is one of these, or of each other."""


@pytest.mark.parametrize("names", ONE_PERSON)
def test_spellings_of_a_name_that_people_mix_up(names):
    (found,) = same_persons([*names, *OTHERS], [])
    told = " and ".join(map(repr, sorted(names)))
    assert found.startswith(f"{told}: probably one person in several spellings")


def test_numbers_that_are_read_as_the_defaults_classes(tmp_path):
    train = frame("p").replace({"mood": {f"m{at}": str(at) for at in range(4)}})
    classes = ["LVLA", "HVLA", "LVHA", "HVHA"]
    found = suspected(tmp_path, train, plain(frame("q")), classes=classes, presumed=True)
    assert found.startswith("labels 0 to 3 are read as LVLA, HVLA, LVHA, HVHA, as data.classes")
    assert presumed_classes(classes, classes) == []


def test_booleans_beside_numbers(tmp_path):
    train = frame("p").replace({"mood": {"m0": "0", "m1": "1", "m2": "True", "m3": "false"}})
    classes = ["0", "1", "True", "false"]
    found = suspected(tmp_path, train, plain(frame("q")), classes=classes)
    assert found.startswith("'0' and 'false'; '1' and 'True': probably one class")


@pytest.mark.parametrize("other", ["M1", "m1 ", "m_1", "\uff4d1", "\u1e3f1"])
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
