"""Scores by class, of one confusion matrix or of many at once."""

import numpy as np

from emodag.science.scores.scoring import confusion


def by_class(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall, F1 and number of rows of each class.

    Parameters
    ----------
    counts : (..., classes, classes) integers, true class by row, predicted class by column.

    Returns
    -------
    `precision`, `recall`, `f1`: (..., classes) float64, NaN where there is nothing to divide by, as
    for the precision of a class that is never predicted; `support`: (..., classes) counts.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    predicted, true = counts.sum(axis=-2), counts.sum(axis=-1)
    return {
        "precision": _share(hits, predicted),
        "recall": _share(hits, true),
        "f1": _share(2 * hits, predicted + true),
        "support": true,
    }


def macro_f1_of(counts: np.ndarray) -> np.ndarray:
    """(...) float64: the mean F1 over the classes that are true or predicted anywhere.

    As `emodag.science.scores.scoring.macro_f1`; NaN for a matrix without any row.
    """
    return macro_f1_of_sums(f1_sums(counts))


def f1_sums(counts: np.ndarray) -> np.ndarray:
    """What the F1 of classes is made of; it adds up over rows, as the matrices do.

    Parameters
    ----------
    counts : (..., classes, classes) integers, as in `by_class`.

    Returns
    -------
    (..., 2 * classes) integers: of each class its hits twice, then its true and predicted rows.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    return np.concatenate([2 * hits, counts.sum(axis=-2) + counts.sum(axis=-1)], axis=-1)


def macro_f1_of_sums(sums: np.ndarray) -> np.ndarray:
    """`macro_f1_of` from the (..., 2 * classes) numbers of `f1_sums`."""
    hits, rows = np.split(sums, 2, axis=-1)
    f1 = np.divide(hits, rows, out=np.zeros(hits.shape), where=rows > 0)
    return _share(f1.sum(axis=-1), np.count_nonzero(rows, axis=-1))


def confusions(
    truth: np.ndarray,
    predicted: np.ndarray,
    place: tuple[np.ndarray | int, ...],
    shape: tuple[int, ...],
    *,
    classes: int,
) -> np.ndarray:
    """(*shape, classes, classes) int64 counts, one matrix for each place, as a person in a fold.

    Parameters
    ----------
    truth, predicted : integer codes below `classes`.
    place : of each row where it belongs, an integer code for each dimension of `shape`. All these
        are broadcast against each other.
    """
    group = np.ravel_multi_index(place, shape)
    joint = (group * classes + truth) * classes + predicted
    counts = np.bincount(joint.ravel(), minlength=int(np.prod(shape)) * classes * classes)
    return counts.reshape(*shape, classes, classes)


def cohens_kappa(a: np.ndarray, b: np.ndarray, *, classes: int) -> float:
    """Agreement beyond chance of two labellings of the same rows (Cohen 1960).

    Parameters
    ----------
    a, b : (n,) integer codes below `classes`.

    Returns
    -------
    1 for equal labellings; NaN where both give every row the same one class.
    """
    counts = confusion(a, b, classes=classes).astype(np.float64)
    total = counts.sum()
    observed = np.trace(counts) / total
    chance = float(counts.sum(axis=0) @ counts.sum(axis=1)) / total**2
    return float("nan") if chance == 1 else float((observed - chance) / (1 - chance))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
