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

    Rows of people whom the fold holds out are left out, be they test rows or unlabelled ones: else
    what is scored on these people had seen them.

    Parameters
    ----------
    size : rows of the pool.
    inputs : `unlabelled`, where whose they are may be known of some rows: a table of folds, where
        -1 is for those whom none holds out. They are the last rows of the pool, or all of them.
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
