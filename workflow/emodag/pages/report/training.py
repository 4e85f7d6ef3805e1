"""How the fits went: loss and held-out F1 by epoch, a line for each fold."""

import numpy as np

from emodag.pages.drawing import MAIN, SERIES, Figure, Values, axes_of, legend_of, settings
from emodag.pages.page_parts import MOST_FOLDS, Section
from emodag.pages.report.run import Run
from emodag.pages.words import brief, capital, extent, number, title

DASHES = ("solid", (0, (4, 1.5)), (0, (1, 1)))
"""How lines are drawn that share a colour, and so that colour alone tells nothing apart."""


def section(run: Run) -> Section:
    """A figure for each stage of each protocol."""
    seed = run.seeds[0]
    teacher = (
        " The teacher of the published protocol learns from everybody, so it holds nobody out."
    )
    text = (
        f"Training loss (with mixup and reconstruction) and macro-F1 on the held-out rows, by "
        f"epoch, of every fit of run seed {seed}; a line for each fold." + teacher * run.has_pool
    )
    figures = [
        _figure(run, protocol, seed, stage)
        for protocol in run.protocols
        for stage in _stages(run, protocol)
    ]
    return Section("training", "Training", [text, figures])


def _stages(run: Run, protocol: str) -> list[str]:
    """The stages of a protocol that fit, the published teacher after stage 0."""
    found = run.stages(protocol)
    if protocol == "published" and run.has_pool:
        found = ["stage0", "gen0", *(stage for stage in found if stage != "stage0")]
    return found


def _figure(run: Run, protocol: str, seed: int, stage: str) -> Figure:
    parts = run.parts(protocol) if stage == "gen0" else [f"fold{fold}" for fold in run.folds]
    fits = {
        part.replace("fold", "fold "): run.history(protocol, seed, f"{stage}/{part}")
        for part in parts
    }
    name = f"{protocol}, {title(stage)}"
    scored = all("macro_f1" in fit for fit in fits.values())
    values = Values(f"training {name}", "curve", "epoch", *fits)
    with settings(f"training-{protocol}-{stage}"):
        drawing, axes = axes_of(2.6, 1, 2) if scored else axes_of(2.6)
        loss, f1 = axes if scored else (axes, None)
        for at, (part, fit) in enumerate(fits.items()):
            dashes = DASHES[at // len(SERIES) % len(DASHES)]
            line = {"color": SERIES[at % len(SERIES)], "linewidth": 1.2, "linestyle": dashes}
            if len(fits) > MOST_FOLDS:
                line = {"color": MAIN, "linewidth": 0.8, "alpha": 0.4}
            loss.plot(fit["epoch"], fit["loss"], label=part, **line)
            if scored:
                f1.plot(fit["epoch"], fit["macro_f1"], **line)
        loss.set_ylabel("loss")
        _epochs(loss, values, "loss", fits)
        if scored:
            f1.set_ylabel("macro-F1")
            f1.set_ylim(0, 1)
            _epochs(f1, values, "macro_f1", fits)
        if 1 < len(fits) <= MOST_FOLDS:
            drawing.legend(loc="outside upper center", **legend_of([*fits]))
        told = f"{name}: last loss {extent([fit['loss'][-1] for fit in fits.values()], number)}"
        if scored:
            told += f", macro-F1 {extent([fit['macro_f1'][-1] for fit in fits.values()], brief)}"
            best = extent(
                [int(fit["epoch"][fit["macro_f1"].argmax()]) for fit in fits.values()], str
            )
            told += f"; best epoch {best}"
        return values.figure(drawing, f"Training, {told}.", f"{capital(told)}.")


def _epochs(axes, values: Values, what: str, fits: dict[str, dict[str, np.ndarray]]) -> None:
    """Mark each epoch with what every fold's fit came to."""
    axes.set_xlabel("epoch")
    axes.locator_params(axis="x", integer=True)
    curves = np.column_stack([fit[what] for fit in fits.values()]).tolist()
    for epoch, found in zip(next(iter(fits.values()))["epoch"].tolist(), curves, strict=True):
        values.column(axes, epoch - 0.5, epoch + 0.5, what.replace("_f1", "-F1"), epoch, *found)
