"""Scores equal scikit-learn's, absent classes included."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from emodag.science.scores.scoring import accuracy, confusion, macro_f1

codes = st.integers(0, 3)


@given(st.lists(st.tuples(codes, codes), min_size=1, max_size=60))
def test_equal_scikit_learns(pairs):
    truth, predicted = (np.array(column, np.int8) for column in zip(*pairs, strict=True))
    np.testing.assert_allclose(
        macro_f1(truth, predicted, classes=4),
        f1_score(truth, predicted, average="macro"),
        rtol=1e-15,
    )
    assert accuracy(truth, predicted) == accuracy_score(truth, predicted)
    np.testing.assert_array_equal(
        confusion(truth, predicted, classes=4), confusion_matrix(truth, predicted, labels=range(4))
    )
