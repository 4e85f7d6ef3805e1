"""What was predicted of each person in each fold."""

import numpy as np

from emodag.science.scores.class_scores import confusion_by_group


def fold_confusions(
    labels: np.ndarray,
    predicted: np.ndarray,
    fold: np.ndarray,
    person: np.ndarray,
    *,
    folds: int,
    classes: int,
) -> np.ndarray:
    """Confusion matrices by fold and person.

    Parameters
    ----------
    labels, predicted : (n,) integer codes below `classes`.
    fold, person : (n,) the fold that held each row out, and the code of whose row it is, from 0 on.

    Returns
    -------
    (folds, persons, classes, classes) int64.
    """
    persons = int(person.max()) + 1
    counts = confusion_by_group(
        labels,
        predicted,
        fold.astype(np.int64) * persons + person,
        groups=folds * persons,
        classes=classes,
    )
    return counts.reshape(folds, persons, classes, classes)
