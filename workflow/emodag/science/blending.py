"""The mean of several models' probabilities, in an order and a precision that are fixed."""

from collections.abc import Sequence

import numpy as np


def mean_probabilities(members: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of float32 probabilities, summed one after the other in the order given.

    Parameters
    ----------
    members : arrays of one shape (n, classes), float32.

    Returns
    -------
    (n, classes) float32.
    """
    total = np.zeros_like(members[0])
    for member in members:
        total = total + member
    return total / np.float32(len(members))
