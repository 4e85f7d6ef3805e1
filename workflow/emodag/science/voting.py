"""Votes of several models on the same rows: one voice each, or weights found by hill climbing."""

import numpy as np

from emodag.science.scores.scoring import macro_f1

STEPS = 50
"""Models that hill climbing adds, with repetition: a weight is a multiple of 1 / STEPS."""


def soft_vote(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted mean of the members' probabilities.

    Parameters
    ----------
    probabilities : (members, n, classes) float32.
    weights : (members,) float64 that sum to 1.

    Returns
    -------
    (n, classes) float32, summed in float64 in the members' order.
    """
    total = np.zeros(probabilities.shape[1:], np.float64)
    for weight, member in zip(weights.tolist(), probabilities, strict=True):
        total += weight * member
    return total.astype(np.float32)


def hard_vote(probabilities: np.ndarray) -> np.ndarray:
    """The share of members that each class is the most probable one for.

    The first class of several with most votes wins, as in scikit-learn's VotingClassifier.

    Parameters
    ----------
    probabilities : (members, n, classes) float32.

    Returns
    -------
    (n, classes) float32.
    """
    classes = probabilities.shape[2]
    votes = np.eye(classes, dtype=np.float64)[probabilities.argmax(axis=2)]
    return votes.mean(axis=0).astype(np.float32)


def hill_climbing(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights with which a soft vote has a high macro-F1 on these rows.

    Ensemble selection with replacement (Caruana et al. 2004, ICML): the member is added again and
    again with which the mean of all that were added scores best, and the best mean on the way is
    taken. Of equal members the first is added, of equal means the smallest taken.

    Parameters
    ----------
    probabilities : (members, n, classes) float32.
    labels : (n,) integer class codes.

    Returns
    -------
    (members,) float64 that sum to 1.
    """
    members, _, classes = probabilities.shape
    counts, total = np.zeros(members, np.int64), np.zeros(probabilities.shape[1:], np.float64)
    best, best_score = counts, -1.0
    for _ in range(STEPS):
        scores = [
            macro_f1(labels, (total + member).argmax(axis=1), classes=classes)
            for member in probabilities
        ]
        chosen = int(np.argmax(scores))
        counts, total = counts.copy(), total + probabilities[chosen]
        counts[chosen] += 1
        if scores[chosen] > best_score:
            best, best_score = counts, scores[chosen]
    return best / best.sum()
