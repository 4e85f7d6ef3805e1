"""Find how sure a model should be, by its predictions of persons it has not learned from."""

import json
from pathlib import Path

import numpy as np

from emodag.science.tables.matrices import read_columns, stacked_probabilities
from emodag.science.temperature import fitted_temperature
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `temperature.json`: the `temperature`, and of how many `rows` and `persons` it is.

    It is 1, which changes nothing, where none is found.

    Parameters
    ----------
    inputs : `validation`, rows of an inner fit with probabilities; `rows`, labels and persons.
    """
    found, rows = read_columns(inputs["validation"]), read_columns(inputs["rows"])
    labels = rows["label"][found["row"]]
    persons = np.unique(rows["person"][found["row"]]).tolist()
    context.saw_labels_of(persons)
    temperature = fitted_temperature(stacked_probabilities(found), labels)
    if temperature is None:
        context.warn(
            f"no temperature is found (rows: {len(labels)}, persons: {len(persons)}), so "
            "probabilities stay as they are"
        )
    facts = {
        "temperature": temperature or 1.0,
        "rows": len(labels),
        "persons": len(persons),
    }
    (output / "temperature.json").write_text(json.dumps(facts, sort_keys=True, indent=1) + "\n")
