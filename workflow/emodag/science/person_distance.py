"""How far a person's features lie from those of the training persons."""

from typing import NamedTuple

import numpy as np


class Distances(NamedTuple):
    """Persons and their distances; see `person_distances`.

    Attributes
    ----------
    persons : (k,) each person once, in order.
    rows : (k,) int64, how many rows each has.
    distances : (k,) float64.
    """

    persons: np.ndarray
    rows: np.ndarray
    distances: np.ndarray


def person_distances(
    training: np.ndarray, persons: np.ndarray, new: np.ndarray, new_persons: np.ndarray
) -> tuple[Distances, Distances]:
    """The distances of the training persons from one another, and of new ones from these.

    A person stands for the mean of their rows. The distance is the root mean square, over
    features, of the difference to the mean of the training persons; for a training person, of the
    others. After quantile scaling its unit is a standard deviation of a feature over all rows.

    Parameters
    ----------
    training, new : float32, shapes (n, p) and (m, p), scaled alike.
    persons, new_persons : (n,) and (m,), the person of each row; at least two in training.

    Returns
    -------
    Of the training persons, and of the new ones.
    """
    names, rows, means = _means(training, persons)
    whole = means.sum(axis=0)
    others = (whole - means) / (len(names) - 1)
    known = Distances(names, rows, _rms(means - others))
    names, rows, means = _means(new, new_persons)
    return known, Distances(names, rows, _rms(means - whole / len(others)))


def _means(values: np.ndarray, persons: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each person, the number of their rows, and the float64 mean of these."""
    names, code, rows = np.unique(persons, return_inverse=True, return_counts=True)
    means = [values[code == at].mean(axis=0, dtype=np.float64) for at in range(len(names))]
    return names, rows, np.array(means)


def _rms(differences: np.ndarray) -> np.ndarray:
    return np.sqrt((differences**2).mean(axis=1))
