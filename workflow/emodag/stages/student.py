"""Train a student on labelled and pseudo-labelled rows; score it on the fold's held-out persons."""

from pathlib import Path

from emodag.stages.fitting import fit_and_write
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write the fit's files; inputs and params are those of `fit_and_write`.

    The paper's students halve their learning rate when the validation F1 stops rising and report
    their best epoch: they see the held-out labels, and the manifest says so. A leak-free student
    follows a fixed schedule and reports its last epoch.
    """
    is_published = "patience" in params["training"]["schedule"]
    fit_and_write("student", inputs, params, output, context, reports_best_epoch=is_published)
