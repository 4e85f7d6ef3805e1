"""The original report's figures stand beside one's own where the data are the competition's."""

import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emodag.face.report import table_one
from emodag.face.report.run import Run


@pytest.fixture
def table(tmp_path):
    """Table I of a run with so many training and test rows."""

    def make(rows, source="files"):
        inputs = {"scores.csv": tmp_path / "scores.csv"}
        for name, count in zip(("train_rows", "test_rows"), rows, strict=True):
            role = f"table/{name}.parquet"
            inputs[role] = tmp_path / f"{name}.parquet"
            columns = {"id": np.arange(count), "label": np.zeros(count, np.int8)}
            pq.write_table(pa.table(columns), inputs[role])
        heads = ("protocol", "seed", "stage", "fold", "macro_f1", "macro_f1_last_epoch", "n_pseudo")
        with inputs["scores.csv"].open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(heads)
            for stage in ("stage0", "gen1", "gen2"):
                for fold in range(5):
                    writer.writerow(("published", 1, stage, fold, 0.4, 0.3, 7))
        params = {"classes": list("abcd"), "protocols": ["published"], "seeds": [1], "folds": 5}
        run = Run(inputs, {**params, "generations": 2, "source": source})
        return table_one.section(run).blocks[1]

    return make


def test_the_original_figures_stand_beside_ones_own(table):
    found = table((22_496, 10_656))
    assert [row[0] for row in found.rows][:2] == ["stage 0", "stage 0, original"]
    assert all(len(row) == len(found.heads) for row in found.rows)
    means = {row[0]: row[found.heads.index("mean")] for row in found.rows}
    assert means["generation 1, original"] == "0.465" and means["generation 2, original"] == "0.498"
    assert means["stage 0, original"] == "0.918" and means["generation 1"] == "0.400"


@pytest.mark.parametrize(
    ("rows", "source"), [((22_496, 9), "files"), ((22_496, 10_656), "synthetic")]
)
def test_of_other_data_they_say_nothing(table, rows, source):
    assert len(table(rows, source).rows) == 3
