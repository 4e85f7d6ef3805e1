"""Guessing comes to what it should for people whose classes are of unequal size."""

import numpy as np
import pytest

from emodag.science.scores.chance import chance

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
    assert found == pytest.approx((0.9, 0.9)), "its own score, though far above one in two"


def test_repeats_of_the_same_answers_are_no_further_guesses():
    predicted = np.random.default_rng(1).integers(0, 2, (1, 1600))
    once = chance(RARE.astype(np.int8), predicted, PERSON, FOLD, folds=4, classes=2)
    both, folds = np.tile(predicted, (2, 1)), np.vstack([FOLD, FOLD + 4])
    twice = chance(RARE.astype(np.int8), both, PERSON, folds, folds=8, classes=2)
    assert twice == pytest.approx(once)
    again = chance(RARE.astype(np.int8), predicted, PERSON, FOLD, folds=4, classes=2)
    assert again == once, "the same every time"
