"""Stage `synthesize`: the synthetic twin, in the layout of the competition's tables.

Writes ``train.parquet`` (`id`, features, `label`, `person_id`), ``test.parquet`` (`id`, features)
and ``truth.csv`` (`ID`, `label`, `person_id` of the test rows, for scoring only).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emodag.science.synthetic import SIZES, Twin, generate
from ledger.context import Context, Inputs, Params

ROWS_PER_GROUP = 4096
"""Rows that are held as float64 at once."""


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Generate a twin.

    Parameters
    ----------
    inputs : none.
    params : `size`, a key of `SIZES`, and `seed`, an integer from 0 on.
    output : directory for the three files.
    context : not used; no label has been trained on.
    """
    twin = generate(SIZES[params["size"]], seed=params["seed"])
    rows = twin.labels.size
    _write(output / "train.parquet", twin, range(twin.train_rows), labelled=True)
    _write(output / "test.parquet", twin, range(twin.train_rows, rows), labelled=False)
    labels, persons = twin.labels[twin.train_rows :], twin.persons[twin.train_rows :]
    truth = "".join(
        f"{row},{label},{person}\n"
        for row, (label, person) in enumerate(zip(labels, persons, strict=True))
    )
    (output / "truth.csv").write_text("ID,label,person_id\n" + truth)


def _write(path: Path, twin: Twin, rows: range, *, labelled: bool) -> None:
    """Write some rows of a twin, a row group at a time; `id` counts from 0 in each file."""
    tables = _row_groups(twin, rows, labelled=labelled)
    first = next(tables)
    with pq.ParquetWriter(path, first.schema, compression="zstd", use_dictionary=False) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _row_groups(twin: Twin, rows: range, *, labelled: bool) -> Iterator[pa.Table]:
    for start in range(rows.start, rows.stop, ROWS_PER_GROUP):
        part = slice(start, min(start + ROWS_PER_GROUP, rows.stop))
        columns = {"id": np.arange(part.start, part.stop, dtype=np.int64) - rows.start}
        for number, feature in enumerate(twin.features):
            columns[f"f{number:04d}"] = feature[part].astype(np.float64)
        if labelled:
            columns["label"] = twin.labels[part]
            columns["person_id"] = twin.persons[part]
        yield pa.table(columns)
