"""The scores of a run with their intervals, all from the same draws of people and seeds."""

from functools import cache
from typing import NamedTuple

import numpy as np

from emodag.pages.report.run import Run
from emodag.science.scores.resampling import draws, fold_means, over_seeds, percentiles
from emodag.science.seeds import generator

REPLICATES = 2000
"""Samples of people and seeds that an interval is taken from."""


class Estimate(NamedTuple):
    """A score, a mean over seeds and folds, and its bootstrap.

    Attributes
    ----------
    value : the score.
    replicates : (REPLICATES,) the score of each sample of people and seeds.
    """

    value: float
    replicates: np.ndarray

    @property
    def interval(self) -> list[float]:
        """The ends of the 95 % percentile interval."""
        return percentiles(self.replicates)

    def __sub__(self, other: "Estimate") -> "Estimate":
        """How much higher this one is, in the same samples."""
        return Estimate(self.value - other.value, self.replicates - other.replicates)


class Intervals:
    """Estimates of the last epoch's macro-F1: only its predictions are kept for every row."""

    def __init__(self, run: Run) -> None:
        self._run = run
        persons, seeds = len(run.persons), len(run.seeds)
        rng = generator("report", "persons")
        self._people = draws(persons, replicates=REPLICATES, rng=rng)
        self._seeds = draws(seeds, replicates=REPLICATES, rng=generator("report", "seeds"))
        self.of = cache(self._of)

    def _of(self, protocol: str, stage: str) -> Estimate:
        """The estimate of a stage of a protocol."""
        counts = [self._run.confusions(protocol, seed, stage) for seed in self._run.seeds]
        everybody = np.ones((1, self._people.shape[1]), np.int64)
        value = float(np.mean([fold_means(each, everybody) for each in counts]))
        scores = np.stack([fold_means(each, self._people) for each in counts])
        return Estimate(value, over_seeds(scores, self._seeds))
