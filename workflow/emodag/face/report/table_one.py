"""The report's Table I for this run: every stage's score by fold, with its pseudo-labels."""

from collections.abc import Iterator

import numpy as np

from emodag.face.page_parts import NONE, Table
from emodag.face.report.answer import hidden_scores
from emodag.face.report.parts import Section, stage_name
from emodag.face.report.run import Run
from emodag.face.words import brief

TITLE = "Scores by stage and fold"


def section(run: Run) -> Section:
    """Table I, a table for each protocol."""
    return Section("scores", TITLE, [_how(run), *(_table(run, p) for p in run.protocols)])


def _how(run: Run) -> str:
    leaky = "published" in run.protocols
    several = ", a mean over the run seeds" if len(run.seeds) > 1 else ""
    return (
        f"Macro-F1 on the rows that each fold holds out{several}. The generations hold whole "
        "persons out" + ("; stage 0 splits rows and ignores persons." if leaky else ".")
    )


def _table(run: Run, protocol: str) -> Table:
    heads = ["Stage", *(f"fold {fold}" for fold in run.folds), "mean", "sd of folds"]
    heads += ["last epoch", "pseudo-labels"]
    heads += ["sd of seeds"] if len(run.seeds) > 1 else []
    heads += ["hidden people"] if run.leaderboard else []
    return Table(
        f"Table I, {protocol} protocol",
        heads,
        [[stage_name(stage), *_cells(run, protocol, stage)] for stage in run.stages(protocol)],
        "Folds and mean are of the best epoch, as the report's; “last epoch” is the mean of the "
        "weights that are used further."
        if protocol == "published"
        else "Folds and mean are of the last epoch; no model has seen the labels it is scored on.",
    )


def _cells(run: Run, protocol: str, stage: str) -> Iterator[str]:
    fits = [list(run.fits(protocol, seed, stage)) for seed in run.seeds]
    scores = np.array([[fit["macro_f1"] for fit in seed] for seed in fits])
    last = np.array([[fit["macro_f1_last_epoch"] for fit in seed] for seed in fits])
    folds = scores.mean(axis=0)
    yield from map(brief, folds)
    yield brief(folds.mean())
    yield brief(float(np.std(folds, ddof=1)))
    yield brief(last.mean())
    yield _counts([fit["n_pseudo"] for seed in fits for fit in seed])
    if len(run.seeds) > 1:
        yield brief(float(np.std(scores.mean(axis=1), ddof=1)))
    if run.leaderboard:
        hidden = hidden_scores(run, protocol, stage)
        yield brief(float(np.mean(hidden))) if hidden else NONE


def _counts(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    if not high:
        return NONE
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
