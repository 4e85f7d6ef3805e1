"""How much of a run's work is done, as far as its own jobs tell."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

EARLY = 0.05
"""What share of a long job must be done for the rest to be estimated from it."""

LIGHT = 1.0
"""Seconds that a job takes which is not long, until one has ended."""


@dataclass(frozen=True)
class Running:
    """A job that runs: its stage, for how many seconds, and which share of it is done if known."""

    stage: str
    seconds: float
    share: float | None = None

    @property
    def whole(self) -> float | None:
        """How long it will have taken; None where it is too early to tell."""
        return self.seconds / self.share if self.share and self.share >= EARLY else None


def share_done(
    counts: Mapping[str, int],
    ended: Mapping[str, Sequence[float]],
    running: Sequence[Running],
    long: Collection[str],
) -> float | None:
    """Which share of the jobs' seconds is over; None while nobody knows what a long job takes.

    Parameters
    ----------
    counts : how many jobs of each stage the run has.
    ended : the seconds of each job that has ended, by stage.
    running : those that have begun and not ended.
    long : the stages whose jobs take long, and about as long as each other's.
    """
    seen = {stage: list(seconds) for stage, seconds in ended.items() if seconds}
    for job in running:
        if job.whole is not None:
            seen.setdefault(job.stage, []).append(job.whole)
    takes = {stage: _mean(seconds) for stage, seconds in seen.items()}
    longs = [seconds for stage, seconds in takes.items() if stage in long]
    others = [seconds for stage, seconds in takes.items() if stage not in long]
    if not longs and any(counts.get(stage) for stage in long):
        return None
    usual = {stage: _mean(longs if stage in long else others or [LIGHT]) for stage in counts}
    usual |= takes
    done = sum(map(sum, ended.values())) + sum(job.seconds for job in running)
    left = sum(usual[stage] * count for stage, count in counts.items())
    left -= sum(usual.get(stage, 0) * len(seconds) for stage, seconds in ended.items())
    for job in running:
        expected = usual.get(job.stage, 0)
        left += max((job.whole or expected) - job.seconds, 0) - expected
    return done / (done + max(left, 0)) if done > 0 else None


def seconds_left(share: float | None, elapsed: float) -> float | None:
    """How long the rest takes, if it goes on as it went; None where that is not known."""
    return elapsed * (1 - share) / share if share else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)  # `statistics` takes milliseconds to import
