"""Stage `scale`: every feature to a normal distribution, fitted on the rows the protocol allows.

Writes ``quantiles.parquet`` (the fitted quantiles, float64, a column per feature) and
``train.parquet`` and, where there is a pool, ``test.parquet`` (float32, the features of all rows,
held-out ones included).
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emodag.science.scaling import scale_column, subsample_rows
from emodag.science.tables.matrices import column_blocks
from emodag.science.tables.memory import keep_freed_memory
from emodag.science.tables.pool import held_out_rows, pool_rows
from emodag.science.tables.table import few
from ledger.context import Context, Inputs, Params

COLUMNS_AT_ONCE = 64
"""Columns that are held as float64 at once; results do not depend on it."""

ROWS_PER_GROUP = 8192
"""Rows of a row group, the least that a reader of the matrices must hold beside them."""


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Fit the scaler and transform all rows.

    Parameters
    ----------
    inputs : `train` and, if there is a pool, `test`, the features as float64 Parquet, NaN where
        missing; only where `fold` is given, `folds`, the table of folds, and `unlabelled`, the same
        of rows with which the pool ends, see `emodag.science.tables.pool.pool_rows`.
    params : `fold`: None fits on all rows; k leaves out those that fold k, of a `kind`, holds out.
        `n_quantiles`, `subsample`, `random_state`: as in scikit-learn's
        QuantileTransformer. `resolution`: see `emodag.science.scaling.transform`.
    output : directory for the three files.
    context : told of columns without any value in the fitted rows; they become 0.0. Its workers
        scale features side by side.
    """
    keep_freed_memory()
    tables = {name: pq.ParquetFile(inputs[name]) for name in ("train", "test") if name in inputs}
    n_train = tables["train"].metadata.num_rows
    n_pool = sum(table.metadata.num_rows for table in tables.values()) - n_train
    training = np.flatnonzero(~held_out_rows(n_train, inputs, params))
    fitted = np.concatenate([training, n_train + pool_rows(n_pool, inputs, params["fold"])])
    sample = subsample_rows(fitted, size=params["subsample"], seed=params["random_state"])

    scale = partial(
        scale_column,
        sample=sample,
        training=training,
        count=min(params["n_quantiles"], fitted.size),
        resolution=params["resolution"],
    )
    quantiles, scaled_train, scaled_pool = {}, {}, {}
    with ThreadPoolExecutor(context.workers) as workers:
        for names, columns in column_blocks([*tables.values()], COLUMNS_AT_ONCE):
            scaled = workers.map(scale, columns)
            for name, (scores, quantiles[name]) in zip(names, scaled, strict=True):
                scaled_train[name], scaled_pool[name] = scores[:n_train], scores[n_train:]
    _warn_of_empty([name for name, table in quantiles.items() if np.isnan(table[0])], context)
    _write(output / "quantiles.parquet", quantiles)
    _write(output / "train.parquet", scaled_train)
    if "test" in tables:
        _write(output / "test.parquet", scaled_pool)


def _write(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    pq.write_table(
        pa.table(dict(columns)),
        path,
        compression="lz4",  # every fit reads it, and scores hardly compress
        use_dictionary=False,
        row_group_size=ROWS_PER_GROUP,
    )


def _warn_of_empty(names: list[str], context: Context) -> None:
    if names:
        context.warn(
            f"{len(names)} column(s) without a value in the rows the scaler is fitted on: "
            f"{few(names)}. "
            "They are 0 in every row."
        )
