"""Rows of each person, where features or predictions are relative to the person."""

import pyarrow.parquet as pq
import pytest

from ledger.errors import InputError
from tests.unit.emodag.test_ingest import quality
from tests.unit.emodag.test_pool import ingested

HEADER = "a,label,person\n"


def of(rows, *, labelled=True):
    """A table with so many rows of each person."""
    labels = ("calm", "tense") if labelled else ("", "")
    cells = ((at, labels[at % 2], who) for who in rows for at in range(rows[who]))
    return HEADER + "".join(f"{at},{label},{who}\n" for at, label, who in cells)


ENOUGH = of({"P": 20, "Q": 20})


def found(folder, **changes):
    """What ingest makes of tables where something asks for persons."""
    return ingested(folder, **{"train": ENOUGH, "test_blocks": None, **changes})


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"train": of({"P": 20, "Q": 4})}, r"train\.csv, column 'person': person 'Q' has 4 rows"),
        ({"test": of({"7": 9, "8": 2})}, r"test\.csv, column 'person': person 8 has 2 rows"),
        (
            {"test": "a\n" + "1\n" * 9, "test_blocks": [6, 3]},
            r"test\.csv: person 2 of data\.test_blocks has 3 rows",
        ),
        (
            {"unlabelled_table": of({"Q": 2, "R": 1}, labelled=False)},
            r"unlabelled_table\.csv, column 'person': person 'R' has 1 row,",
        ),
        (
            {"train": ENOUGH + "1,,R\n2,,R\n", "unlabelled": "rows"},
            r"train\.csv, column 'person': person 'R' has 2 rows",
        ),
    ],
)
def test_too_few_are_refused_by_table_and_person(tmp_path, tables, expected):
    needs = r".* at least 5 of each person \(1 of \d persons? have fewer\); (leave|correct data)"
    with pytest.raises(InputError, match=expected + needs):
        found(tmp_path, **tables)


def test_a_persons_labelled_and_unlabelled_rows_count_together(tmp_path):
    train = of({"P": 20, "Q": 2})
    context, _ = found(tmp_path, train=train, unlabelled_table=of({"Q": 18}, labelled=False))
    assert not any("fewer than" in warning for warning in context.warnings)


def test_few_are_warned_of(tmp_path):
    context, _ = found(tmp_path, train=of({"P": 20, "Q": 19, "R": 5}))
    (told,) = (warning for warning in context.warnings if "fewer than 20" in warning)
    assert "train.csv: person 'R' has 5 rows, and 2 of 3 persons fewer than 20" in told


def test_where_nothing_asks_for_persons_two_rows_do(tmp_path):
    _, output = ingested(tmp_path, train=of({"P": 20, "Q": 2}), test=of({"R": 1}))
    assert pq.read_schema(output / "test_rows.parquet").names == ["id"]
    assert "test_rows_per_person" not in quality(output)


@pytest.mark.parametrize("blocks", [None, 6, [6, 6]])
def test_whose_the_rows_of_the_test_table_are_is_counted(tmp_path, blocks):
    _, output = found(tmp_path, test=of({"0": 6, "1": 6}), test_blocks=blocks)
    assert quality(output)["test_rows_per_person"] == {"0": 6, "1": 6}
