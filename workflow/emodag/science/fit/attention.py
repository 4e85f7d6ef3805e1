"""What the gate of a fitted network lets through, and whether several networks agree on it."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np


def mean_gate(weights: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """(p,) float64 mean over rows of what each feature is multiplied by, from 0 to 1.

    Parameters
    ----------
    weights : the network's tensors by name; see `emodag.science.fit.model.Gate`.
    x : (n, p) float32 scaled features.
    """
    hidden = np.maximum(x @ weights["gate.squeeze.weight"].T, 0)
    logits = (hidden @ weights["gate.excite.weight"].T).astype(np.float64)
    return (0.5 * (1 + np.tanh(0.5 * logits))).mean(axis=0)


def rank_agreement(gates: np.ndarray) -> float:
    """Mean Spearman correlation of every two rows of (networks, p), without regard to ties."""
    ranks = gates.argsort(axis=1, kind="stable").argsort(axis=1)
    found = np.corrcoef(ranks)
    return float(np.mean([found[a, b] for a, b in combinations(range(len(gates)), 2)]))


def shared_top(gates: np.ndarray, *, top: int) -> float:
    """Mean share of the `top` features of one network that are so in another, too."""
    best = [set(row.tolist()) for row in np.argsort(-gates, axis=1, kind="stable")[:, :top]]
    return float(np.mean([len(a & b) / top for a, b in combinations(best, 2)]))
