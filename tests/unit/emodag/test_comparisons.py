"""Two models on the same people: SciPy's tests where one person makes a fold, else by hand."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from emodag.science.scores.class_scores import macro_f1_of
from emodag.science.scores.comparisons import (
    holm,
    own_scores,
    paired,
    sign_flip,
    worst_fifth,
)
from tests.unit.people import people


def test_with_a_person_a_fold_it_is_student_s_interval_and_fisher_s_test():
    """Then the score is a mean over people, and theirs are the differences of pairs."""
    model, baseline = people(np.random.default_rng(1), persons=9, folds=9, models=2, better=(0.2,))
    a, b = own_scores(model), own_scores(baseline)
    found, student = paired(model, baseline), stats.ttest_rel(a, b)
    assert found.difference == pytest.approx((a - b).mean())
    assert [found.low, found.high] == pytest.approx(list(student.confidence_interval(0.95)))
    flips = stats.permutation_test(
        (a, b), lambda x, y, axis: (x - y).mean(axis=axis), permutation_type="samples"
    )
    assert found.p == pytest.approx(flips.pvalue)
    assert (found.better, found.worse) == ((a > b).sum(), (a < b).sum())


def test_exchanges_by_hand():
    """Six people in two folds, two seeds: the folds are scored anew after every exchange."""
    models = people(np.random.default_rng(2), persons=6, folds=2, models=2, seeds=2)
    apart = []
    for exchange in product([False, True], repeat=6):
        one, other = (
            np.where(np.array(exchange)[:, None, None], models[k], models[1 - k]) for k in (0, 1)
        )
        scores = [macro_f1_of(counts.sum(axis=2)).mean() for counts in (one, other)]
        apart.append(abs(scores[0] - scores[1]))
    assert sign_flip(*models) == np.mean(np.array(apart) >= apart[0] - 1e-12)


def test_the_same_model_twice():
    (model,) = people(np.random.default_rng(3), persons=5, folds=5, seeds=3)
    assert paired(model, model) == (0.0, 0.0, 0.0, 0, 0, 1.0)


@pytest.mark.parametrize(("persons", "least"), [(4, 2 / 2**4), (13, 2 / 2**13), (14, 1e-4)])
def test_no_p_value_is_smaller_than_so_few_people_allow(persons, least):
    """Everybody gains, so that no exchange but nobody's and everybody's comes to as much."""
    (model,) = people(np.random.default_rng(4), persons=persons, folds=4)
    perfect = model.sum(axis=-1, keepdims=True) * np.eye(4, dtype=np.int64)
    found = paired(perfect, model)
    assert (found.better, found.worse) == (persons, 0)
    assert least <= found.p < least + 5e-4
    assert paired(model, perfect).p == found.p, "two-sided, and the same every time"


@pytest.mark.parametrize("times", [200])
def test_false_alarms_are_as_rare_as_promised(times):
    rng = np.random.default_rng(5)
    found = [sign_flip(*people(rng, persons=8, folds=4, models=2)) for _ in range(times)]
    assert 0.02 < np.mean(np.array(found) <= 0.05) < 0.075


def test_own_scores_are_means_over_repeats():
    """One person, right in the one repeat and in the other taken for the wrong class throughout."""
    right, wrong, nobody = np.array([[3, 0], [0, 1]]), np.array([[0, 3], [1, 0]]), np.zeros((2, 2))
    counts = np.array([[[right, nobody], [nobody, right], [wrong, nobody], [nobody, right]]])
    assert own_scores(counts).tolist() == [0.5, 1.0]


@pytest.mark.parametrize(("persons", "who"), [(3, [0]), (9, [0]), (10, [0, 1]), (15, [0, 1, 2])])
def test_the_worst_fifth(persons, who):
    """Of 150 rows of one class everybody finds ten more than the one before, the worst none."""
    hits = np.roll(10 * np.arange(persons), 2)
    counts = np.zeros((1, 1, persons, 2, 2), np.int64)
    counts[0, 0, :, 0, 0], counts[0, 0, :, 0, 1] = hits, 150 - hits
    f1 = [2 * 10 * at / (150 + 10 * at) / 2 for at in who]
    assert worst_fifth(counts) == pytest.approx(np.mean(f1))


def test_holm_by_hand():
    found = holm(np.array([0.01, 0.04, 0.03, 0.005, 0.9]))
    assert found.tolist() == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.9])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]
