"""Train generation 0 on labelled rows alone, predict the pool, and score it on a fold's persons."""

from pathlib import Path

from emodag.stages.fitting import fit_and_write
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write the fit's files; inputs and params are those of `fit_and_write`."""
    fit_and_write("teacher", inputs, params, output, context, watches=False)
