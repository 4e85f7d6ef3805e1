"""Settings to try next, from the scores of those that were tried."""

from collections.abc import Sequence

import numpy as np

from emodag.science.seeds import generator


def suggested(
    choices: Sequence[int | None],
    shares: np.ndarray,
    scores: np.ndarray,
    *,
    seed: int,
    number: int,
    count: int,
) -> np.ndarray:
    """Trials by the tree-structured Parzen estimator, all at once and each unlike the others.

    Bergstra et al. 2011, NeurIPS 24; by Optuna, whose trials that still run count as poor ones.

    Parameters
    ----------
    choices : for each key how many values there are to choose from, None for a range.
    shares : (trials, keys) where the trials before lie, as shares of the way through each entry.
    scores : (trials,) the higher the better.
    seed, number : of the search, and of the round; another one draws others.
    count : how many to suggest.

    Returns
    -------
    (count, keys) float64 shares, from 0 to below 1.

    Raises
    ------
    ModuleNotFoundError
        Without Optuna.
    """
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    below = float(np.nextafter(1, 0))
    space = {
        str(key): CategoricalDistribution(range(many)) if many else FloatDistribution(0, below)
        for key, many in enumerate(choices)
    }
    sampler = optuna.samplers.TPESampler(
        multivariate=True,
        constant_liar=True,
        seed=int(generator(seed, "search", number).integers(2**31)),
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for row, score in zip(shares.tolist(), scores.tolist(), strict=True):
        places = [
            int(share * many) if many else share for share, many in zip(row, choices, strict=True)
        ]
        told = dict(zip(space, places, strict=True))
        study.add_trial(optuna.create_trial(params=told, distributions=space, value=score))
    asked = [study.ask(space).params for _ in range(count)]
    return np.array(
        [
            [(p[k] + 0.5) / m if m else p[k] for k, m in zip(space, choices, strict=True)]
            for p in asked
        ],
        np.float64,
    )
