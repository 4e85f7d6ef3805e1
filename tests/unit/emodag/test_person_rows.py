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
    return ingested(folder, **{"train": ENOUGH, "needs_persons": True, **changes})


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


def test_where_nothing_asks_for_persons_one_row_does(tmp_path):
    _, output = ingested(tmp_path, train=of({"P": 20, "Q": 2}), test=of({"R": 1}))
    assert pq.read_table(output / "test_rows.parquet")["person"].to_pylist() == ["R"]


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("a\n1\n", {}),
        ("a,person\n1,R\n2,\n", {}),
        ("a,person\n1,\n2,\n", {}),
        ("a,person\n1,0.5\n2,0.7\n", {"group": "person"}),
    ],
)
def test_where_nothing_asks_for_persons_nobody_needs_to_know(tmp_path, test, told):
    _, output = ingested(tmp_path, train=ENOUGH, test=test, **told)
    some = ["known_person"] if "R" in test else []
    assert pq.read_schema(output / "test_rows.parquet").names == ["id", *some]
    assert "test_rows_per_person" not in quality(output)


@pytest.mark.parametrize("ingested", [found, ingested])
@pytest.mark.parametrize("blocks", [{}, {"test_blocks": 6}, {"test_blocks": [6, 6]}])
def test_whose_the_rows_of_the_test_table_are_is_counted(tmp_path, blocks, ingested):
    test = "a\n" + "1\n" * 12 if blocks else of({"0": 6, "1": 6})
    _, output = ingested(tmp_path, train=ENOUGH, test=test, **blocks)
    assert quality(output)["test_rows_per_person"] == {"0": 6, "1": 6}


@pytest.mark.parametrize("ingested", [found, ingested])
@pytest.mark.parametrize(
    ("test", "blocks", "expected"),
    [
        (of({"P": 6, "Q": 6}), 6, r"column 'person': tells whose .*; take data\.test_blocks out "),
        ("a\n" + "1\n" * 12, 20, r"is 20 rows for each person, which do not divide the .* 12 rows"),
        ("a\n" + "1\n" * 12, 5, r"is 5 rows for each person, which do not divide the .* 12 rows"),
        ("a\n" + "1\n" * 12, [6, 5], r"expected 11 rows by data\.test_blocks \(2 persons\), found"),
    ],
)
def test_blocks_that_do_not_fit_the_table_are_refused(tmp_path, test, blocks, expected, ingested):
    with pytest.raises(InputError, match=r"test\.csv.*" + expected):
        ingested(tmp_path, train=ENOUGH, test=test, test_blocks=blocks)
