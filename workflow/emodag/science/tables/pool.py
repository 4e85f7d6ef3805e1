"""What a fold leaves out of the training rows and of the pool: test rows, and unlabelled ones."""

import numpy as np

from emodag.science.folds import held_out
from emodag.science.tables.matrices import read_columns
from ledger.context import Inputs, Params


def held_out_rows(size: int, inputs: Inputs, params: Params) -> np.ndarray:
    """(size,) booleans: the training rows that a fold holds out.

    Parameters
    ----------
    inputs : with a fold, `folds`.
    params : `fold`, None for all rows, and its `kind`.
    """
    if params["fold"] is None:
        return np.zeros(size, bool)
    return held_out(read_columns(inputs["folds"]), params["kind"], params["fold"])


def pool_rows(size: int, inputs: Inputs, fold: int | None) -> np.ndarray:
    """The rows of the pool that may have a part in what is scored on a fold, ascending.

    Unlabelled rows of people whom the fold holds out are left out: else what is scored on them had
    seen them.

    Parameters
    ----------
    size : rows of the pool.
    inputs : `unlabelled`, where there are such rows: a table of folds, where -1 is for
        people whom none holds out. They are the last rows of the pool.
    fold : None leaves nobody out.

    Returns
    -------
    int64, shape (m,).
    """
    rows = np.arange(size, dtype=np.int64)
    if fold is None or "unlabelled" not in inputs:
        return rows
    is_held_out = held_out(read_columns(inputs["unlabelled"]), "group_fold", fold)
    return np.delete(rows, size - len(is_held_out) + np.flatnonzero(is_held_out))
