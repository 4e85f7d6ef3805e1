"""Every stage's score by fold, with its pseudo-labels, as in the paper's Table I."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from emodag.pages.page_parts import MOST_FOLDS, NONE, Section, Table
from emodag.pages.report.answer import hidden_scores
from emodag.pages.report.run import Run
from emodag.pages.words import brief, capital, extent, title
from ledger.words import plural

TITLE = "Scores by stage and fold"

ROWS = (22_496, 10_656)
"""How many training and test rows the competition's tables have."""


class Published(NamedTuple):
    """What the paper's Table I says of a stage, and how many pseudo-labels it names."""

    folds: tuple[float, ...]
    pseudo_labels: int


PUBLISHED = {
    "stage0": Published((0.9208, 0.9182, 0.9108, 0.9216, 0.9174), 0),
    "gen1": Published((0.3724, 0.6725, 0.5064, 0.3593, 0.4163), 3488),
    "gen2": Published((0.3934, 0.6969, 0.5154, 0.3549, 0.5294), 5551),
}
"""By stage; from *Robust Emotion Recognition via Attentive Denoising Autoencoders and Iterative
Self-Training*, section IV."""


def section(run: Run) -> Section:
    """A table for each protocol, and where folds are many, another of all of them."""
    blocks: list = [_how(run)]
    for protocol in run.protocols:
        blocks.append(_table(run, protocol))
        if len(run.folds) > MOST_FOLDS:
            blocks.append(_every_fold(run, protocol))
    return Section("scores", TITLE, blocks)


def _how(run: Run) -> str:
    leaky = "published" in run.protocols
    several = ", a mean over the run seeds" if len(run.seeds) > 1 else ""
    each = run.params["folds"]
    again = f" Each {each} folds in a row hold everybody out once." if run.repeats > 1 else ""
    return (
        f"Macro-F1 on the rows that each fold holds out{several}. The generations hold whole "
        "persons out" + ("; stage 0 splits rows and ignores persons." if leaky else ".") + again
    )


def _table(run: Run, protocol: str) -> Table:
    few = [f"fold {fold}" for fold in run.folds]
    ends = ["lowest fold", "highest fold"]
    heads = ["Stage", *(few if len(few) <= MOST_FOLDS else ends), "mean", "sd of folds"]
    heads += ["last epoch", "pseudo-labels"]
    heads += ["sd of seeds"] if len(run.seeds) > 1 else []
    heads += ["hidden people"] if run.leaderboard else []
    rows = []
    for stage in run.stages(protocol):
        rows.append([capital(title(stage)), *_cells(run, protocol, stage)])
        if protocol == "published" and _is_competition(run) and stage in PUBLISHED:
            told = [f"{capital(title(stage))}, the paper", *_published(PUBLISHED[stage])]
            rows.append(told + [NONE] * (len(heads) - len(told)))
    return Table(
        f"Every stage, {protocol} protocol",
        heads,
        rows,
        "Folds and mean are of the best epoch, as the paper reports them; “last epoch” is the mean "
        "of the weights that are used further."
        if protocol == "published"
        else "Folds and mean are of the last epoch; no model has seen the labels it is scored on.",
    )


def _every_fold(run: Run, protocol: str) -> Table:
    """A row for each fold: whom it holds out, and the score of each stage."""
    stages = run.stages(protocol)
    scores = np.stack([_scores(run, protocol, stage).mean(axis=0) for stage in stages], axis=1)
    rows = [
        [f"fold {fold}", _whom(run, fold), *map(brief, scores[at])]
        for at, fold in enumerate(run.folds)
    ]
    heads = ["Fold", "persons held out", *map(title, stages)]
    note = "The rows that stage 0 holds out are of all persons." if "stage0" in stages else ""
    return Table(f"Every fold, {protocol} protocol", heads, rows, note)


def _whom(run: Run, fold: int) -> str:
    found = np.flatnonzero((run.folds_of == fold).any(axis=0))
    return plural(len(found), "person") if len(found) > 1 else run.persons[found[0]]


def _is_competition(run: Run) -> bool:
    """Whether the data are, by their size, those of the paper, in as many folds."""
    return (
        not run.is_synthetic
        and (len(run.labels), len(run.test_rows)) == ROWS
        and len(run.folds) == len(PUBLISHED["gen1"].folds)
    )


def _published(stage: Published) -> Iterator[str]:
    yield from map(brief, stage.folds)
    yield brief(float(np.mean(stage.folds)))
    yield brief(float(np.std(stage.folds, ddof=1)))
    yield NONE
    yield _counts([stage.pseudo_labels])


def _cells(run: Run, protocol: str, stage: str) -> Iterator[str]:
    fits = [list(run.fits(protocol, seed, stage)) for seed in run.seeds]
    scores = _scores(run, protocol, stage)
    last = np.array([[fit["macro_f1_last_epoch"] for fit in seed] for seed in fits])
    folds = scores.mean(axis=0)
    yield from map(brief, folds if len(folds) <= MOST_FOLDS else (folds.min(), folds.max()))
    yield brief(folds.mean())
    yield brief(float(np.std(folds, ddof=1)))
    yield brief(last.mean())
    yield _counts([fit["n_pseudo"] for seed in fits for fit in seed])
    if len(run.seeds) > 1:
        yield brief(float(np.std(scores.mean(axis=1), ddof=1)))
    if run.leaderboard:
        hidden = hidden_scores(run, protocol, stage)
        yield brief(float(np.mean(hidden))) if hidden else NONE


def _scores(run: Run, protocol: str, stage: str) -> np.ndarray:
    """(seeds, folds) the macro-F1 as the protocol reports it."""
    fits = (run.fits(protocol, seed, stage) for seed in run.seeds)
    return np.array([[fit["macro_f1"] for fit in seed] for seed in fits])


def _counts(counts: list[int]) -> str:
    return extent(counts, "{:,}".format) if any(counts) else NONE
