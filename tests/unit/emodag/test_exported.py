"""The file that an exported model comes with: what it makes of a table of text."""

import json

import numpy as np
import pandas as pd
import pytest

from emodag.config.sections import load
from emodag.science.person_scaling import by_person, rows_by_person
from emodag.science.scaling import median, scale_column
from emodag.science.tables.csv_tables import CsvTable
from emodag.science.tables.row_facts import is_missing, missing_spellings
from emodag.science.tables.table import MISSING
from emodag.verbs import export, exported
from ledger.errors import InputError

FEATURES = ["f0", "f1"]


def read(
    tmp_path,
    text,
    *,
    features=FEATURES,
    separator=None,
    decimal=None,
    decimals="nearest",
    missing=(),
):
    model = {"features": features, "separator": separator, "decimal": decimal}
    model |= {"decimals": decimals, "missing": [*MISSING, *missing], "group": "who"}
    (tmp_path / "model.json").write_text(json.dumps(model))
    (tmp_path / "later.csv").write_text(text, errors="surrogateescape")
    return exported.read(str(tmp_path / "later.csv"), tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("who,f1,f0\nA,-2.5,1\nB,-999,0.1\n", {}),
        ("who;f1;f0\nA;-2,5;1\nB;-999,0;0,1\n", {}),
        ("who\tf1\tf0\nA\t-2.5\t1\nB\t?\t0.1\n", {}),
        ("who:f1:f0\nA:-2,5:1\nB:NA:0,1\n", {"separator": ":", "decimal": ","}),
        ("who;f1;f0\nA; -2,5;1 \nB; NA ;0,1\n", {}),
        ('who,f1,f0\nA,-2.5, 1 \nB, ? ,"0.1 "\n', {}),
    ],
)
def test_a_table_is_read_as_the_run_reads_it(text, told, tmp_path):
    found = read(tmp_path, text, missing=["-999", "?"], **told)[FEATURES].to_numpy(np.float64)
    np.testing.assert_array_equal(found, [[1.0, -2.5], [0.1, np.nan]])


@pytest.mark.parametrize("cell", ["", " NA", "?"])
def test_booleans_may_be_missing(cell, tmp_path):
    table = read(tmp_path, f"f0,f1\n True,0.5\nFALSE,1.5\n{cell},2.5\n", missing=["?"])
    np.testing.assert_array_equal(exported.floats(table, FEATURES)[:, 0], [1.0, 0.0, np.nan])


@pytest.mark.parametrize(
    "text",
    [
        "f0\n1\n\n2\n",
        "f0,who\n1,a\n\n2,b\n",
        '\ufefff0,who\r\n1,a\r\n" -2 ","b "\r\n',
        "f0;who\n1,5;NA\n+inf;b\n",
        "f0|who\n TRUE|a\n None |b\n",
    ],
)
def test_rows_are_those_of_the_run(text, tmp_path):
    found = read(tmp_path, text, features=["f0"])
    table = CsvTable(tmp_path / "later.csv")
    own = [*table.columns[1:]]
    blocks = list(table.blocks(["f0"], own))
    expected = np.concatenate([block.values for block in blocks])
    np.testing.assert_array_equal(exported.floats(found, ["f0"]), expected)
    for name in own:
        texts = [text for block in blocks for text in block.texts[name].to_pylist()]
        assert found[name].tolist() == texts


@pytest.mark.parametrize("decimals", ["nearest", "pandas"])
def test_digits_are_read_as_the_run_reads_them(decimals, tmp_path):
    cells = [f"{x:.17g}" for x in np.random.default_rng(0).normal(size=200)]
    text = "\n".join(["f0,f1", *(f"{cell}, {cell} " for cell in cells)])
    found = exported.floats(read(tmp_path, text, decimals=decimals), FEATURES)
    table = CsvTable(tmp_path / "later.csv", decimals=decimals)
    expected = np.concatenate([block.values for block in table.blocks(FEATURES, [])])
    np.testing.assert_array_equal(found, expected)


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ValueError, match="lacks the column 'f1'"):
        read(tmp_path, "who;f0\nA;1\n")
    with pytest.raises(ValueError, match="not every cell of the column 'f1' is a number"):
        read(tmp_path, "f0,f1\n1,?\n")
    with pytest.raises(ValueError, match="not every cell of the column 'f1' is a number"):
        read(tmp_path, "f0,f1\n1.5,True\n2.5,1\n")
    for end in ("", "\n", "\r\n\r\n"):
        with pytest.raises(ValueError, match=r"later\.csv: has no rows"):
            read(tmp_path, f"f0,f1{end}")


REFUSED = {
    "f0,f1,who\n1,2,A,3\n4,5,B,6\n": "Expected 3 fields in line 2, saw 4",
    "f0,f1,who\n1,2,A\n\n4,5,B,6\n": "Expected 3 fields in line 4, saw 4",
    "f0,f1,who\n1,2,A\n4,5\n7,8,C\n": "data row 2: expected 3 cells, found 2",
    "f0,f1,who\n,,\n4": "data row 2: expected 3 cells, found 1",
    "f0;f1;who\n1;2\n1;2;A;\n": "Expected 3 fields in line 3, saw 4",
    "f0,f1,who,f0\n1,2,A,4\n": "repeats the column 'f0'",
    "f0,f1,x,x\n1,2,3,4\n": "repeats the column 'x'",
    "": "No columns to parse",
    "f0,f1\n1,9007199254740993\n": "data row 1: a float64 cannot hold 9007199254740993",
    "f0,f1\n1,0.5\n1, -9007199254740993\n": "data row 2: a float64 cannot hold -90071992",
    "f0;f1\n1,5;1e400\n": "column 'f1', data row 1: a float64 cannot hold 1e400",
    "f0,f1,who\n1,\udcff,A\n": "is not UTF-8",
    "PAR1\udcb0": "is not UTF-8; give a table of text",
}


@pytest.mark.parametrize(("text", "told"), REFUSED.items())
def test_what_the_run_refuses_is_refused(text, told, tmp_path):
    with pytest.raises(ValueError, match=f"later.csv: .*{told}"):
        read(tmp_path, text)
    with pytest.raises(InputError):
        list(CsvTable(tmp_path / "later.csv").blocks(FEATURES, []))


def test_large_numbers_that_a_float64_holds_are_read(tmp_path):
    text = f"f0,f1\n{2**53 + 2},inf\n-9999999999999999,-Infinity\n,1e300\n"
    found = read(tmp_path, text, missing=["-9999999999999999"])
    expected = [[2.0**53 + 2, np.inf], [np.nan, -np.inf], [np.nan, 1e300]]
    np.testing.assert_array_equal(exported.floats(found, FEATURES), expected)


def test_the_card_says_what_the_networks_are():
    nested = {"protocols": ["nested"]}
    file = {"source": "files", "train": "a", "label": "c", "group": "b"}
    assert "the teacher" in export._generation(load({"generations": 0} | nested))
    assert "without pseudo-labels" in export._generation(load({"data": file} | nested))
    assert "self-training" in export._generation(load({}))


def cells(folder, persons):
    return read(folder, "\n".join(["f0,f1,who", *(f"1,2,{who}" for who in persons)]))["who"]


def test_persons_are_read_as_they_are_written(tmp_path):
    found = exported.names(cells(tmp_path, ["01", "1", "1.0", "NA", "1.50", " 1 ", "q0 "]))
    assert found.tolist() == ["01", "1", "1", "NA", "1.50", "1", "q0"]
    assert exported.names(pd.Series(["q0", "q0 "])).tolist() == ["q0", "q0"]
    with_commas = read(tmp_path, "who;f0;f1\n7;0,5;1\n7,0;1,5;1\n")
    assert exported.names(with_commas["who"]).tolist() == ["7", "7"]
    for kind in ("int64", "float64", "category", "string"):
        assert exported.names(pd.Series([2, 1]).astype(kind)).tolist() == ["2", "1"]
    left_out = pd.Series(["u", "v"], dtype="category")[:1]
    assert exported.names(left_out).value_counts().to_dict() == {"u": 1}


@pytest.mark.parametrize("empty", ["", " ", None, float("nan")])
def test_a_row_of_nobody_is_refused(tmp_path, empty):
    persons = cells(tmp_path, ["u", empty]) if isinstance(empty, str) else pd.Series(["u", empty])
    with pytest.raises(ValueError, match="data row 2: the person is missing"):
        exported.names(persons)


WORDS = [word for word in MISSING if word.isalpha()]


@pytest.mark.parametrize("last", ["-999", "-999.0", "NA", "n/a", "<NA>", "None", "x", "7.0"])
@pytest.mark.parametrize("first", ["7", "-1.5", "S1", "-999"])
def test_the_same_persons_are_missing_as_in_the_run(tmp_path, first, last):
    column = read(tmp_path, f"f0,f1,who\n1,2,{first}\n1,2,{last}\n")["who"]
    table = CsvTable(tmp_path / "later.csv", missing=["-999"])
    (block,) = table.blocks([], ["who"])
    spellings = missing_spellings(table, block.texts["who"], "person")
    missing = is_missing(block.texts["who"], spellings).to_pylist()
    if not any(missing):
        assert len(exported.names(column, table.missing, WORDS)) == 2
        return
    with pytest.raises(ValueError, match=f"row {missing.index(True) + 1}: the person is missing"):
        exported.names(column, table.missing, WORDS)


RNG = np.random.default_rng(4)
WHO = pd.Series(RNG.choice(["u", "v", "w"], size=300))
COLUMNS = {
    "binary": (RNG.random(300) < 0.3) * 1.0,
    "counts": RNG.poisson(2, size=300) * 1.0,
    "tenths": RNG.integers(9, size=300) / 10,
    "mostly equal": np.maximum(RNG.normal(size=300), 0.5),
    "one of its kind": RNG.normal(size=300),
    "large and equal": 1.6e9 + (RNG.random(300) < 0.3),
    "far": np.where(RNG.random(300) < 0.3, 1e305, -1e305),
    "constant": np.full(300, 0.1),
    "holed": np.where(RNG.random(300) < 0.3, np.nan, RNG.integers(5, size=300)),
    "empty": np.full(300, np.nan),
}


@pytest.mark.parametrize("kind", ["none", "centre", "z", "rank"])
@pytest.mark.parametrize("resolution", [0.0, 1e-7])
def test_features_are_those_of_the_run(kind, resolution):
    """Equal values, too, which a last digit would put beside a quantile that they are at."""
    train = np.arange(300) < 200
    x = np.column_stack(list(COLUMNS.values()))
    theirs = x.copy()
    if kind != "none":
        groups = rows_by_person(WHO.to_numpy())
        theirs = np.column_stack([by_person(column, groups, kind=kind) for column in x.T])
    fits = [
        scale_column(column, sample=train, training=train, count=1000, resolution=resolution)
        for column in theirs.T
    ]
    quantiles = np.column_stack([fitted for _, fitted in fits])
    medians = np.array([median(column[train]) for column in theirs.T])
    model = {"person": kind, "resolution": resolution}
    ours = x if kind == "none" else exported.by_person(x, WHO, kind)
    np.testing.assert_allclose(ours, theirs, rtol=1e-14 if kind == "rank" else 0.0)
    found = exported.scaled(ours, quantiles, medians, model)
    for at, name in enumerate(COLUMNS):
        np.testing.assert_allclose(found[:, at], fits[at][0], atol=1e-6, err_msg=name)
