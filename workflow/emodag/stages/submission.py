"""Turn the last generation's blended probabilities into a submission."""

import csv
from pathlib import Path

import numpy as np

from emodag.science.pseudo_label import decided
from emodag.science.tables.matrices import read_columns, read_probabilities
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `submission.csv`: each test row's id and predicted class, below `ID` and `Predicted`.

    Parameters
    ----------
    inputs : `probabilities`, blended, of which the first are the test rows'; `rows`, their ids.
    params : `boost`, one factor per class; `ids`, whether to write the table's ids or row numbers;
        `heads`, two other names of the columns, if asked for; `names` of the classes, to be written
        in place of their codes, if asked for.
    """
    ids = read_columns(inputs["rows"])["id"]
    probabilities = read_probabilities(inputs["probabilities"])[: len(ids)]
    predicted = decided(probabilities, params["boost"])
    ids = ids if params["ids"] else np.arange(len(ids))
    written = predicted.tolist()
    if names := params.get("names"):
        written = [names[code] for code in written]
    with (output / "submission.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(params.get("heads", ["ID", "Predicted"]))
        writer.writerows(zip(ids.tolist(), written, strict=True))
