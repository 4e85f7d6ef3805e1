"""Guessing comes to what it should for people whose classes are of unequal size."""

import numpy as np
import pytest

from emodag.science.scores.chance import chance
from emodag.science.scores.class_scores import confusions
from emodag.science.scores.comparisons import own_scores

PERSON = np.repeat(np.arange(8), 200)
FOLD = PERSON[None] // 2
RARE = np.arange(1600) % 10 == 0


def test_classes_of_equal_size_are_guessed_one_in_two():
    labels = np.arange(1600) % 2
    found = chance(labels, labels[None], PERSON, FOLD, folds=4, classes=2)
    assert found.mean == pytest.approx(0.5, abs=0.01)
    assert found.mean < found.high < 0.55


def test_to_know_whose_rows_they_are_is_no_merit():
    """Half of the people are mostly in one class, and half in the other: that is all it knows."""
    commonest = PERSON % 2
    found = chance(commonest ^ RARE, commonest[None], PERSON, FOLD, folds=4, classes=2)
    assert found[:2] == pytest.approx((0.9, 0.9)), "its own score, though far above one in two"


def test_persons_of_one_class_each_exchange_their_classes():
    """To tell patients from controls is a merit, and to call all alike is none."""
    labels = (PERSON % 2).astype(np.int8)
    found = chance(labels, labels[None], PERSON, FOLD, folds=4, classes=2)
    assert 0.3 < found.mean < 0.7 and found.mean < found.high < 1 and np.isnan(found.own).all()
    alike = chance(labels, np.zeros((1, 1600), int), PERSON, FOLD, folds=4, classes=2)
    assert alike.high >= 1 / 3, "its own score"


def test_where_some_persons_show_one_class_each_both_are_shuffled():
    mixed = PERSON < 4
    labels = np.where(mixed, np.arange(1600), PERSON) % 2
    found = chance(labels, labels[None], PERSON, FOLD, folds=4, classes=2)
    assert found.high < 0.9 and np.isnan(found.own).tolist() == [False] * 4 + [True] * 4
    others = chance(labels, labels[None] * mixed, PERSON, FOLD, folds=4, classes=2)
    np.testing.assert_array_equal(others.own[:4], found.own[:4])


def test_repeats_of_the_same_answers_are_no_further_guesses():
    predicted = np.random.default_rng(1).integers(0, 2, (1, 1600))
    once = chance(RARE.astype(np.int8), predicted, PERSON, FOLD, folds=4, classes=2)
    both, folds = np.tile(predicted, (2, 1)), np.vstack([FOLD, FOLD + 4])
    twice = chance(RARE.astype(np.int8), both, PERSON, folds, folds=8, classes=2)
    assert twice[:2] == pytest.approx(once[:2])
    np.testing.assert_allclose(twice.own, once.own)
    again = chance(RARE.astype(np.int8), predicted, PERSON, FOLD, folds=4, classes=2)
    assert again[:2] == once[:2] and (again.own == once.own).all(), "the same every time"


def test_a_person_s_own_score_is_held_against_that_person_s_own_guesses():
    """Of four people one is known, one guessed, one always called alike, one only ever alike."""
    rng, person = np.random.default_rng(2), np.repeat(np.arange(4), 60)
    labels = rng.integers(0, 2, 240) * (person < 3)
    predicted = np.select([person == 0, person == 1], [labels, rng.integers(0, 2, 240)], 0)
    fold = person[None] % 2
    found = chance(labels, predicted[None], person, fold, folds=2, classes=2)
    counts = confusions(labels, predicted, (fold[0], person), (2, 4), classes=2)
    own = own_scores(counts[None])
    assert own[0] == 1 and 0.5 < found.own[0] < 0.7
    assert own[1] < found.own[1]
    assert own[2] == pytest.approx(found.own[2]), "no shuffle changes that"
    assert np.isnan(found.own[3]), "there is nothing to guess"
