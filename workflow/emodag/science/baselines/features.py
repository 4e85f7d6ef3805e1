"""Features of all rows for one fold's models, scaled by what its training rows show and no more."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from emodag.science.scaling import reference_shares, scale_column, subsample_rows

COLUMNS_AT_ONCE = 64
"""Columns that are held as float64 at once; results do not depend on it."""

LARGEST = float(np.finfo(np.float32).max)


def unscaled(tables: Sequence[Path]) -> np.ndarray:
    """The features as they are, one table above the other.

    Returns
    -------
    (n, p) float32, NaN where missing; what float32 cannot hold becomes its largest value.
    """
    matrix = _empty(tables)
    for column, values in enumerate(_columns(tables)):
        matrix[:, column] = np.clip(values, -LARGEST, LARGEST)
    return matrix


def scaled(tables: Sequence[Path], training: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """The features as normal scores, one table above the other.

    Unlike the chain's own scaling, which may look at the test rows' features, quantiles and what is
    imputed come from the training rows alone.

    Parameters
    ----------
    training : (m,) the training rows of the fold.
    settings : `n_quantiles`, `subsample`, `random_state`, as of the chain's scaling.

    Returns
    -------
    (n, p) float32 without NaN; 0 for a feature that is constant in the training rows, or missing
    from all of them, whatever it is elsewhere.
    """
    sample = subsample_rows(training, size=settings["subsample"], seed=settings["random_state"])
    references = reference_shares(min(settings["n_quantiles"], training.size))
    matrix = _empty(tables)
    for column, values in enumerate(_columns(tables)):
        scores, quantiles = scale_column(
            values, sample=sample, training=training, references=references, resolution=0.0
        )
        matrix[:, column] = 0 if quantiles[0] == quantiles[-1] else scores
    return matrix


def _empty(tables: Sequence[Path]) -> np.ndarray:
    found = [pq.read_metadata(table) for table in tables]
    return np.empty((sum(each.num_rows for each in found), found[0].num_columns), np.float32)


def _columns(tables: Sequence[Path]) -> Iterator[np.ndarray]:
    """(n,) float64 values of each feature, in the tables' order."""
    sources = [pq.ParquetFile(table) for table in tables]
    names = sources[0].schema_arrow.names
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        block = names[start : start + COLUMNS_AT_ONCE]
        parts = [source.read(columns=block, use_threads=False) for source in sources]
        for name in block:
            yield np.concatenate([part[name].to_numpy() for part in parts])
