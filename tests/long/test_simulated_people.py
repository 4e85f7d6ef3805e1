"""Intervals, and the best of many, on people simulated in more ways than in `tests/unit`."""

import pytest

from tests.unit.emodag.test_report_scores import (
    test_the_interval_covers_what_it_says_with_ten_people as covers,
)
from tests.unit.emodag.test_selection import test_of_models_alike_the_best_is_no_better as alike


@pytest.mark.parametrize(("persons", "folds"), [(20, 5), (12, 12)])
def test_of_models_alike_the_best_is_no_better(persons, folds):
    alike(persons, folds)


@pytest.mark.parametrize(("folds", "seeds"), [(1, 1), (5, 1), (10, 1)])
def test_the_interval_covers_what_it_says_with_ten_people(folds, seeds):
    covers(folds, seeds)
