"""Train the paper's leaky baseline: one fold of a KFold that ignores who a row belongs to."""

from pathlib import Path

from emodag.stages.fitting import fit_and_write
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write the fit's files; inputs and params are those of `fit_and_write`.

    The epoch it reports is chosen on the held-out rows, so it has seen every label.
    """
    how = {"reports_best_epoch": True, "predicts_pool": False}
    fit_and_write("stage0", inputs, params, output, context, **how)
