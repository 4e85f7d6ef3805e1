"""Collect what a variant says of the rows it has held out, and of the test rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emodag.science.folds import held_out
from emodag.science.scores.class_scores import confusions
from emodag.science.tables.matrices import (
    probability_columns,
    read_columns,
    read_probabilities,
    write_columns,
)
from emodag.stages.scores import refuse_leaks
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `held_out.parquet` and, where there is a test table, `answers.parquet`.

    The first has `seed` (int64), `fold` (int16), `row` (int32) and the probabilities of each class
    (float32) for every held-out row of every fold, by seed and fold; the second has seed and
    probabilities for every test row, by seed.

    Parameters
    ----------
    inputs : `rows`, labels and persons; `folds`; `<seed>/<fold>`, the held-out rows' probabilities;
        with a test table `<seed>`, the pool's probabilities, and `test_rows`, of which the pool's
        first rows are.
    params : `seeds`; `folds`, their number; `leak_free`, whether nobody's labels may have reached
        the models that are scored on them.

    Raises
    ------
    LeakageError
        When they have.
    """
    persons, folds = read_columns(inputs["rows"])["person"], read_columns(inputs["folds"])
    parts = []
    for seed in params["seeds"]:
        for fold in range(params["folds"]):
            role = f"{seed}/{fold}"
            if params["leak_free"]:
                scored = np.unique(persons[held_out(folds, "group_fold", fold)])
                refuse_leaks(role, scored.tolist(), context.labels_seen[role])
            row = read_columns(inputs[role])["row"]
            about = {"seed": np.full(len(row), seed, np.int64)}
            about |= {"fold": np.full(len(row), fold, np.int16), "row": row}
            parts.append({**about, **probability_columns(read_probabilities(inputs[role]))})
    write_columns(output / "held_out.parquet", _stacked(parts))
    if "test_rows" in inputs:
        rows = len(read_columns(inputs["test_rows"])["id"])
        tests = [
            {
                "seed": np.full(rows, seed, np.int64),
                **probability_columns(read_probabilities(inputs[str(seed)])[:rows]),
            }
            for seed in params["seeds"]
        ]
        write_columns(output / "answers.parquet", _stacked(tests))


def held_out_counts(
    path: Path, rows: Mapping[str, np.ndarray], *, seeds: Sequence[int], folds: int, classes: int
) -> np.ndarray:
    """(seeds, folds, persons, classes, classes) int64 counts of what `held_out.parquet` says.

    Parameters
    ----------
    rows : `label` and `person` of all training rows.
    seeds, folds : those that it has, in their order, and how many.
    """
    table, predicted = read_columns(path), read_probabilities(path).argmax(axis=1)
    person = np.unique(rows["person"], return_inverse=True)[1]
    seed = np.array([seeds.index(each) for each in table["seed"].tolist()])
    place = (seed, table["fold"].astype(np.int64), person[table["row"]])
    shape = (len(seeds), folds, int(person.max()) + 1)
    return confusions(rows["label"][table["row"]], predicted, place, shape, classes=classes)


def _stacked(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
