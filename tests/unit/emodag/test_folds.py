"""Folds: people stay whole, ties are broken by person id, and no processor can move anybody."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from emodag.science.folds import (
    assignments,
    group_folds,
    held_out,
    other_group_folds,
    person_folds,
    scikit_learn_group_folds,
    shuffled_folds,
)
from emodag.science.tables.matrices import read_columns, write_columns
from emodag.stages import folds as stage
from ledger.errors import InputError

EQUAL = np.repeat(np.arange(19), 8)


def with_repeats(persons, *, folds, repeats):
    """The assignments of every repeat, the first one included."""
    first = group_folds(persons, folds=folds)
    return [first, *other_group_folds(persons, first, repeats=repeats)]


def together(persons, fold):
    """Who is held out together."""
    return {frozenset(persons[fold == number].tolist()) for number in set(fold.tolist())}


@given(st.lists(st.integers(1, 30), min_size=5, max_size=40), st.integers(2, 5))
def test_people_stay_whole_and_folds_are_balanced(sizes, folds):
    persons = np.repeat(np.arange(len(sizes)), sizes)
    fold = group_folds(persons, folds=folds)
    assert fold.dtype == np.int16
    for person in np.unique(persons):
        assert len(set(fold[persons == person].tolist())) == 1
    load = np.bincount(fold, minlength=folds)
    assert load.max() - load.min() <= max(sizes)


@given(st.lists(st.integers(1, 1000), min_size=5, max_size=16, unique=True))
def test_equals_scikit_learn_where_its_order_is_defined(sizes):
    persons = np.repeat(np.arange(len(sizes)), sizes)
    fold = group_folds(persons, folds=5)
    for number, (_, valid) in enumerate(GroupKFold(5).split(persons, groups=persons)):
        np.testing.assert_array_equal(np.flatnonzero(fold == number), valid)


@pytest.mark.parametrize("persons", [EQUAL, EQUAL.astype(str).astype(object)], ids=["int", "text"])
def test_scikit_learns_own_assignment_on_request(persons):
    fold = scikit_learn_group_folds(persons, folds=5)
    assert fold.dtype == np.int16
    for number, (_, valid) in enumerate(GroupKFold(5).split(persons, groups=persons)):
        np.testing.assert_array_equal(np.flatnonzero(fold == number), valid)


def test_ties_go_by_person_id_and_not_by_the_order_of_rows():
    shuffled = np.random.default_rng(0).permutation(EQUAL)
    by_person = dict(zip(EQUAL.tolist(), group_folds(EQUAL, folds=5).tolist(), strict=True))
    again = dict(zip(shuffled.tolist(), group_folds(shuffled, folds=5).tolist(), strict=True))
    assert by_person == again
    assert [by_person[person] for person in range(7)] == [0, 1, 2, 3, 4, 0, 1]


def test_text_ids():
    persons = np.array(["b", "b", "a", "a", "c", "c"], dtype=object)
    assert group_folds(persons, folds=3).tolist() == [1, 1, 0, 0, 2, 2]


@given(st.lists(st.integers(1, 30), min_size=8, max_size=40), st.integers(2, 4), st.integers(1, 5))
def test_each_repeat_holds_everybody_out_once_with_other_company(sizes, folds, repeats):
    persons = np.repeat(np.arange(len(sizes)), sizes)
    found = with_repeats(persons, folds=folds, repeats=repeats)
    assert len(found) == repeats
    for fold in found:
        assert fold.dtype == np.int16 and set(fold.tolist()) == set(range(folds))
        assert all(len(set(fold[persons == one].tolist())) == 1 for one in range(len(sizes)))
        load = np.bincount(fold, minlength=folds)
        assert load.max() - load.min() <= max(sizes)
    company = [together(persons, fold) for fold in found]
    assert all(a != b for at, a in enumerate(company) for b in company[:at])


def test_repeats_depend_on_nothing_but_who_is_there():
    shuffled = np.random.default_rng(0).permutation(EQUAL)
    pairs = [with_repeats(persons, folds=5, repeats=4) for persons in (EQUAL, shuffled)]
    for fold, again in zip(*pairs, strict=True):
        assert dict(zip(EQUAL.tolist(), fold.tolist(), strict=True)) == dict(
            zip(shuffled.tolist(), again.tolist(), strict=True)
        )
    fewer = with_repeats(EQUAL, folds=5, repeats=2)
    np.testing.assert_array_equal(fewer, pairs[0][:2])


def test_repeats_are_the_same_in_every_release_of_numpy():
    seven, names = np.arange(7), np.array(list("abcdefg"), dtype=object)
    found = [fold.tolist() for fold in with_repeats(seven, folds=3, repeats=3)]
    assert found == [[0, 1, 2, 0, 1, 2, 0], [1, 2, 0, 0, 0, 1, 2], [2, 2, 1, 1, 0, 0, 0]]
    found = [fold.tolist() for fold in with_repeats(names, folds=3, repeats=2)]
    assert found == [[0, 1, 2, 0, 1, 2, 0], [0, 1, 1, 2, 2, 0, 0]]
    np.testing.assert_array_equal(with_repeats(names.astype(str), folds=3, repeats=2), found)


@pytest.mark.parametrize(
    ("people", "told"),
    [
        (1, r"1 person .0., and 5 folds need at least 5\. Check which column"),
        (
            2,
            r"2 persons .0, 1., and 5 folds need at least 5\. Lower `folds` to 2 or less, or check",
        ),
    ],
)
def test_fewer_persons_than_folds(people, told):
    with pytest.raises(InputError, match=told):
        group_folds(np.repeat(np.arange(people), 4), folds=5)


def test_more_repeats_than_there_are_ways():
    three = np.repeat([1, 2, 3], 4)
    ways = {frozenset(together(three, fold)) for fold in with_repeats(three, folds=2, repeats=3)}
    assert len(ways) == 3
    with pytest.raises(InputError, match=r"3 persons \(1, 2, 3\), too few .* 2 folds .* 4 ways"):
        with_repeats(three, folds=2, repeats=4)
    with pytest.raises(InputError, match=r"3 folds .* in 2 ways\. Lower `folds_repeats`"):
        with_repeats(three, folds=3, repeats=2)


def test_a_fold_for_each_person():
    persons = np.array(["b", "b", "a", "c", "a"], dtype=object)
    fold = person_folds(persons, folds=3)
    assert fold.dtype == np.int16 and fold.tolist() == [1, 1, 0, 2, 0]
    splits = LeaveOneGroupOut().split(persons, groups=persons)
    for number, (_, valid) in enumerate(splits):
        np.testing.assert_array_equal(np.flatnonzero(fold == number), valid)
    with pytest.raises(InputError, match=r"holds 3 persons, and 4 were counted .* changed since"):
        person_folds(persons, folds=4)


class Told:
    """A context that keeps warnings and notes."""

    def __init__(self):
        self.warnings, self.notes = [], []
        self.warn, self.note = self.warnings.append, self.notes.append


def table_of_folds(directory, persons, labels=None, **params):
    """What the stage makes, and what it warns of."""
    labels = np.arange(len(persons)) % 2 if labels is None else labels
    rows = {"label": labels.astype(np.int8), "person": persons}
    write_columns(directory / "rows.parquet", rows)
    told = Told()
    asked = {"folds": 3, "assignment": "stable", "shuffle_seed": 1, "classes": ["a", "b"]}
    stage.run({"rows": directory / "rows.parquet"}, {**asked, **params}, directory, told)
    return read_columns(directory / "folds.parquet"), told.warnings


def test_the_table_of_folds_with_repeats(tmp_path):
    persons = np.repeat(np.arange(7), 4)
    once, _ = table_of_folds(tmp_path, persons)
    assert list(once) == ["group_fold", "row_fold"]
    thrice, warnings = table_of_folds(tmp_path, persons, repeats=3)
    assert list(thrice)[2:] == ["group_fold_1", "row_fold_1", "group_fold_2", "row_fold_2"]
    assert not warnings and {column.dtype for column in thrice.values()} == {np.dtype(np.int16)}
    for name, column in once.items():
        np.testing.assert_array_equal(thrice[name], column)
    for kind in once:
        table = assignments(thrice, kind)
        assert table.shape == (3, 28)
        masks = np.array([held_out(thrice, kind, fold) for fold in range(9)])
        assert (masks.reshape(3, 3, 28).sum(axis=1) == 1).all(), "once in every repeat"
        assert len({row.tobytes() for row in table % 3}) == 3


def test_a_fold_that_trains_without_a_class_is_told_of(tmp_path):
    persons = np.repeat(np.arange(3), 4)
    labels = np.where(persons == 1, np.arange(12) % 2, 0)
    params = {"folds": 3, "assignment": "persons"}
    table, warnings = table_of_folds(tmp_path, persons, labels, **params)
    np.testing.assert_array_equal(table["group_fold"], persons)
    assert warnings == [
        "fold 1 trains without class 'b': all who show it (1) are held out together"
    ]
    _, warnings = table_of_folds(tmp_path, persons, labels, folds=2, repeats=2)
    assert len(warnings) == 2, "once in each repeat"


def test_several_classes_that_a_fold_trains_without_are_told_at_once(tmp_path):
    persons = np.repeat(np.arange(3), 4)
    labels = np.where(persons == 1, np.arange(12) % 4, 0)
    params = {"folds": 3, "assignment": "persons", "classes": list("abcd")}
    _, (warning,) = table_of_folds(tmp_path, persons, labels, **params)
    assert warning.startswith("fold 1 trains without 3 classes ('b', 'c', 'd'): all who show one")


@pytest.mark.parametrize("disabled", ["AVX512F AVX512_SKX AVX2 FMA3"])  # more in `tests/long`
def test_processor_features_move_nobody(disabled):
    code = (
        "import numpy as np; from emodag.science.folds import *;"
        "persons = np.repeat(np.arange(76), 8); first = group_folds(persons, folds=5);"
        "print(first.tolist(), shuffled_folds(100, folds=5, seed=1).tolist(),"
        "other_group_folds(persons, first, repeats=2)[0].tolist())"
    )
    here = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": disabled, "PYTHONPATH": "workflow"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    first, other = with_repeats(np.repeat(np.arange(76), 8), folds=5, repeats=2)
    shuffled = shuffled_folds(100, folds=5, seed=1)
    assert here.strip() == " ".join(str(found.tolist()) for found in (first, shuffled, other))


def test_fewer_persons_than_folds_is_explained():
    with pytest.raises(InputError, match=r"holds 3 persons \(1, 2, 3\), and 5 folds"):
        group_folds(np.array([1, 1, 2, 3]), folds=5)
    with pytest.raises(InputError, match=r"holds 3 persons \(1, 2, 3\), and 5 folds"):
        scikit_learn_group_folds(np.array([1, 1, 2, 3]), folds=5)


def test_shuffled_folds_are_scikit_learns_kfold():
    fold = shuffled_folds(103, folds=5, seed=1)
    from sklearn.model_selection import KFold

    splitter = KFold(5, shuffle=True, random_state=1)
    for number, (_, valid) in enumerate(splitter.split(np.zeros(103))):
        np.testing.assert_array_equal(np.flatnonzero(fold == number), valid)
