"""Intervals, and the best of many, on people simulated more often than in `tests/unit`."""

import pytest

from tests.unit.emodag.test_comparisons import (
    test_false_alarms_are_as_rare_as_promised as false_alarms_are_rare,
)
from tests.unit.emodag.test_report_scores import (
    test_the_interval_covers_what_it_says_with_ten_people as covers,
)
from tests.unit.emodag.test_report_scores import (
    test_with_repeats_the_interval_covers_what_it_says as covers_with_repeats,
)
from tests.unit.emodag.test_selection import test_of_models_alike_the_best_is_no_better as alike


@pytest.mark.parametrize(("persons", "folds"), [(10, 5), (20, 5), (12, 12)])
def test_of_models_alike_the_best_is_no_better(persons, folds):
    alike(persons, folds, 100)


@pytest.mark.parametrize(("folds", "seeds"), [(5, 3), (1, 1), (5, 1), (10, 1)])
def test_the_interval_covers_what_it_says_with_ten_people(folds, seeds):
    covers(folds, seeds, 600)


def test_with_repeats_the_interval_covers_what_it_says():
    covers_with_repeats(400)


def test_false_alarms_are_as_rare_as_promised():
    false_alarms_are_rare(400)
