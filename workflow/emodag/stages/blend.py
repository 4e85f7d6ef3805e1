"""Average the folds' class probabilities of the test rows."""

from pathlib import Path

from emodag.science.blending import mean_probabilities
from emodag.science.tables.matrices import probability_columns, read_probabilities, write_columns
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `test.parquet`, float32 probabilities.

    Parameters
    ----------
    inputs : `fold0`, `fold1`, ...: each fold's probabilities of the test rows.
    params : `folds`, their number.
    """
    members = [read_probabilities(inputs[f"fold{fold}"]) for fold in range(params["folds"])]
    write_columns(output / "test.parquet", probability_columns(mean_probabilities(members)))
