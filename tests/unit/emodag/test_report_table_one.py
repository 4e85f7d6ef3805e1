"""The paper's figures stand beside one's own where the data are the competition's."""

import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emodag.pages.report import table_one
from emodag.pages.report.run import Run


@pytest.fixture
def section(tmp_path):
    """The section on scores of a run with so many training and test rows, and so many folds."""

    def make(rows, source="files", folds=5, repeats=1):
        inputs = {"scores.csv": tmp_path / "scores.csv"}
        for name, count in zip(("train_rows", "test_rows"), rows, strict=True):
            role = f"table/{name}.parquet"
            inputs[role] = tmp_path / f"{name}.parquet"
            columns = {"id": np.arange(count), "label": np.zeros(count, np.int8)}
            columns["person"] = np.arange(count) % 6
            pq.write_table(pa.table(columns), inputs[role])
        heads = ("protocol", "seed", "stage", "fold", "macro_f1", "macro_f1_last_epoch", "n_pseudo")
        with inputs["scores.csv"].open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(heads)
            for stage in ("stage0", "gen1", "gen2"):
                for fold in range(folds * repeats):
                    f1 = 0.4 + 0.01 * fold * (folds != 5)
                    writer.writerow(("published", 1, stage, fold, f1, 0.3, 7))
        inputs["folds/folds.parquet"] = tmp_path / "folds.parquet"
        once = np.arange(rows[0]) % 6 % folds
        columns = {f"group_fold_{repeat}": once + folds * repeat for repeat in range(repeats)}
        pq.write_table(pa.table(columns), inputs["folds/folds.parquet"])
        params = {"classes": list("abcd"), "protocols": ["published"], "seeds": [1]}
        params |= {"folds": folds, "generations": 2, "source": source, "learner": "network"}
        params |= {"settings": {"model.attention": True}, "look": {"protocol": "published"}}
        params |= {"scored": {"published": ["stage0", "gen1", "gen2"]}}
        params |= {"repeats": repeats} if repeats > 1 else {}
        return table_one.section(Run(inputs, params)).blocks

    return make


def test_the_papers_figures_stand_beside_ones_own(section):
    _, found = section((22_496, 10_656))
    assert [row[0] for row in found.rows][:2] == ["Stage 0", "Stage 0, the paper"]
    assert all(len(row) == len(found.heads) for row in found.rows)
    means = {row[0]: row[found.heads.index("mean")] for row in found.rows}
    assert (
        means["Generation 1, the paper"] == "0.465" and means["Generation 2, the paper"] == "0.498"
    )
    assert means["Stage 0, the paper"] == "0.918" and means["Generation 1"] == "0.400"


@pytest.mark.parametrize(
    ("rows", "source"), [((22_496, 9), "files"), ((22_496, 10_656), "synthetic")]
)
def test_of_other_data_they_say_nothing(section, rows, source):
    _, found = section(rows, source)
    assert len(found.rows) == 3


def test_many_folds_have_a_table_with_a_row_for_each(section):
    text, summary, every = section((60, 24), folds=4, repeats=3)
    assert text.endswith("Each 4 folds in a row hold everybody out once.")
    assert summary.heads[:4] == ["Stage", "lowest fold", "highest fold", "mean"]
    assert summary.rows[1][:4] == ["Generation 1", "0.400", "0.510", "0.455"]
    assert every.heads == ["Fold", "persons held out", "stage 0", "generation 1", "generation 2"]
    assert len(every.rows) == 12 and every.rows[0][:3] == ["fold 0", "2 persons", "0.400"]
    assert every.rows[7] == ["fold 7", "3", "0.470", "0.470", "0.470"], "the only one, by name"


def test_a_few_folds_are_columns_in_repeats_as_well(section):
    _, summary = section((60, 24), folds=2, repeats=2)
    assert summary.heads[1:6] == ["fold 0", "fold 1", "fold 2", "fold 3", "mean"]
