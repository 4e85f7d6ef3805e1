"""Folds: people stay whole, ties are broken by person id, and no processor can move anybody."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from emodag.errors import InputError
from emodag.science.folds import group_folds, scikit_learn_group_folds, shuffled_folds

EQUAL = np.repeat(np.arange(19), 8)


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


@pytest.mark.parametrize("disabled", ["", "AVX512F AVX512_SKX", "AVX512F AVX512_SKX AVX2 FMA3"])
def test_processor_features_move_nobody(disabled):
    code = (
        "import numpy as np; from emodag.science.folds import group_folds, shuffled_folds;"
        "print(group_folds(np.repeat(np.arange(76), 8), folds=5).tolist(),"
        "shuffled_folds(100, folds=5, seed=1).tolist())"
    )
    here = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": disabled, "PYTHONPATH": "workflow"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    expected = (
        group_folds(np.repeat(np.arange(76), 8), folds=5).tolist(),
        shuffled_folds(100, folds=5, seed=1).tolist(),
    )
    assert here.split() == f"{expected[0]} {expected[1]}".split()


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
