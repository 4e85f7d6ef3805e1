"""The scores of a run with their intervals, all over the same people and seeds."""

from functools import cache

import numpy as np

from emodag.pages.report.run import Run
from emodag.science.scores.resampling import Estimate, estimate


class Intervals:
    """Estimates of the last epoch's macro-F1: only its predictions are kept for every row."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.of = cache(self._of)

    def _of(self, protocol: str, stage: str) -> Estimate:
        """The estimate of a stage of a protocol."""
        run = self._run
        return estimate(np.stack([run.confusions(protocol, seed, stage) for seed in run.seeds]))
