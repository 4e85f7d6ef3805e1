"""The scores of a run with their intervals, all over the same people and seeds, and guessing."""

from functools import cache

import numpy as np

from emodag.pages.report.run import Run
from emodag.pages.words import brief
from emodag.science.folds import assignments
from emodag.science.scores.chance import Chance, chance
from emodag.science.scores.comparisons import own_scores
from emodag.science.scores.resampling import DIGITS, Estimate, estimate


class Intervals:
    """Estimates of the last epoch's macro-F1: only its predictions are kept for every row."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.of, self.own, self.chance = cache(self._of), cache(self._own), cache(self._chance)

    def _of(self, protocol: str, stage: str) -> Estimate:
        """The estimate of a stage of a protocol."""
        return estimate(self._run.counts(protocol, stage))

    def _own(self, protocol: str) -> np.ndarray:
        """(persons,) float64, each person's own macro-F1 under a protocol's last generation."""
        return own_scores(self._run.counts(protocol, self._run.last))

    def _chance(self, protocol: str) -> Chance:
        """What guessing comes to with the predictions of a protocol's last generation."""
        run, fold = self._run, assignments(self._run.fold_table, "group_fold")
        held_out = [run.held_out(protocol, seed, run.last).argmax(axis=2) for seed in run.seeds]
        folds = len(run.folds)
        return chance(
            run.labels,
            np.concatenate(held_out),
            run.person,
            np.concatenate([fold + folds * at for at in range(len(run.seeds))]),
            folds=folds * len(run.seeds),
            classes=len(run.classes),
        )

    def failing(self, protocol: str) -> list[int]:
        """Whose own score is no better than guessing: positions of persons, the lowest first."""
        own, high = self.own(protocol), self.chance(protocol).own
        lowest_first = np.argsort(own, kind="stable").tolist()
        is_failing = np.round(own, DIGITS) <= np.round(high, DIGITS)
        return [at for at in lowest_first if is_failing[at]]


def dotted(guessing: Chance, protocol: str) -> str:
    """What a caption says of the line at `guessing.mean`."""
    exchanged = ", or exchanged between persons of one class each" * np.isnan(guessing.own).any()
    return (
        f"Dotted: guessing, {brief(guessing.mean)}: what the {protocol} predictions score after "
        f"each person's labels were shuffled among that person's rows{exchanged}."
    )
