"""Fit another learner than the network on labelled and pseudo-labelled rows, and score it."""

import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from emodag.science.learners.catalogue import CATALOGUE
from emodag.science.learners.task import Task, fit_on_present
from emodag.science.seeds import generator
from emodag.science.tables.matrices import probability_columns, read_matrix, write_columns
from emodag.stages.fit_rows import rows_of_fit, write_held_out
from ledger.context import Context, Inputs, Params
from ledger.errors import ConfigError


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `validation.parquet`, `fit.json` and, where there is a pool, `test.parquet`.

    The first has row and probabilities of the rows that the fold holds out, none without a fold.

    Parameters
    ----------
    inputs : `train` and `test`, scaled features, without a pool no `test`; see also `rows_of_fit`.
    params : `learner`, its name, and `settings`; `stage`, in whose place it is; `generation` of a
        student; `classes`, how many; see also `rows_of_fit`.

    Raises
    ------
    ConfigError
        When the environment lacks the package of the learner.
    """
    learner = CATALOGUE[params["learner"]]
    purpose = (params["stage"], params.get("generation", 0), params["fold"], params["learner"])
    rows = rows_of_fit(inputs, params, context, *purpose)
    x = read_matrix([inputs[table] for table in ("train", "test") if table in inputs])
    task = Task(
        train=x[rows.train],
        labels=rows.train_labels.astype(np.int64),
        unseen=np.concatenate([x[rows.valid], x[rows.labelled :]]),
        seed=int(generator(params["seed"], *purpose).integers(2**31)),
    )
    steps = params["settings"][learner.steps] if learner.steps else 1
    with _explained(params["learner"], context), context.progress(steps, "step") as bar:
        found = fit_on_present(
            learner.fit, task, params["settings"], bar.update, classes=params["classes"]
        )
    said, of_pool = np.split(found, [len(rows.valid)])
    write_held_out(output, rows, said, learner=params["learner"])
    if "test" in inputs:
        write_columns(output / "test.parquet", probability_columns(of_pool))


@contextmanager
def _explained(name: str, context: Context):
    """A missing package as an error that says what to do, and warnings as the project's own."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("ignore")  # what libraries tell those who program with them
            warnings.simplefilter("always", UserWarning)
            yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"`learner: {name}` needs the package {error.name!r}, and the environment 'learners' "
            "has none. Give `environments.learners` the locks that config.yaml has for it, with "
            "`python: built`, or choose another learner."
        ) from None
    for line in sorted({str(each.message).partition("\n")[0] for each in caught}):
        context.warn(line)
