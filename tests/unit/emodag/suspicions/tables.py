"""Tables with people in them, and what is told of them."""

import json

import numpy as np
import pandas as pd

from emodag.stages import ingest

PEOPLE, WINDOWS = 6, 40


class Notes:
    """The part of a context that the stage uses."""

    def __init__(self):
        self.notes, self.warnings, self.workers = [], [], 1

    def note(self, message):
        self.notes.append(message)

    def warn(self, message):
        self.warnings.append(message)


def frame(first, people=PEOPLE, *, classes=4, seed=5):
    """Six features of people that `first` counts from, which hint at the label."""
    rng = np.random.default_rng([seed, ord(first)])
    label = rng.integers(classes, size=people * WINDOWS)
    x = rng.normal(size=(len(label), 6)) + 0.5 * label[:, None]
    table = pd.DataFrame(x, columns=[f"f{at}" for at in range(6)])
    names = [f"{first}{at}" for at in range(people)]
    return table.assign(mood=[f"m{at}" for at in label], who=np.repeat(names, WINDOWS))


def suspected(folder, train, test, *, suffix="csv", expected=1, **asked):
    """The warnings about the tables, which must be the same in the run and in quality.json."""
    inputs = {}
    for name, table in (("train", train), ("test", test)):
        inputs[name] = folder / f"{name}.{suffix}"
        if suffix == "csv":
            table.to_csv(inputs[name], index=False)
        else:
            table.to_parquet(inputs[name], index=False)
    params = {
        "label": "mood", "group": "who", "id": None, "classes": sorted(set(train["mood"])),
        "missing": "impute", "infinite": "missing", "all_missing": "drop", "constant": "keep",
        "decimals": "nearest", "separator": None, "decimal": None, "missing_values": [],
        "ignore": [], "test_group": None,
        "min_rows_per_person": 2, **asked,
    }  # fmt: skip
    output = folder / "out"
    output.mkdir()
    context = Notes()
    ingest.run(inputs, params, output, context)
    found = json.loads((output / "quality.json").read_text())["warnings"]
    told = [warning for warning in context.warnings if not warning.startswith(str(folder))]
    assert told == found
    assert len(found) == expected, found
    return " / ".join(found)


def plain(table):
    """As a test table: without label and person."""
    return table.drop(columns=["mood", "who"])
