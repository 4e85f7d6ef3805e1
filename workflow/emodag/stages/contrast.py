"""Compare pairs of runs stage by stage: what differs, from where on, and what it comes to."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.folds import assignments
from emodag.science.pseudo_label import decided
from emodag.science.scores.contrasts import (
    compared,
    flipped_predictions,
    mean_of,
    moved_persons,
    pseudo_label_changes,
)
from emodag.science.scores.scoring import macro_f1
from emodag.science.tables.ingest import true_classes
from emodag.science.tables.matrices import read_columns, read_probabilities
from emodag.stages.steps import Pair, Step, compare, first_to_differ
from ledger.context import Context, Inputs, Params
from ledger.errors import InputError
from ledger.kinds.digest import logical_digest

SCORES = ("macro_f1", "macro_f1_last_epoch")
"""The scores in `fit.json` that are compared."""


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `contrast.json`: `environments`, as given, and `pairs`, what `_pair` says of each.

    Parameters
    ----------
    inputs : every output of every job of the runs, its role the job's name and the file's; `truth`,
        the table of true labels, if it is known.
    params : `runs`, by name `environment`, `seed`, and `steps`: objects with `step`, `stage`,
        `carries`, the files whose numbers later stages compute with, and `jobs`, in the order of
        the chain; `pairs` of names of runs; `environments`, by name their
        pins, variables and threads; `label`, `id`, `written`, `classes` and `boost` as for the
        leaderboard.

    Raises
    ------
    InputError
        When the runs of a pair are of different training rows.
    """
    runs = {name: _Run(inputs, params, run) for name, run in params["runs"].items()}
    digest = cache(logical_digest)
    pairs = [_pair(runs[a], runs[b], digest) for a, b in params["pairs"]]
    facts = {"environments": params["environments"], "pairs": pairs}
    (output / "contrast.json").write_text(json.dumps(facts, sort_keys=True, indent=1) + "\n")


class _Run:
    """The files of one run of the chain."""

    def __init__(self, inputs: Inputs, params: Params, run: Mapping[str, Any]) -> None:
        self.name = {"environment": run["environment"], "seed": run["seed"]}
        self.steps = {step["step"]: step for step in run["steps"]}
        self.boost = params["boost"]
        self._inputs, self._params = inputs, params

    def files(self, job: str) -> dict[str, Path]:
        """The output files of a job, by name."""
        return {
            role.rpartition("/")[2]: path
            for role, path in self._inputs.items()
            if role.rpartition("/")[0] == job
        }

    def steps_of(self, stage: str) -> list[str]:
        """The steps at which a stage runs."""
        return [name for name, step in self.steps.items() if step["stage"] == stage]

    def generations(self) -> list[str]:
        """The steps that are generations of students, or else the teacher."""
        found = [name for name in self.steps if re.fullmatch(r"gen\d+", name)]
        return [name for name in found if name != "gen0"] or found

    def outputs(self, step: str, file: str) -> dict[str, Path]:
        """One output of every job of a step, by job."""
        return {job: self.files(job)[file] for job in self.steps[step]["jobs"]}

    def one(self, step: str, file: str) -> Path:
        """An output of a step of one job."""
        (path,) = self.outputs(step, file).values()
        return path

    def predicted(self, step: str) -> np.ndarray | None:
        """(m, classes) blended probabilities of the test rows, None without a test table."""
        table = self.files(*self.steps["table"]["jobs"])
        if "test_rows.parquet" not in table:
            return None
        rows = len(read_columns(table["test_rows.parquet"])["id"])
        return read_probabilities(self.one(f"{step}/blend", "test.parquet"))[:rows]

    def hidden(self, step: str) -> float | None:
        """The macro-F1 of a blend's submission, None where the truth is not known."""
        if "truth" not in self._inputs:
            return None
        ids = read_columns(self.one("table", "test_rows.parquet"))["id"]
        truth = true_classes(self._inputs["truth"], ids, self._params)
        predicted = decided(self.predicted(step), self.boost)
        return macro_f1(truth, predicted, classes=len(self._params["classes"]))


def _pair(a: _Run, b: _Run, digest) -> dict[str, Any]:
    """What tells two runs apart: where, and what it comes to."""
    steps = compare(_steps(a, b), digest)
    return {
        "a": a.name,
        "b": b.name,
        "first": first_to_differ(steps),
        "steps": steps,
        "folds": _folds(a, b),
        "pseudo_labels": _pseudo_labels(a, b),
        "generations": [_generation(a, b, step) for step in a.generations()],
    }


def _steps(a: _Run, b: _Run) -> list[Step]:
    return [
        Step(
            name=step,
            pairs=tuple(
                Pair(job, file, path, b.files(other)[file])
                for job, other in zip(a.steps[step]["jobs"], b.steps[step]["jobs"], strict=True)
                for file, path in a.files(job).items()
            ),
            carries=frozenset(a.steps[step]["carries"]),
        )
        for step in a.steps
    ]


def _folds(a: _Run, b: _Run) -> dict[str, Any]:
    """Who changes fold, and how many rows change the fold of the plain KFold."""
    persons, other = (
        read_columns(run.one("table", "train_rows.parquet"))["person"] for run in (a, b)
    )
    if not np.array_equal(persons, other):
        raise InputError(
            f"{a.name['environment']} and {b.name['environment']} hold different training rows: "
            f"{len(persons)} and {len(other)}, or of other persons in another order. Runs of "
            "different data cannot be contrasted."
        )
    tables = [read_columns(run.one("folds", "folds.parquet")) for run in (a, b)]
    people, rows = (
        [assignments(table, kind) for table in tables] for kind in ("group_fold", "row_fold")
    )
    return {
        "persons": len(np.unique(persons)),
        "moved": moved_persons(persons, *people),
        "rows": len(persons),
        "rows_moved": int((rows[0] != rows[1]).any(axis=0).sum()),
    }


def _pseudo_labels(a: _Run, b: _Run) -> list[dict[str, Any]]:
    """What `pseudo_label_changes` says of every table of them, by step and part of the persons."""
    found = []
    for step in a.steps_of("pseudo_label"):
        sides = [run.outputs(step, "pseudo_labels.parquet") for run in (a, b)]
        for job, *paths in zip(sides[0], *(side.values() for side in sides), strict=True):
            tables = [read_columns(path) for path in paths]
            changes = pseudo_label_changes(*((t["row"], t["label"]) for t in tables))
            found.append({"step": step, "part": job.rpartition("/")[2], **changes})
    return found


def _generation(a: _Run, b: _Run, step: str) -> dict[str, Any]:
    """Scores, by fold and overall, and test predictions of one generation of students."""
    facts = [
        [json.loads(path.read_text()) for path in run.outputs(step, "fit.json").values()]
        for run in (a, b)
    ]
    folds = {
        score: [compared(x[score], y[score]) for x, y in zip(*facts, strict=True)]
        for score in SCORES
    }
    scores = {score: mean_of(values) for score, values in folds.items()}
    hidden = [run.hidden(step) for run in (a, b)]
    if None not in hidden:
        scores["hidden"] = compared(*hidden)
    found = {"step": step, "folds": folds, "scores": scores}
    probabilities = [run.predicted(step) for run in (a, b)]
    if probabilities[0] is not None:
        found["predictions"] = flipped_predictions(*probabilities, boost=a.boost)
    return found
