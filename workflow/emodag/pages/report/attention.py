"""Which features the models let through, and whether the folds agree."""

import numpy as np
from safetensors.numpy import load_file

from emodag.pages.drawing import FAINT, MAIN, Figure, Values, axes_of, name_rows, settings
from emodag.pages.page_parts import Section
from emodag.pages.report.features import scaled_rows
from emodag.pages.report.run import Run
from emodag.pages.words import brief, percent, short, title
from emodag.science.fit.attention import mean_gate, rank_agreement, shared_top
from ledger.words import plural

SHOWN = 15
"""Features that the figure shows at either end."""


def section(run: Run) -> Section:
    """The gates of the last generation's models, fold by fold."""
    gates = np.stack([_gate(run, fold) for fold in run.folds])
    top = min(20, gates.shape[1])
    agreement = rank_agreement(gates)
    text = (
        "The gate multiplies every feature by a number from 0 to 1, which depends on the whole row "
        f"and starts at about 0.5. Means over rows, {title(run.last)} of the "
        f"{run.params['look']['protocol']} protocol, run seed {run.params['look']['seed']}. "
        f"Between two folds the features' ranks correlate by {brief(agreement)} "
        f"(Spearman), and {percent(shared_top(gates, top=top))} of one fold's {top} most open "
        f"gates are among another's; chance would give {percent(top / gates.shape[1])}. "
        f"{_verdict(agreement)}"
    )
    return Section("attention", "Attention", [text, _figures(run, gates)])


def _verdict(agreement: float) -> str:
    if agreement < 0.3:
        return "So the gate tells more about a single fit than about the features."
    if agreement < 0.7:
        return "So the folds agree in part on what matters."
    return "So the folds agree on what matters."


def _gate(run: Run, fold: int) -> np.ndarray:
    look = run.params["look"]
    home = f"{look['protocol']}/seed{look['seed']}/{run.last}/fold{fold}"
    part = "all" if look["protocol"] == "published" else f"fold{fold}"
    return mean_gate(load_file(run.inputs[f"{home}/weights.safetensors"]), scaled_rows(run, part))


def _figures(run: Run, gates: np.ndarray) -> list[Figure]:
    order = np.argsort(-gates.mean(axis=0), kind="stable")
    shown = min(SHOWN, (len(order) + 1) // 2)
    ends = {"most open": order[:shown], "most closed": order[::-1][: min(shown, len(order) // 2)]}
    span = (float(gates.min()), float(gates.max()))
    return [_figure(run, name, gates[:, at], at, span) for name, at in ends.items()]


def _figure(run: Run, name: str, gates: np.ndarray, at: np.ndarray, span: tuple) -> Figure:
    names = [run.features[column] for column in at]
    values = Values(f"gates {name}", "feature", "mean gate", "lowest fold", "highest fold")
    with settings(f"attention-{name}"):
        drawing, axes = axes_of(0.9 + 0.24 * len(names))
        for row, each in enumerate(gates.T):
            axes.plot([each.min(), each.max()], [row, row], color=FAINT, linewidth=1)
            axes.plot(each, [row] * len(each), "o", color=MAIN, markersize=4, alpha=0.6)
            ends = (float(show(each)) for show in (np.mean, np.min, np.max))
            values.row(axes, row, names[row], *ends)
        name_rows(axes, short(names), fontsize=8.5)
        margin = 0.03 * (span[1] - span[0])
        axes.set_xlim(span[0] - margin, span[1] + margin)
        axes.set_xlabel("mean gate")
        told = f"{plural(len(names), 'feature')} whose gates are {name}"
        listed = ", ".join(
            f"{text} {brief(mean)}" for text, mean in zip(names, gates.mean(axis=0), strict=True)
        )
        caption = f"The {told}; a dot for each fold's model."
        return values.figure(drawing, f"The {told}: {listed}.", caption)
