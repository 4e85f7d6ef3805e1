"""Scores from a confusion matrix."""

import numpy as np


def confusion(truth: np.ndarray, predicted: np.ndarray, *, classes: int) -> np.ndarray:
    """(classes, classes) int64 counts, true class by row, predicted class by column."""
    cells = truth.astype(np.int64) * classes + predicted
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def macro_f1(truth: np.ndarray, predicted: np.ndarray, *, classes: int) -> float:
    """Mean F1 over the classes that are true or predicted anywhere.

    Equal to scikit-learn's ``f1_score(truth, predicted, average="macro")``, whose classes are
    those present in either vector.

    Parameters
    ----------
    truth, predicted : (n,) integer codes below `classes`.
    """
    counts = confusion(truth, predicted, classes=classes)
    hits = np.diagonal(counts).astype(np.float64)
    total = counts.sum(axis=0) + counts.sum(axis=1)
    present = total > 0
    return float(np.mean(2.0 * hits[present] / total[present]))


def held_out_scores(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """The scores of a fit on the rows that it held out, by its last epoch; none without rows.

    Parameters
    ----------
    truth : (n,) integer class codes.
    probabilities : (n, classes) floats; of equal ones the first class is predicted.
    """
    if not len(truth):
        return {}
    predicted = probabilities.argmax(axis=1)
    f1 = macro_f1(truth, predicted, classes=probabilities.shape[1])
    return {
        "n_valid": len(truth),
        "macro_f1": f1,
        "macro_f1_last_epoch": f1,
        "accuracy": accuracy(truth, predicted),
    }


def accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Share of rows predicted right."""
    return float(np.mean(truth == predicted))
