"""The best of many models: its luck is taken off, and nothing else is."""

import numpy as np
import pytest

from emodag.science.scores.resampling import estimate, fold_means
from emodag.science.scores.selection import corrected
from tests.unit.people import people


@pytest.mark.parametrize(("persons", "folds", "times"), [(10, 5, 50)])  # more in `tests/long`
def test_of_models_alike_the_best_is_no_better(persons, folds, times):
    rng = np.random.default_rng(1)
    expected, found = [], []
    for _ in range(times):
        counts = people(rng, persons=persons, folds=folds, models=30)
        expected.append(fold_means(counts, np.ones((1, persons), np.int64)).mean())
        found.append(corrected(counts))
    truth, error = np.mean(expected), np.std(expected) / np.sqrt(times)
    bias = np.mean([each.corrected - truth for each in found])
    optimism = np.mean([each.optimism for each in found])
    assert np.mean([each.naive for each in found]) - truth > 5 * error
    assert abs(bias) < 2.5 * error and abs(bias) < 0.15 * optimism
    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert covered >= 0.9


def test_a_model_that_is_clearly_better_is_chosen_and_keeps_its_score():
    rng = np.random.default_rng(2)
    for _ in range(10):
        counts = people(rng, persons=10, folds=5, models=30, better=(0, 0, 0, 0.5))
        found = corrected(counts)
        assert found.winner == 3 and found.chosen[3] > 0.95
        assert found.naive == estimate(counts[3]).value
        assert abs(found.optimism) < 0.01


def test_a_single_model_has_nothing_to_be_corrected():
    counts = people(np.random.default_rng(3), persons=8, folds=4, seeds=3)
    found = corrected(counts)
    assert found.optimism == pytest.approx(0, abs=1e-12) and found.chosen.tolist() == [1.0]
    assert [found.low, found.high] == pytest.approx(estimate(counts[0]).interval)


def test_of_equals_the_first_wins_and_every_time():
    one, other = people(np.random.default_rng(4), persons=8, folds=4, models=2, better=(0.5,))
    found = corrected(np.stack([other, one, one, one]))
    assert found.winner == 1 and found.chosen.tolist()[2:] == [0.0, 0.0]
    assert str(found) == str(corrected(np.stack([other, one, one, one])))


def test_variants_are_chosen_alike_however_many_are_scored_together():
    counts = people(np.random.default_rng(5), persons=8, folds=4, models=70)
    found, swapped = corrected(counts), corrected(counts[::-1])
    assert swapped.winner == 69 - found.winner and swapped.corrected == found.corrected
