"""What the report computes of scores: by hand where that is short, else as scikit-learn does."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score, precision_recall_fscore_support

from emodag.science.scores.calibration import expected_calibration_error, reliability, selected
from emodag.science.scores.class_scores import (
    by_class,
    cohens_kappa,
    confusion_by_group,
    macro_f1_of,
)
from emodag.science.scores.resampling import draws, fold_means, over_seeds, percentiles
from emodag.science.scores.scoring import confusion


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
    counts = confusion_by_group(truth, predicted, group, groups=3, classes=4)
    expected = [f1_score(truth[group == g], predicted[group == g], average="macro") for g in (0, 2)]
    np.testing.assert_allclose(macro_f1_of(counts)[[0, 2]], expected)
    assert counts.sum() == 200 and np.isnan(macro_f1_of(counts)[1])


def test_kappa_is_scikit_learn_s(labels):
    assert cohens_kappa(*labels, classes=4) == pytest.approx(cohen_kappa_score(*labels))
    assert cohens_kappa(labels[0], labels[0], classes=4) == 1
    assert np.isnan(cohens_kappa(np.zeros(3, int), np.zeros(3, int), classes=4))


def test_draws_hold_as_many_as_there_are():
    found = draws(5, replicates=100, rng=np.random.default_rng(1))
    assert found.shape == (100, 5) and (found.sum(axis=1) == 5).all()
    assert (found == draws(5, replicates=100, rng=np.random.default_rng(1))).all()


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


def test_seeds_drawn_twice_count_twice():
    scores = np.array([[0.2, 0.4], [0.6, 0.8]])
    assert over_seeds(scores, np.array([[1, 1], [0, 2]])).tolist() == pytest.approx([0.4, 0.8])


def test_the_interval_holds_the_middle_of_the_replicates():
    assert percentiles(np.arange(1001) / 1000) == pytest.approx([0.025, 0.975])


def test_the_interval_covers_what_it_says():
    """Forty people who are right with a chance of their own, many times over."""
    rng, covered = np.random.default_rng(2), 0
    for _ in range(200):
        right = rng.random(40) < 0.7
        counts = np.where(right[:, None, None], RIGHT, WRONG)[None]
        low, high = percentiles(fold_means(counts, draws(40, replicates=400, rng=rng)))
        covered += low <= 0.7 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_repeats_of_the_same_answers_make_nobody_surer():
    """Forty people in four folds, once, and five times with other company, answers unchanged."""
    rng, width = np.random.default_rng(3), []
    right = rng.random(40) < 0.7
    answers = np.where(right[:, None, None], RIGHT, WRONG)
    folds = [rng.permutation(40) % 4 for _ in range(5)]
    for repeats in (1, 5):
        counts = np.zeros((4 * repeats, 40, 2, 2), np.int64)
        for repeat in range(repeats):
            counts[4 * repeat + folds[repeat], np.arange(40)] = answers
        low, high = percentiles(fold_means(counts, draws(40, replicates=4000, rng=rng)))
        width.append(high - low)
    assert width[1] == pytest.approx(width[0], rel=0.05)
    by_theory = 2 * 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 40)
    assert width[1] == pytest.approx(by_theory, rel=0.1)


def test_with_repeats_the_interval_covers_what_it_says():
    """As above, but who is right of a person's answers also depends on the repeat."""
    rng, covered = np.random.default_rng(4), 0
    for _ in range(150):
        chance = rng.beta(1.4, 0.6, size=40)  # 0.7 in the mean, and most people near 0 or 1
        counts = np.zeros((12, 40, 2, 2), np.int64)
        for repeat in range(3):
            hit = rng.random(40) < chance
            fold = 4 * repeat + rng.permutation(40) % 4
            counts[fold, np.arange(40)] = np.where(hit[:, None, None], RIGHT, WRONG)
        low, high = percentiles(fold_means(counts, draws(40, replicates=400, rng=rng)))
        covered += low <= 0.7 <= high
    assert 0.87 <= covered / 150 <= 0.99


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


def test_what_thresholds_select():
    confidence = np.array([0.9, 0.8, 0.95, 0.3], np.float32)
    correct = np.array([True, False, False, True])
    share, accuracy = selected(confidence, correct, np.array([0.0, 0.9, 0.99]))
    assert share.tolist() == [1.0, 0.5, 0.0]
    assert accuracy[:2].tolist() == [0.5, 0.5] and np.isnan(accuracy[2])
