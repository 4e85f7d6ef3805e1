"""Train generation 0 on labelled rows alone, predict the pool, and score it on a fold's persons."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emodag.stages.fitting import fit_and_write
from ledger.context import Context


def run(
    inputs: Mapping[str, Path], params: Mapping[str, Any], output: Path, context: Context
) -> None:
    """Write the fit's files; inputs and params are those of `fit_and_write`."""
    fit_and_write("teacher", inputs, params, output, context, watches=False)
