"""Mistakes to learn from: three idioms whose bits depend on NumPy or on the number of threads.

Nothing uses them unless `planted` in the configuration names them, to show that drift is found
and where. `batch_norm`, torch's own layer, is in `emodag.science.fit.model`; a fourth source,
scikit-learn's own folds, is `fold_assignment: scikit_learn`.
"""

import numpy as np


def promotion(scores: np.ndarray) -> np.ndarray:
    """`scores` times a third times three, with NumPy scalars.

    Before NumPy 2 a float64 scalar leaves an array its float32, and each product is rounded to it;
    from NumPy 2 on (NEP 50) it makes the array float64, rounded once, at the end.

    Parameters
    ----------
    scores : float32.

    Returns
    -------
    float32, of the same shape.
    """
    return (scores * np.float64(1 / 3) * np.float64(3)).astype(np.float32)


def threshold(confidence: np.ndarray, least: float) -> np.ndarray:
    """Which of `confidence`, (n,) float32, reach `least`, with a NumPy scalar.

    Before NumPy 2 the scalar is rounded to float32 first, so that 0.9 of float32 reaches 0.9; from
    NumPy 2 on the comparison is made in float64, where it does not.
    """
    return confidence >= np.float64(least)
