"""Tables that can be read: every format, layout and policy, and what is recorded about them."""

import csv
import gzip
import io
import json
import math
import shutil
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emodag.science.tables import csv_tables, feature_file
from emodag.science.tables.ingest import layout_of_test, layout_of_train, open_table
from emodag.science.tables.suspicions.features import empty_in_test
from emodag.stages import ingest
from ledger.errors import ConfigError, InputError

CLASSES = ["calm", "tense"]
OUTPUTS = ["quality.json", "test.parquet", "test_rows.parquet", "train.parquet"]
OUTPUTS += ["train_rows.parquet"]


class Notes:
    """The part of a context that the stage uses."""

    def __init__(self, workers):
        self.notes, self.warnings, self.workers = [], [], workers

    def note(self, message):
        self.notes.append(message)

    def warn(self, message):
        self.warnings.append(message)


def params(**changes):
    defaults = {
        "label": "label", "group": "person", "id": None, "classes": CLASSES,
        "missing": "impute", "infinite": "missing", "all_missing": "drop", "constant": "keep",
        "decimals": "nearest", "min_rows_per_person": 2,
        "separator": None, "decimal": None, "missing_values": [],
        "ignore": [], "test_group": None,
    }  # fmt: skip
    return {**defaults, **changes}


def ingested(folder, train, test, *, workers=1, **changes):
    """Run the stage; return its context and the folder it filled."""
    output = folder / "out"
    output.mkdir()
    context = Notes(workers)
    ingest.run({"train": train, "test": test}, params(**changes), output, context)
    assert sorted(path.name for path in output.iterdir()) == OUTPUTS
    return context, output


def write(path, text):
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def matrix(path):
    """A feature file as names and a float64 matrix."""
    table = pq.read_table(path)
    assert all(column.null_count == 0 for column in table.columns)
    assert all(field.type == pa.float64() for field in table.schema)
    return table.column_names, np.column_stack([column.to_numpy() for column in table.columns])


def quality(output):
    return json.loads((output / "quality.json").read_text())


TRAIN = "a,b,label,person\n1,2,calm,P\n3,4,tense,P\n5,6,calm,Q\n7,9,tense,Q\n"
TEST = "a,b\n1.5,2\n"


def test_named_columns(tmp_path):
    train, test = write(tmp_path / "train.csv", TRAIN), write(tmp_path / "test.csv", TEST)
    context, output = ingested(tmp_path, train, test)
    names, values = matrix(output / "train.parquet")
    assert names == ["a", "b"]
    np.testing.assert_array_equal(values, [[1, 2], [3, 4], [5, 6], [7, 9]])
    np.testing.assert_array_equal(matrix(output / "test.parquet")[1], [[1.5, 2]])
    rows = pq.read_table(output / "train_rows.parquet")
    assert rows.schema.types == [pa.int64(), pa.int8(), pa.string()]
    assert rows.to_pydict() == {
        "id": [0, 1, 2, 3], "label": [0, 1, 0, 1], "person": ["P", "P", "Q", "Q"]
    }  # fmt: skip
    assert pq.read_table(output / "test_rows.parquet").to_pydict() == {"id": [0]}
    assert context.warnings == []


@pytest.mark.parametrize(("classes", "type_"), [(128, pa.int8()), (129, pa.int16())])
def test_many_classes(tmp_path, classes, type_):
    names = [f"sign{number}" for number in range(classes)]
    train = "a,label,person\n" + "".join(f"{at % 5},{name},P\n" for at, name in enumerate(names))
    _, output = ingested(
        tmp_path,
        write(tmp_path / "train.csv", train),
        write(tmp_path / "test.csv", "a\n1\n"),
        classes=names,
    )
    labels = pq.read_table(output / "train_rows.parquet")["label"]
    assert labels.type == type_ and labels.to_pylist() == list(range(classes))


def test_wide_tables_are_read_in_linear_time(tmp_path):
    """Header against header: a check of each name against all others took a quarter of a minute."""
    names = [f"channel{number}" for number in range(10_000)]
    train = tmp_path / "train.parquet"
    pq.write_table(
        pa.table(
            {name: [1.0, 2.0] for name in names}
            | {"label": ["calm", "tense"], "person": ["P", "P"]}
        ),
        train,
    )
    test = tmp_path / "test.parquet"
    pq.write_table(pa.table({name: [1.0] for name in reversed(names)}), test)
    start = time.process_time()
    params = {"label": "label", "group": "person", "id": None, "test_group": None}
    layout = layout_of_train(open_table(train), params)
    found = layout_of_test(open_table(test), layout, params)
    assert time.process_time() - start < 5
    assert found.features == tuple(reversed(names))


def test_competition_layout(tmp_path):
    train = ",x,y,emotion,who\n10,1,2,0.0,7.0\n11,3,4,1,7\n12,5,6,1,8\n13,7,9,0,8\n"
    context, output = ingested(
        tmp_path,
        write(tmp_path / "train.csv.gz", train),
        write(tmp_path / "test.csv", "index,x,y\nu,1,2\nv,3,4\n"),
        label=None,
        group=None,
    )
    rows = pq.read_table(output / "train_rows.parquet")
    assert rows.schema.types == [pa.int64(), pa.int8(), pa.int64()]
    assert rows.to_pydict() == {
        "id": [10, 11, 12, 13], "label": [0, 1, 1, 0], "person": [7, 7, 8, 8]
    }  # fmt: skip
    assert pq.read_table(output / "test_rows.parquet").to_pydict() == {"id": ["u", "v"]}
    assert matrix(output / "train.parquet")[0] == ["x", "y"]
    assert context.warnings == []


def test_named_id_stands_anywhere(tmp_path):
    train = "a,key,label,person\n1,07,0,P\n2,8,1,P\n"
    test = "key,a\n1,5\n"
    _, output = ingested(
        tmp_path, write(tmp_path / "a.csv", train), write(tmp_path / "b.csv", test), id="key"
    )
    # As numbers 07 and 7 would be one id.
    assert pq.read_table(output / "train_rows.parquet")["id"].to_pylist() == ["07", "8"]
    assert pq.read_table(output / "test_rows.parquet")["id"].to_pylist() == [1]


def test_test_labels_are_ignored_even_if_unreadable(tmp_path):
    train = write(tmp_path / "train.csv", TRAIN)
    test = tmp_path / "test.csv"
    test.write_bytes(b"b,label,a,person\n2,\xff?,1.5,\n")
    context, output = ingested(tmp_path, train, test)
    assert matrix(output / "test.parquet")[0] == ["a", "b"]
    np.testing.assert_array_equal(matrix(output / "test.parquet")[1], [[1.5, 2]])
    assert len(context.warnings) == 2
    assert "'label' in the test" in context.warnings[0] and "by name" in context.warnings[1]
    record = quality(output)
    assert record["test_columns_reordered"] is True
    assert record["test_columns_ignored"] == ["label"]  # persons are looked at, for warnings


def as_file(folder, name, text, suffix):
    """The same table as CSV or as Parquet."""
    if suffix == "csv":
        return write(folder / f"{name}.csv", text)
    path = folder / f"{name}.parquet"
    pq.write_table(pacsv.read_csv(io.BytesIO(text.encode())), path)
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_that_are_no_features(tmp_path, suffix):
    """By name or by pattern, in one table or both; a name with brackets is no pattern."""
    train = (
        "a,gender,raw_x,raw_y,acc[0],label,person\n"
        "1,female,1,2,3,calm,P\n2,female,1,2,3,tense,P\n3,male,1,2,3,calm,Q\n4,male,1,2,3,tense,Q\n"
    )
    test = "gender,seen,a,raw_x\nmale,now,5,1\n"
    context, output = ingested(
        tmp_path,
        as_file(tmp_path, "train", train, suffix),
        as_file(tmp_path, "test", test, suffix),
        ignore=["gender", "raw_*", "acc[0]", "se?n"],
    )
    assert matrix(output / "train.parquet")[0] == matrix(output / "test.parquet")[0] == ["a"]
    assert context.warnings == []
    record = quality(output)
    assert record["ignored_columns"] == ["acc[0]", "gender", "raw_x", "raw_y", "seen"]
    assert record["test_columns_ignored"] == []


def test_a_pattern_ignores_neither_label_nor_person_nor_id(tmp_path):
    _, output = ingested(
        tmp_path,
        write(tmp_path / "train.csv", "l,p,label,person,k\n1,2,calm,P,7\n3,4,tense,P,8\n"),
        write(tmp_path / "test.csv", "k,l\n9,1\n"),
        ignore=["p*", "[jk]", "?erson"],
        id="k",
    )
    assert matrix(output / "train.parquet")[0] == ["l"]
    assert quality(output)["ignored_columns"] == ["p"]
    assert pq.read_table(output / "test_rows.parquet")["id"].to_pylist() == [9]


def test_the_competitions_layout_without_what_is_ignored(tmp_path):
    _, output = ingested(
        tmp_path,
        write(tmp_path / "train.csv", "when,key,a,emotion,who,note\nx,1,2,0,7,y\nx,2,3,1,7,y\n"),
        write(tmp_path / "test.csv", "when,key,a\nx,5,1\n"),
        ignore=["when", "note"],
        label=None,
        group=None,
    )
    assert matrix(output / "train.parquet")[0] == ["a"]
    assert pq.read_table(output / "train_rows.parquet").to_pydict() == {
        "id": [1, 2], "label": [0, 1], "person": [7, 7]
    }  # fmt: skip
    assert pq.read_table(output / "test_rows.parquet")["id"].to_pylist() == [5]


@pytest.mark.parametrize(
    ("ignore", "message"),
    [
        (["A"], "holds 'A', and no column of .*train.csv or .*test.csv has .*nearest is 'a'"),
        (["b", "lab*l_"], r"holds 'lab\*l_', .*the nearest is 'label'"),
        (["label"], "holds 'label', which is data.label; take it out"),
        (["person"], "holds 'person', which is data.group; take it out"),
    ],
)
def test_what_cannot_be_ignored(tmp_path, ignore, message):
    train, test = write(tmp_path / "train.csv", TRAIN), write(tmp_path / "test.csv", TEST)
    with pytest.raises(ConfigError, match=message):
        ingested(tmp_path, train, test, ignore=ignore)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_text_columns_are_named_together(tmp_path, suffix):
    rows = "".join(
        f"{at},{'fm'[at % 2]},2024-01-0{at + 1}x,{at},{['calm', 'tense'][at % 2]},P\n"
        for at in range(4)
    )
    train = as_file(tmp_path, "train", f"a,sex,day,b,label,person\n{rows}", suffix)
    test = write(tmp_path / "test.csv", "a,sex,day,b\n1,f,x,2\n")
    expected = r"expected numbers, found text in 'sex', 'day'; .*\{ignore: \['sex', 'day'\]\}"
    with pytest.raises(InputError, match=expected):
        ingested(tmp_path, train, test)
    shutil.rmtree(tmp_path / "out")
    ingested(tmp_path, train, test, ignore=["sex", "day"])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_text_columns_are_named_with_what_the_test_table_lacks(tmp_path, suffix):
    rows = "".join(f"{at},f,u{at}x,{at / 4},{at % 2},P\n" for at in range(4))
    train = as_file(tmp_path, "train", f"a,sex,note,b,label,person\n{rows}", suffix)
    for lacking, header in (("'note'", "a,sex,b"), ("'note', 'b'", "a,sex")):
        test = write(tmp_path / "test.csv", f"{header}\n1,f,2\n")
        with pytest.raises(InputError) as caught:
            ingested(tmp_path, train, test)
        shutil.rmtree(tmp_path / "out")
        assert f"lacks {lacking}; make the two agree" in str(caught.value)
        assert "found text in 'sex', 'note'; leave out" in str(caught.value)
        assert "`data: {ignore: ['sex', 'note']}`" in str(caught.value)


def test_a_first_column_of_text_may_be_the_id(tmp_path):
    train = write(tmp_path / "t.csv", "w,a,label,person\n7u,1,0,P\n8v,2,1,P\n")
    with pytest.raises(
        InputError, match=r"text in 'w'; .* 'w' may name the rows: then set data.id"
    ):
        ingested(tmp_path, train, train)


def test_further_columns_of_the_test_table_are_left_out(tmp_path):
    train = write(tmp_path / "train.csv", TRAIN)
    test = write(tmp_path / "test.csv", "c,b,a,d\nx,2,1.5,\n")
    context, output = ingested(tmp_path, train, test)
    np.testing.assert_array_equal(matrix(output / "test.parquet")[1], [[1.5, 2]])
    assert "'c', 'd' in the test table will not be read" in context.warnings[0]
    assert quality(output)["test_columns_ignored"] == ["c", "d"]


@settings(max_examples=8)
@given(
    cells=st.lists(
        st.tuples(st.floats(), st.floats(width=32), st.integers(-(2**53), 2**53)),
        min_size=4,
        max_size=40,
    ),
    persons=st.sampled_from([["P", "Q"], [1, 2], [-3, 10**17], [1.0, 2.0]]),
)
def test_every_format_gives_the_same_bytes_with_any_workers(tmp_path_factory, cells, persons):
    folder = tmp_path_factory.mktemp("formats")
    rows = [(*row, CLASSES[at % 2], persons[at * 2 // len(cells)]) for at, row in enumerate(cells)]
    names = ["a", "b", "c", "label", "person"]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([names, *rows])
    write(folder / "t.csv", text.getvalue())
    write(folder / "t.csv.gz", text.getvalue())
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    pq.write_table(
        pa.table({name: list(column) for name, column in columns.items()}), folder / "t.pq"
    )
    digests = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_file, "_MOST_ROWS", 7)
        patch.setattr(feature_file, "_LEAST_ROWS", 1)
        patch.setattr(csv_tables, "BLOCK_BYTES", 200)
        for suffix, workers in (("csv", 1), ("csv", 2), ("csv.gz", 2), ("pq", 2)):
            place = folder / f"{suffix} {workers}"
            place.mkdir()
            path = folder / f"t.{suffix}"
            _, output = ingested(place, path, path, workers=workers)
            digests.add(tuple((output / name).read_bytes() for name in OUTPUTS))
    assert len(digests) == 1
    assert pq.ParquetFile(output / "train.parquet").metadata.num_row_groups == -(-len(cells) // 7)


def odd_table(tmp_path):
    """Columns that are constant, empty, twins, and one plain."""
    text = (
        "plain,flat,void,twin,wild,same,label,person\n"
        "1,4,,1,1e21,1,0,2\n2,,inf,2,-inf,2,1,2\n3,4,nan,3,,3,0,10\n4,4,,4,-3e20,4.0,1,10\n"
    )
    test = "plain,flat,void,twin,wild,same\n1,inf,inf,1e20,,1\n"
    return write(tmp_path / "train.csv", text), write(tmp_path / "test.csv", test)


def test_quality_record(tmp_path):
    context, output = ingested(tmp_path, *odd_table(tmp_path))
    assert quality(output) == {
        "warnings": empty_in_test(["flat", "wild"]),
        "rows": {"train": 4, "test": 1},
        "features": 5,
        "features_read": 6,
        "cells": {
            "train": {
                "missing": {"total": 5, "columns": {"flat": 1, "void": 3, "wild": 1}},
                "infinite": {"total": 2, "columns": {"void": 1, "wild": 1}},
                "beyond_1e20": {"total": 2, "columns": {"wild": 2}},
            },
            "test": {
                "missing": {"total": 1, "columns": {"wild": 1}},
                "infinite": {"total": 1, "columns": {"flat": 1}},
                "beyond_1e20": {"total": 0, "columns": {}},
            },
        },
        "all_missing_columns": ["void"],
        "constant_columns": ["flat"],
        "dropped_columns": ["void"],
        "duplicate_columns": [["plain", "twin", "same"]],
        "class_counts": {"calm": 2, "tense": 2},
        "rows_per_person": {"2": 2, "10": 2},
        "ignored_columns": [],
        "test_columns_ignored": [],
        "test_columns_reordered": False,
        "reading": {"train": [], "test": []},
        "policies": {
            "missing": "impute", "infinite": "missing", "all_missing": "drop", "constant": "keep"
        },
    }  # fmt: skip
    text = (output / "quality.json").read_text()
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=1) + "\n"
    assert len(context.warnings) == 2 and "'void'" in context.warnings[0]


def test_constant_columns_can_be_dropped(tmp_path):
    context, output = ingested(tmp_path, *odd_table(tmp_path), constant="drop")
    expected = ["plain", "twin", "wild", "same"]
    names, values = matrix(output / "train.parquet")
    assert names == matrix(output / "test.parquet")[0] == expected
    np.testing.assert_array_equal(values[:, 0], [1, 2, 3, 4])
    assert quality(output)["dropped_columns"] == ["flat", "void"]
    assert context.warnings[2:] == empty_in_test(["wild"])


def test_duplicate_columns_differ_in_one_bit_of_a_zero(tmp_path):
    train = "a,b,c,label,person\n0,-0.0,0,0,P\n1,1,1,1,P\n"
    test = write(tmp_path / "test.csv", "a,b,c\n1,1,1\n")
    _, output = ingested(tmp_path, write(tmp_path / "train.csv", train), test)
    assert quality(output)["duplicate_columns"] == [["a", "c"]]


@pytest.mark.parametrize(
    ("policy", "column", "row"), [("missing", "void", 1), ("infinite", "void", 2)]
)
def test_error_policies_name_the_first_cell(tmp_path, policy, column, row):
    with pytest.raises(InputError) as caught:
        ingested(tmp_path, *odd_table(tmp_path), **{policy: "error"})
    message = str(caught.value)
    assert f"column '{column}', data row {row} (line {row + 1})" in message
    assert f"data.{policy}" in message
    assert list((tmp_path / "out").iterdir()) == []


def test_all_missing_error(tmp_path):
    with pytest.raises(InputError, match=r"'void'.*data\.all_missing"):
        ingested(tmp_path, *odd_table(tmp_path), all_missing="error")


def test_classes_may_look_like_missing_values_or_numbers(tmp_path):
    train = write(tmp_path / "train.csv", "a,label,person\n1,NA,P\n2,2,P\n3,NA,P\n")
    test = write(tmp_path / "test.csv", "a\n1\n\n3\n")
    _, output = ingested(tmp_path, train, test, classes=["2", "NA"])
    assert pq.read_table(output / "train_rows.parquet")["label"].to_pylist() == [1, 0, 1]
    # In a table of one column a blank line is a value that is missing.
    np.testing.assert_array_equal(matrix(output / "test.parquet")[1], [[1], [math.nan], [3]])


@pytest.mark.parametrize(
    "changes",
    [{"label": None}, {"group": None}, {"id": "label"}, {"label": None, "group": None, "id": "b"}],
)
def test_contradicting_names_of_columns(tmp_path, changes):
    train, test = write(tmp_path / "train.csv", TRAIN), write(tmp_path / "test.csv", TEST)
    with pytest.raises(ConfigError, match=r"data\.(label|id)"):
        ingested(tmp_path, train, test, **changes)
