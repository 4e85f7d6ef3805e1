"""Votes of several models on the same rows, each with one voice."""

import numpy as np


def soft_vote(probabilities: np.ndarray) -> np.ndarray:
    """The mean of the members' probabilities.

    Parameters
    ----------
    probabilities : (members, n, classes) float32.

    Returns
    -------
    (n, classes) float32.
    """
    return probabilities.mean(axis=0, dtype=np.float64).astype(np.float32)


def hard_vote(probabilities: np.ndarray) -> np.ndarray:
    """The share of members that each class is the most probable one for.

    The first class of several with most votes wins, as in scikit-learn's VotingClassifier.

    Parameters and result are those of `soft_vote`.
    """
    classes = probabilities.shape[2]
    votes = np.eye(classes, dtype=np.float64)[probabilities.argmax(axis=2)]
    return votes.mean(axis=0).astype(np.float32)
