"""From one generation to the next: the balance of classes, and how far predictions agree."""

from itertools import combinations

import numpy as np

from emodag.pages.drawing import (
    MOST_NAMED,
    Figure,
    Values,
    axes_of,
    legend_of,
    name_rows,
    settings,
    stacked,
)
from emodag.pages.page_parts import NONE, Section, Table, shown
from emodag.pages.report.run import Run
from emodag.pages.words import brief, capital, percent, title
from emodag.science.scores.class_scores import cohens_kappa


def section(run: Run) -> Section:
    """Class balance of what is learnt from and predicted, and agreement."""
    seed = run.seeds[0]
    shifts = (
        "What students learn from shifts with the pseudo-labels, and what is predicted with it."
    )
    boosted = any(factor != 1 for factor in run.params["boost"])
    tested = (
        f" Predictions of the test rows are the blends' (run seed {seed})"
        f"{', boosted as the submission is' * boosted}."
    )
    text = f"{shifts}{tested * run.has_test} Cohen's kappa is the agreement beyond chance."
    figures = [_figure(run, protocol, seed) for protocol in run.protocols]
    return Section("generations", "Generations", [text, figures, _agreement(run, seed)])


def _balances(run: Run, protocol: str, seed: int) -> dict[str, np.ndarray]:
    """By what it is of, the share of each class."""
    found = {"training labels": run.labels}
    for number in run.generations:
        parts = (run.pseudo_labels(protocol, seed, number, p) for p in run.parts(protocol))
        found[f"pseudo-labels {number}"] = np.concatenate([part["label"] for part in parts])
        if run.has_test:
            found[f"test predictions {number}"] = run.answers(protocol, seed, f"gen{number}")
    if run.truth is not None:
        found["test truth"] = run.truth
    size = len(run.classes)
    return {
        name: np.bincount(codes, minlength=size) / len(codes)
        for name, codes in found.items()
        if len(codes)
    }


def _figure(run: Run, protocol: str, seed: int) -> Figure:
    balances = _balances(run, protocol, seed)
    values = Values(f"balance {protocol}", "rows", "class", "share")
    with settings(f"balance-{protocol}"):
        drawing, axes = axes_of(1.4 + 0.32 * len(balances))
        stacked(axes, values, [*balances], run.classes, np.array(list(balances.values())))
        name_rows(axes, [*balances])
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of rows")
        if len(run.classes) <= MOST_NAMED:
            drawing.legend(loc="outside upper center", **legend_of(run.classes))
        told = "; ".join(
            f"{name}: "
            + ", ".join(
                f"{label} {percent(share)}" for label, share in zip(run.classes, each, strict=True)
            )
            for name, each in balances.items()
        )
        caption = (
            f"{capital(protocol)}: share of each class in what students learn from and predict."
        )
        return values.figure(drawing, f"Class balance, {protocol}. {told}.", caption)


def _agreement(run: Run, seed: int) -> Table:
    heads = ["Compared", "held-out rows agree", "kappa"]
    heads += ["test rows agree", "kappa"] * run.has_test
    rows = []
    for protocol in run.protocols:
        for a, b in combinations(run.stages(protocol), 2):
            name = f"{protocol}: {title(a)} and {title(b)}"
            rows.append([name, *_agreeing(run, (protocol, a), (protocol, b), seed)])
    for a, b in combinations(run.protocols, 2):
        name = f"{a} and {b}, {title(run.last)}"
        rows.append([name, *_agreeing(run, (a, run.last), (b, run.last), seed)])
    return Table(
        "Agreement between generations and protocols",
        heads,
        [[capital(row[0]), *row[1:]] for row in rows],
    )


def _agreeing(run: Run, a: tuple[str, str], b: tuple[str, str], seed: int) -> list[str]:
    held = (run.held_out(protocol, seed, stage).argmax(axis=2) for protocol, stage in (a, b))
    cells = _cells(run, *(codes.ravel() for codes in held))
    if not run.has_test:
        return cells
    if "stage0" in (a[1], b[1]):  # it predicts no test rows
        return [*cells, NONE, NONE]
    return cells + _cells(run, *(run.answers(p, seed, stage) for p, stage in (a, b)))


def _cells(run: Run, a: np.ndarray, b: np.ndarray) -> list[str]:
    kappa = cohens_kappa(a, b, classes=len(run.classes))
    return [percent(float(np.mean(a == b))), shown(kappa, brief)]
