"""Simulated people whom models know more or less about: matrices of what they take them for."""

import numpy as np

TYPICAL = np.array(
    [[60, 20, 12, 8], [25, 48, 17, 10], [15, 25, 45, 15], [25, 15, 20, 40]], np.float64
)
"""How many of 100 rows of each class are taken for each class, over all people."""


def people(
    rng: np.random.Generator,
    *,
    persons: int,
    folds: int,
    models: int = 1,
    seeds: int = 1,
    better: tuple[float, ...] = (),
) -> np.ndarray:
    """(models, seeds, folds, persons, 4, 4) int64 counts.

    A person is easy or hard for every model alike, and then for each one by itself, and has between
    some twenty and a few hundred rows in classes of unequal size. `better` says of the first models
    which share of the mistakes they do not make.
    """
    person = _shares(rng, 0.08 * np.broadcast_to(TYPICAL, (persons, 4, 4)))
    model = _shares(rng, 10 * np.broadcast_to(person, (models, persons, 4, 4)))
    for at, share in enumerate(better):
        model[at] += share * (np.eye(4) - model[at])
    run = _shares(rng, 60 * np.broadcast_to(model[:, None], (models, seeds, persons, 4, 4)))
    rows = 10 + rng.lognormal(np.log(120), 0.5, persons).astype(np.int64)
    sizes = rng.multinomial(rows, _shares(rng, np.tile([4.0, 3.0, 2.0, 1.0], (persons, 1))))
    counts = rng.multinomial(np.broadcast_to(sizes, run.shape[:-1]), run)
    held_out = np.arange(persons) % folds == np.arange(folds)[:, None]
    return counts[:, :, None] * held_out[:, :, None, None]


def _shares(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """Draws from Dirichlet distributions along the last axis."""
    drawn = rng.standard_gamma(weights) + 1e-12
    return drawn / drawn.sum(axis=-1, keepdims=True)
