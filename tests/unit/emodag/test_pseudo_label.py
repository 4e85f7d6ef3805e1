"""Pseudo-labels: the threshold at exactly 0.90, the boost, ties, none at all."""

import numpy as np
import pytest

from emodag.science.blending import mean_probabilities
from emodag.science.pseudo_label import boosted, decided, select


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_of_exactly_the_threshold_is_selected(dtype):
    at = dtype(0.9)
    below = np.nextafter(at, dtype(0))
    probabilities = np.array([[at, 1 - at], [below, 1 - below]], dtype)
    rows, labels, confidence = select(probabilities, threshold=0.9)
    assert rows.tolist() == [0] and labels.tolist() == [0]
    assert confidence.dtype == dtype and confidence[0] == at


def test_the_boost_keeps_float32():
    probabilities = np.array([[0.3, 0.7], [0.65, 0.35]], np.float32)
    result = boosted(probabilities, np.array([1.0, 1.5]))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result[:, 1], probabilities[:, 1] * np.float32(1.5))
    np.testing.assert_array_equal(result[:, 0], probabilities[:, 0])


def test_a_boosted_class_can_cross_the_threshold_and_win():
    probabilities = np.array([[0.39, 0.61]], np.float32)
    assert len(select(probabilities, threshold=0.9)[0]) == 0
    rows, labels, _ = select(boosted(probabilities, np.array([1.0, 1.5])), threshold=0.9)
    assert rows.tolist() == [0] and labels.tolist() == [1]


def test_the_first_of_equal_classes_wins():
    _, labels, _ = select(np.array([[0.5, 0.5]], np.float32), threshold=0.5)
    assert labels.tolist() == [0]
    even = np.array([[0.5, 0.5], [0.39, 0.61]], np.float32)
    assert decided(even, [1.0, 1.0]).tolist() == [0, 1]
    assert decided(even, [2.0, 1.0]).tolist() == [0, 0]


@pytest.mark.parametrize(("classes", "dtype"), [(128, np.int8), (129, np.int16), (250, np.int16)])
def test_the_last_of_many_classes(classes, dtype):
    _, labels, _ = select(np.eye(classes, dtype=np.float32)[-1:], threshold=0.9)
    assert labels.dtype == dtype and labels.tolist() == [classes - 1]


def test_no_row_at_all():
    rows, labels, confidence = select(np.full((3, 4), 0.25, np.float32), threshold=0.9)
    assert (len(rows), len(labels), len(confidence)) == (0, 0, 0)
    assert (rows.dtype, labels.dtype) == (np.int32, np.int8)


def test_the_mean_is_summed_in_order_in_float32():
    members = [np.array([[value, 1 - value]], np.float32) for value in (0.1, 0.2, 0.7)]
    expected = (members[0] + members[1] + members[2]) / np.float32(3)
    result = mean_probabilities(members)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, expected)
