"""What a difference between two runs comes to: people, labels, predictions and scores that move."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from emodag.science.pseudo_label import decided


def moved_persons(persons: np.ndarray, a: np.ndarray, b: np.ndarray) -> list[dict[str, Any]]:
    """The people whom two runs put into different folds, by their ids' order.

    Parameters
    ----------
    persons : (n,) integers or text, the person of each row.
    a, b : (repeats, n) integers, the fold of each row; one person's rows share a fold.

    Returns
    -------
    Objects with `person` (as text), and the folds `a` and `b`, in the first repeat that differs.
    """
    ids, first = np.unique(persons, return_index=True)
    return [
        {"person": str(person), "a": int(a[repeats[0], row]), "b": int(b[repeats[0], row])}
        for person, row in zip(ids.tolist(), first.tolist(), strict=True)
        if len(repeats := np.flatnonzero(a[:, row] != b[:, row]))
    ]


def pseudo_label_changes(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]
) -> dict[str, int]:
    """How two sets of pseudo-labels differ.

    Parameters
    ----------
    a, b : rows and labels, integers of one shape (m,); each row at most once in a set.

    Returns
    -------
    `a`, `b`: how many there are; `gained`, `lost`: rows that only `b`, only `a` labels; `flipped`:
    rows that both label, otherwise.
    """
    (rows_a, labels_a), (rows_b, labels_b) = a, b
    _, in_a, in_b = np.intersect1d(rows_a, rows_b, assume_unique=True, return_indices=True)
    return {
        "a": len(rows_a),
        "b": len(rows_b),
        "gained": len(rows_b) - len(in_b),
        "lost": len(rows_a) - len(in_a),
        "flipped": int(np.count_nonzero(labels_a[in_a] != labels_b[in_b])),
    }


def flipped_predictions(a: np.ndarray, b: np.ndarray, *, boost: Sequence[float]) -> dict[str, int]:
    """How many rows a submission made of `b` would predict otherwise than one made of `a`.

    Parameters
    ----------
    a, b : (n, classes) float32 probabilities.
    boost : one factor per class, see `decided`.
    """
    left, right = (decided(x, boost) for x in (a, b))
    return {"rows": len(left), "flipped": int(np.count_nonzero(left != right))}


def compared(a: float, b: float) -> dict[str, float]:
    """A score on both sides, and how much higher it is in `b`."""
    return {"a": a, "b": b, "difference": b - a}


def mean_of(scores: list[dict[str, float]]) -> dict[str, float]:
    """The means over folds of scores from `compared`."""
    return compared(*(float(np.mean([score[side] for score in scores])) for side in "ab"))
