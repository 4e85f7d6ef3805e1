"""What a network is to say of each row it learns from, where that is more than the row's class."""

import numpy as np


def targets(
    labels: np.ndarray,
    *,
    classes: int,
    labelled: int,
    balanced: bool = False,
    smoothing: float = 0.0,
    soft: np.ndarray | None = None,
) -> np.ndarray:
    """The weight of each class's -log probability in each row's cross-entropy.

    Parameters
    ----------
    labels : (m,) class codes; those of the first `labelled` rows are known, others pseudo-labels.
    classes : number of classes.
    balanced : whether classes are weighed by their rows, see `class_weights`.
    smoothing : what part of each row's target goes to all classes alike (Szegedy et al. 2016).
    soft : (m - labelled, classes) probabilities in place of the pseudo-labels, by the weight of the
        highest one.

    Returns
    -------
    (m, classes) float32, of which rows of a known class are 1 there and 0 elsewhere by default.
    """
    found = np.zeros((len(labels), classes))
    found[np.arange(len(labels)), labels] = 1.0
    if soft is not None:
        found[labelled:] = soft.max(axis=1, keepdims=True) * soft.astype(np.float64)
    weights = found.sum(axis=1, keepdims=True)
    found = (1 - smoothing) * found + smoothing / classes * weights
    if balanced:
        found *= class_weights(labels[:labelled], classes=classes)
    return found.astype(np.float32)


def class_weights(labels: np.ndarray, *, classes: int) -> np.ndarray:
    """(classes,) float64: rows / (classes x rows of the class), scikit-learn's "balanced".

    Only classes that are there count; the others have a weight of 1.
    """
    counts = np.bincount(labels, minlength=classes)
    weights, there = np.ones(classes), counts > 0
    weights[there] = len(labels) / (there.sum() * counts[there])
    return weights
