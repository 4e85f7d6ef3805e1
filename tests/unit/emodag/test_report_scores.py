"""What the report computes of scores: by hand where that is short, else as scikit-learn does."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import stdtrit
from sklearn.metrics import cohen_kappa_score, f1_score, precision_recall_fscore_support

from emodag.science.scores.calibration import expected_calibration_error, reliability
from emodag.science.scores.class_scores import (
    by_class,
    cohens_kappa,
    confusions,
    macro_f1_of,
)
from emodag.science.scores.resampling import estimate, fold_means, share
from emodag.science.scores.scoring import confusion
from tests.unit.people import people


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    truth, other = rng.integers(0, 4, 200), rng.integers(0, 3, 200)
    return truth, np.where(rng.random(200) < 0.5, truth, other)


def test_scores_by_class_are_scikit_learn_s(labels):
    found = by_class(confusion(*labels, classes=4))
    expected = precision_recall_fscore_support(*labels, zero_division=np.nan)
    for key, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        np.testing.assert_allclose(found[key], values)


def test_a_class_never_predicted_has_no_precision():
    found = by_class(np.array([[3, 0, 0], [2, 0, 0], [0, 0, 0]]))
    assert found["recall"][:2].tolist() == [1.0, 0.0]
    assert found["precision"][0] == 0.6 and np.isnan(found["precision"][1:]).all()
    assert found["f1"][:2].tolist() == [0.75, 0.0] and np.isnan(found["f1"][2])
    assert macro_f1_of(np.array([[3, 0, 0], [2, 0, 0], [0, 0, 0]])) == 0.375


def test_macro_f1_of_many_matrices(labels):
    truth, predicted = labels
    group = np.repeat([0, 2], 100)
    counts = confusions(truth, predicted, (group,), (3,), classes=4)
    expected = [f1_score(truth[group == g], predicted[group == g], average="macro") for g in (0, 2)]
    np.testing.assert_allclose(macro_f1_of(counts)[[0, 2]], expected)
    assert counts.sum() == 200 and np.isnan(macro_f1_of(counts)[1])


def test_kappa_is_scikit_learn_s(labels):
    assert cohens_kappa(*labels, classes=4) == pytest.approx(cohen_kappa_score(*labels))
    assert cohens_kappa(labels[0], labels[0], classes=4) == 1
    assert np.isnan(cohens_kappa(np.zeros(3, int), np.zeros(3, int), classes=4))


RIGHT, WRONG = [[1, 0], [0, 1]], [[0, 1], [1, 0]]
NOBODY = [[0, 0], [0, 0]]


def test_the_mean_over_folds_of_samples():
    """Person 0 (all right) is alone in fold 0; 1 (right) and 2 (wrong) share fold 1."""
    counts = np.array([[RIGHT, NOBODY, NOBODY], [NOBODY, RIGHT, WRONG]])
    times = np.array([[1, 1, 1], [0, 3, 0], [0, 1, 2], [2, 0, 1]])
    by_hand = [(1 + 0.5) / 2, 1, 1 / 3, (2 * 1 + 0.5 * 0) / 2.5]
    np.testing.assert_allclose(fold_means(counts, times), by_hand)


def test_with_a_person_a_fold_it_is_a_mean_over_people():
    counts = np.array([[RIGHT, NOBODY, NOBODY], [NOBODY, RIGHT, NOBODY], [NOBODY, NOBODY, WRONG]])
    times = np.array([[1, 1, 1], [0, 1, 2], [3, 0, 0]])
    np.testing.assert_allclose(fold_means(counts, times), [2 / 3, 1 / 3, 1])


def test_many_models_are_scored_like_one():
    counts = people(np.random.default_rng(1), persons=7, folds=3, models=4, seeds=2)
    times = np.random.default_rng(2).integers(0, 3, (20, 7))
    found = fold_means(counts, times)
    assert found.shape == (4, 2, 20)
    assert (found[3, 1] == fold_means(counts[3, 1], times)).all()
    assert np.isnan(fold_means(counts, 0 * times)).all()


def test_with_a_person_a_fold_the_interval_is_student_s():
    (counts,) = people(np.random.default_rng(1), persons=9, folds=9)
    student = stats.ttest_1samp(macro_f1_of(counts.sum(axis=(0, 1))), 0).confidence_interval()
    assert estimate(counts).interval == pytest.approx(list(student))


def test_seeds_that_differ_widen_the_interval():
    """Of several seeds alike the interval is that of one; of others it allows for yet others."""
    (one,) = people(np.random.default_rng(1), persons=9, folds=3)
    (other,) = people(np.random.default_rng(2), persons=9, folds=3)
    low, high = estimate(one).interval
    assert estimate(np.concatenate([one] * 3)).interval == pytest.approx([low, high])
    found = estimate(np.concatenate([one, other]))
    assert found.interval[1] - found.interval[0] > high - low


def test_no_interval_reaches_beyond_what_there_is():
    counts = np.array([[RIGHT, NOBODY, NOBODY], [NOBODY, RIGHT, NOBODY], [NOBODY, NOBODY, WRONG]])
    found = estimate(counts[None])
    assert found.interval == [0.0, 1.0]
    assert (estimate(counts[None, ::-1, ::-1]) - found).interval == [-1.0, 1.0]
    assert np.isnan(estimate(counts[None, :1, :1]).interval).all(), "of a single person"


def test_hidden_people_are_a_single_fold():
    (counts,) = people(np.random.default_rng(1), persons=5, folds=1)
    assert estimate(counts).value == pytest.approx(macro_f1_of(counts.sum(axis=(0, 1, 2))))


@pytest.mark.parametrize(("folds", "seeds", "times"), [(5, 3, 300)])  # more in `tests/long`
def test_the_interval_covers_what_it_says_with_ten_people(folds, seeds, times):
    """Scores, and differences of two models; a bootstrap's percentiles cover 0.89 to 0.91."""
    rng, values, ends = np.random.default_rng(2), [], []
    for _ in range(times):
        one, other = map(estimate, people(rng, persons=10, folds=folds, models=2, seeds=seeds))
        both = one, one - other
        values.append([found.value for found in both])
        ends.append([found.interval for found in both])
    low, high = np.moveaxis(ends, 2, 0)
    expected = np.mean(values, axis=0)
    covered = np.mean((low <= expected) & (expected <= high), axis=0)
    assert ((covered >= 0.93) & (covered <= 0.98)).all()


def test_repeats_of_the_same_answers_make_nobody_surer():
    """Forty people in four folds, once, and five times with other company, answers unchanged."""
    rng, width = np.random.default_rng(3), []
    right = rng.random(40) < 0.7
    answers = np.where(right[:, None, None], RIGHT, WRONG)
    folds = [rng.permutation(40) % 4 for _ in range(5)]
    for repeats in (1, 5):
        counts = np.zeros((1, 4 * repeats, 40, 2, 2), np.int64)
        for repeat in range(repeats):
            counts[0, 4 * repeat + folds[repeat], np.arange(40)] = answers
        low, high = estimate(counts).interval
        width.append(high - low)
    assert width[1] == pytest.approx(width[0], rel=0.05)
    by_theory = 2 * 2.02 * np.sqrt(right.mean() * (1 - right.mean()) / 39)
    assert width[1] == pytest.approx(by_theory, rel=0.1)


@pytest.mark.parametrize("times", [200])
def test_with_repeats_the_interval_covers_what_it_says(times):
    """Forty people; which of a person's answers are right also depends on the repeat."""
    rng, covered = np.random.default_rng(4), 0
    for _ in range(times):
        chance = rng.beta(1.4, 0.6, size=40)  # 0.7 in the mean, and most people near 0 or 1
        counts = np.zeros((1, 12, 40, 2, 2), np.int64)
        for repeat in range(3):
            hit = rng.random(40) < chance
            fold = 4 * repeat + rng.permutation(40) % 4
            counts[0, fold, np.arange(40)] = np.where(hit[:, None, None], RIGHT, WRONG)
        low, high = estimate(counts).interval
        covered += low <= 0.7 <= high
    assert 0.92 <= covered / times <= 0.98


def test_reliability_by_hand():
    confidence = np.array([0.5, 0.55, 0.6, 0.95, 1.0])
    correct = np.array([True, False, True, True, True])
    found = reliability(confidence, correct, bins=10)
    assert found.rows.tolist() == [0, 0, 0, 0, 1, 2, 0, 0, 0, 2]
    assert found.accuracy[[4, 5, 9]].tolist() == [1.0, 0.5, 1.0]
    assert found.confidence[[4, 5, 9]].tolist() == pytest.approx([0.5, 0.575, 0.975])
    gap = (1 * 0.5 + 2 * 0.075 + 2 * 0.025) / 5
    assert expected_calibration_error(found) == pytest.approx(gap)


def test_what_is_as_sure_as_it_says_has_no_error():
    confidence = np.repeat([0.25, 0.75], 4)
    correct = np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    assert expected_calibration_error(reliability(confidence, correct)) == 0


def test_a_share_has_its_interval_over_those_who_have_such_rows():
    hits, rows = np.array([[3, 1, 2, 0]]), np.array([[4, 4, 4, 0]])
    found = share(hits, rows)
    assert found.value == 0.5 and found.without.tolist() == [3 / 8, 5 / 8, 4 / 8]
    means = np.array([0.75, 0.25, 0.5])  # with rows of one number it is the mean's over persons
    half = stdtrit(2, 0.975) * np.std(means, ddof=1) / np.sqrt(3)
    assert found.interval == [0.0, 1.0] and half > 0.5
    many = share(np.tile(hits, 8), np.tile(rows, 8))
    half = stdtrit(23, 0.975) * np.std(np.tile(means, 8), ddof=1) / np.sqrt(24)
    assert many.interval == pytest.approx([0.5 - half, 0.5 + half])


@pytest.mark.parametrize("rows", [[[0, 0]], [[0, 5]]])
def test_a_share_of_fewer_than_two_persons_has_none(rows):
    found = share(np.zeros((1, 2), np.int64), np.array(rows))
    assert np.isnan(found.interval).all() and (found.value == 0) == (rows == [[0, 5]])
