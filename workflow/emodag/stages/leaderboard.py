"""Score each generation's blended test predictions against the true labels."""

import csv
from pathlib import Path

from emodag.science.pseudo_label import decided
from emodag.science.scores.scoring import accuracy, macro_f1
from emodag.science.tables.ingest import true_classes
from emodag.science.tables.matrices import read_columns, read_probabilities
from ledger.context import Context, Inputs, Params

COLUMNS = ("env", "protocol", "seed", "stage", "macro_f1", "accuracy", "n_test")


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `leaderboard.csv`, one row per blend: what its submission would have scored.

    Parameters
    ----------
    inputs : `truth`, the table of true labels; `rows`, the test rows' ids; and one role per entry
        of `blends`: its probabilities, of which the first are the test rows'.
    params : `label` and `id`, the tables' columns or null; `written`, how text is written, see
        `emodag.science.tables.ingest.open_table`; `classes`, their names; `boost`, one factor per
        class; `blends`, a list of objects with `role`, the first four columns, and `boost` where
        it is another.
    """
    ids = read_columns(inputs["rows"])["id"]
    truth = true_classes(inputs["truth"], ids, params, context.note)
    with (output / "leaderboard.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        for entry in params["blends"]:
            probabilities = read_probabilities(inputs[entry["role"]])[: len(truth)]
            predicted = decided(probabilities, entry.get("boost", params["boost"]))
            f1 = macro_f1(truth, predicted, classes=len(params["classes"]))
            share = accuracy(truth, predicted)
            writer.writerow({**entry, "macro_f1": f1, "accuracy": share, "n_test": len(truth)})
