"""How tables of text are written: separators, decimals, compression, missing cells, odd lines."""

import bz2
import gzip
import lzma
import re
import zipfile
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emodag.config.data import Data
from emodag.science.tables import csv_tables
from emodag.science.tables.ingest import open_table
from ledger.errors import ConfigError, InputError
from tests.unit.emodag.test_ingest import ingested, matrix, quality, write

X = np.round(np.random.default_rng(1).normal(size=(6, 3)) * 10, 3)
FRAME = pd.DataFrame(X, columns=["f0", "f1", "f2"]).assign(
    mood=["calm", "tense"] * 3, who=["P", "P", "Q", "Q", "R", "R"]
)
PLAIN = FRAME.to_csv(index=False)
PACKERS = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": lambda text: pa.Codec("zstd").compress(text, asbytes=True),
}


def values_of(path, **how):
    blocks = list(open_table(path, **how).blocks(["f0", "f1", "f2"], ["mood", "who"]))
    return np.vstack([block.values for block in blocks])


def complaint(folder, text, *, test=None, name="train.csv", **changes):
    train = write(folder / name, text)
    other = train if test is None else write(folder / "test.csv", test)
    with pytest.raises(InputError) as caught:
        ingested(folder, train, other, **{"label": "mood", "group": "who"} | changes)
    return str(caught.value)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
@pytest.mark.parametrize("decimals", ["nearest", "pandas"])
def test_separators_and_decimals(tmp_path, separator, decimal, suffix, decimals):
    how = {"decimal": ","} if (separator, decimal) == (",", ",") else {}
    path = tmp_path / f"train.{suffix}"
    FRAME.to_csv(path, index=False, sep=separator, decimal=decimal)
    context, output = ingested(
        tmp_path, path, path, label="mood", group="who", decimals=decimals, **how
    )
    np.testing.assert_array_equal(matrix(output / "train.parquet")[1], X)
    told = quality(output)["reading"]["train"]
    name = {";": "semicolon", "\t": "tab", "|": "bar"}.get(separator)
    assert any(f"separated by {name}s" in note for note in told) == (name is not None)
    assert any("decimals are written with a comma" in note for note in told) == (decimal == ",")
    assert len([line for line in context.notes if "separated" in line]) == 2 * bool(name)


def test_what_is_fixed_is_not_found_out(tmp_path):
    path = write(tmp_path / "t.csv", "a;b,c\n1;2,3\n4;5,6\n")
    assert open_table(path).columns == ("a;b", "c")
    assert open_table(path, separator=";").columns == ("a", "b,c")
    with pytest.raises(InputError, match=r"found '2,3'; if all decimals .* data\.decimal"):
        list(open_table(path, separator=";", decimal=".").blocks(["b,c"], []))
    (block,) = open_table(path, separator=";", decimal=",").blocks(["b,c"], [])
    assert block.values.tolist() == [[2.3], [5.6]]


NOTHING_ELSE = [
    *("a;b\n1\n2\n", "a\n1\n", '"x;y",b\n"1",2\n', "a,b\n"),
    *('"a\tb",c|d\n1,2\n3,4\n', "a,b\n1\n2,3;4\n"),
]


@pytest.mark.parametrize("text", NOTHING_ELSE)
def test_commas_stay_where_nothing_else_fits(tmp_path, text):
    assert open_table(write(tmp_path / "t.csv", text)).notes == ()


def test_labels_and_persons_with_decimal_commas(tmp_path):
    text = "f;mood;who\n1,5;0,0;1,0\n2,5;1,0;1,0\n;0,0;2,0\n3;1,0;2,0\n"
    path = write(tmp_path / "t.csv", text)
    _, output = ingested(tmp_path, path, path, label="mood", group="who", classes=["1", "0"])
    rows = pq.read_table(output / "train_rows.parquet").to_pydict()
    assert rows["label"] == [1, 0, 1, 0] and rows["person"] == [1, 1, 2, 2]
    np.testing.assert_array_equal(matrix(output / "train.parquet")[1][:, 0], [1.5, 2.5, np.nan, 3])


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("separator", [",", "\t"])
def test_compressed_tables(tmp_path, monkeypatch, kind, separator):
    plain = PLAIN.replace(",", separator).encode()
    path = tmp_path / f"t.{'csv' if separator == ',' else 'tsv'}.{kind}"
    path.write_bytes(PACKERS[kind](plain))
    monkeypatch.setattr(csv_tables, "BLOCK_BYTES", 100)
    np.testing.assert_array_equal(values_of(path), X)
    path.write_bytes(PACKERS[kind](plain)[:-6])
    with pytest.raises(InputError, match="cut short"):
        values_of(path)
    path.write_bytes(plain)
    with pytest.raises(InputError, match=f"as its suffix says; remove .{kind}"):
        open_table(path)
    path = tmp_path / "t.csv"
    path.write_bytes(PACKERS[kind](plain))
    with pytest.raises(InputError, match=rf"give it the suffix \.csv\.{kind}"):
        open_table(path)


def test_a_zip_holds_one_table(tmp_path):
    path = tmp_path / "train.csv.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/train.csv", PLAIN)
        archive.writestr("__MACOSX/folder/._train.csv", "x")
        archive.writestr("folder/.DS_Store", "x")
    np.testing.assert_array_equal(values_of(path), X)
    np.testing.assert_array_equal(values_of(path.rename(tmp_path / "train.zip")), X)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", PLAIN)
        archive.writestr("b.csv", PLAIN)
    with pytest.raises(InputError, match=r"one table .*found 2 files \('a.csv', 'b.csv'\)"):
        open_table(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="damaged"):
        open_table(path)


@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
def test_feather(tmp_path, compression):
    path = tmp_path / "train.feather"
    FRAME.to_feather(path, compression=compression, chunksize=4)
    np.testing.assert_array_equal(values_of(path), X)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="cut short"):
        values_of(path)
    path.write_text(PLAIN)
    with pytest.raises(InputError, match="is not a Feather file"):
        open_table(path)


GAP = X.copy()
GAP[2, 1] = np.nan
"""The values of `FRAME`, one of them missing."""


def spelt(path, spelling, *cells):
    """`FRAME` in a file, with this in some of its cells."""
    table = FRAME.astype({"f1": str})
    for row, column in cells:
        table.loc[row, column] = spelling
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)
    return path


PANDAS_SPELLINGS = ["#NA", "#N/A N/A", "1.#QNAN", "-1.#IND", "-NaN", "None", " NA", "NA ", "nan"]


@pytest.mark.parametrize("spelling", PANDAS_SPELLINGS)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_spellings_of_a_missing_cell(tmp_path, spelling, suffix):
    path = spelt(tmp_path / f"t.{suffix}", spelling, (2, "f1"))
    np.testing.assert_array_equal(values_of(path), GAP)


@pytest.mark.parametrize("spelling", ["?", "-", ".", "#DIV/0!", "-999", "no signal"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_spellings_of_ones_own(tmp_path, spelling, suffix):
    path = spelt(tmp_path / f"t.{suffix}", spelling, (2, "f1"))
    np.testing.assert_array_equal(values_of(path, missing=[spelling]), GAP)
    if spelling != "-999":
        with pytest.raises(InputError, match=r"data row 3.*expected a number"):
            values_of(path)
    path = spelt(tmp_path / f"who.{suffix}", spelling, (2, "f1"), (1, "who"))
    own = {"missing_values": [spelling], "label": "mood", "group": "who"}
    with pytest.raises(InputError, match=r"data row 2.*the person is missing"):
        ingested(tmp_path, path, path, **own)


def test_booleans_do_not_change_how_decimals_are_read(tmp_path):
    x = np.random.default_rng(0).normal(scale=1e3, size=300)
    table = pd.DataFrame({"x": x, "b": x > 0, "c": pd.array(x > 1, "boolean")})
    table.loc[3, "c"] = pd.NA
    table.to_csv(tmp_path / "t.csv", index=False)
    (block,) = open_table(tmp_path / "t.csv", decimals="pandas").blocks(["x", "b", "c"], [])
    expected = pd.read_csv(tmp_path / "t.csv").to_numpy(np.float64)
    np.testing.assert_array_equal(block.values, expected)
    assert (block.values[:, 0] != x).any()


@pytest.mark.parametrize("suffix", ["csv", "csv with points", "parquet", "whole.parquet"])
@pytest.mark.parametrize("decimals", ["nearest", "pandas"])
def test_a_number_for_missing_cells(tmp_path, suffix, decimals):
    table = FRAME.assign(f1=[1, -999, 3, 4, -999, 5])
    if suffix != "whole.parquet":
        table["f1"] = table["f1"].astype(float)
    path = tmp_path / f"t.{suffix.split()[0]}"
    if "csv" in suffix:
        table.to_csv(path, index=False, float_format="%g" if suffix == "csv" else None)
    else:
        table.to_parquet(path)
    values = values_of(path, missing=["-999"], decimals=decimals)
    assert np.isnan(values).sum(axis=0).tolist() == [0, 2, 0]


@pytest.mark.parametrize("code", ["-999,9", "-999.9", "-999,90"])
def test_a_code_with_a_decimal_comma(tmp_path, code):
    path = write(tmp_path / "t.csv", "a;b\n-999,9;1,5\n-999,900;2\n")
    (block,) = open_table(path, missing=[code]).blocks(["a", "b"], [])
    np.testing.assert_array_equal(block.values, [[np.nan, 1.5], [np.nan, 2]])
    path = write(tmp_path / "u.csv", "a;b\n1.234;1\n")
    (block,) = open_table(path, missing=["1,234"]).blocks(["a", "b"], [])
    assert block.values.tolist() == [[1.234, 1]]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("named", [False, True])
def test_a_code_for_missing_cells_may_number_a_row(tmp_path, suffix, named):
    path = tmp_path / f"t.{suffix}"
    frame = FRAME.assign(f1=[0, 1, 2, 3, 4, -1])
    if named:
        frame["key"] = range(-1, 5)
    frame.to_csv(path) if suffix == "csv" else frame.to_parquet(path)
    how = {"label": "mood", "group": "who", "missing_values": ["0", "-1"]}
    _, output = ingested(tmp_path, path, path, id="key" if named else None, **how)
    ids = pq.read_table(output / "test_rows.parquet")["id"].to_pylist()
    assert ids == list(range(-1, 5) if named else range(6))
    assert np.isnan(matrix(output / "train.parquet")[1]).sum(axis=0).tolist() == [0, 2, 0]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("column", ["mood", "who"])
def test_a_code_for_missing_is_no_person_and_no_label(tmp_path, suffix, column):
    path = tmp_path / f"t.{suffix}"
    frame = FRAME.assign(mood=[0.0, 1, 0, 1, 0, 1], who=[1.0, 1, 2, 2, 3, 3])
    frame.loc[1, column] = -999
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path, index=False)
    with pytest.raises(InputError, match=r"data row 2.* is missing \(found '-999.0', by data\.mis"):
        ingested(tmp_path, path, path, label="mood", group="who", missing_values=["-999"])


def test_booleans_and_numbers_do_not_mix(tmp_path, monkeypatch):
    path = write(tmp_path / "t.csv", "a,b\n" + ",1\nTrue,2\nFALSE,3\n" * 9 + "0.5,1\n")
    with pytest.raises(InputError, match=r"'a', data row 28 .*True or False, .*found '0.5'"):
        list(open_table(path).blocks(["a", "b"], []))
    monkeypatch.setattr(csv_tables, "BLOCK_BYTES", 40)
    table = open_table(path)
    with pytest.raises(InputError, match=r"data row 28 .*True or False, .*found '0.5'"):
        list(table.blocks(["a", "b"], []))
    path = write(tmp_path / "u.csv", "a,b\n" + ",1\n0.5,2\n" * 9 + "True,1\n")
    table = open_table(path)
    with pytest.raises(InputError, match=r"data row 19 .*expected a number, found 'True'"):
        list(table.blocks(["a", "b"], []))


BESIDE_BOOLEANS = {
    b"True,x,A,false": "column 'f', data row 6 (line 7): expected a number, found 'x'",
    b"True,1.5.3,A,false": "column 'f', data row 6 (line 7): expected a number, found '1.5.3'",
    b"True,True,A,false": "column 'f', data row 6 (line 7): expected a number, found 'True'",
    b"True,1,\xff,false": "column 'who', data row 6 (line 7): holds bytes that are not UTF-8",
    b"True,1": "data row 6 (line 7): expected 4 cells as in the header, found 2",
    b"True,1,A,false,2": "data row 6 (line 7): expected 4 cells as in the header, found 5",
    b"0,1,A,false": "column 'a', data row 6 (line 7): expected True or False",
    b"True,1,A,no": "column 'z', data row 6 (line 7): expected True or False",
}


@pytest.mark.parametrize("block", [20, 1 << 20])
@pytest.mark.parametrize(("bad", "told"), BESIDE_BOOLEANS.items())
def test_a_bad_cell_is_not_blamed_on_booleans_beside_it(tmp_path, monkeypatch, bad, told, block):
    path, good = tmp_path / "t.csv", b"False,2,B,true"
    path.write_bytes(b"\n".join([b"a,f,who,z", b",1,A,", b" NA,1,A,?", *[good] * 3, bad, good]))
    table = open_table(path, missing=["?"])
    monkeypatch.setattr(csv_tables, "BLOCK_BYTES", block)
    with pytest.raises(InputError, match=re.escape(told)):
        list(table.blocks(["z", "f", "a"], ["who"]))


HEADER, *LINES = PLAIN.splitlines(keepends=True)
BODY = "".join(LINES)
UNITS = "uS,bpm,g,,\n"
ODD = {
    "note for Excel": (f"sep=,\n{PLAIN}", r"'sep=,', tells Excel the separator; remove it"),
    "quoted note": (f'"sep=;"\n{PLAIN}', "tells Excel the separator"),
    "remarks": (f"# device: 2\n# rate: 64 Hz\n{PLAIN}", "begins with a remark, '# device: 2'"),
    "one remark": (f"# a, b\n{PLAIN}", "begins with a remark"),
    "units": (HEADER + UNITS + BODY, r"data row 1 \(line 2\): holds no number .*row of units"),
    "units in brackets": (HEADER + "[uS],[bpm],[g],mood,who\n" + BODY, "row of units"),
    "units of some": (HEADER + "uS,,g,,\n" + BODY, "row of units"),
    "the unit of one": (HEADER + ",V,,,\n" + BODY, "row of units"),
    "lines in quotation marks": (
        "".join(f'"{line}"\n' for line in PLAIN.splitlines()),
        "has no column 'mood'.*whole lines of it stand in quotation marks: remove those",
    ),
    "rows in quotation marks": (
        HEADER + "".join(f'"{line}"\n' for line in BODY.splitlines()),
        r"data row 1 \(line 2\): .*found 1; the line stands in quotation marks as a whole",
    ),
    "spaces, and decimals with commas": (
        PLAIN.replace(",", " ").replace(".", ","),
        "separated by spaces. Then set data.separator: ' '",
    ),
    "slashes": (PLAIN.replace(",", "/"), "by '/' signs. Then set data.separator: '/'"),
    "lines before": ("Device: 2\nRate: 64\n" + PLAIN, "lines below it have more cells"),
    "cells before": ("Subject,S2\n\n" + PLAIN, "has no column 'mood'.*do other lines, .* come"),
    "spaces": (PLAIN.replace(",", " "), "separated by spaces. Then set data.separator: ' '"),
    "two headers": ("eda,eda,hr,,\n" + PLAIN, "second header"),
    "commas at the end": (PLAIN.replace("\n", ",\n"), "the header ends with a comma"),
    "commas that end rows": (HEADER + BODY.replace("\n", ",\n"), "the row ends with a comma"),
    "many commas that end rows": (HEADER + BODY.replace("\n", ",,,\n"), "row ends with a comma"),
    "as R writes": (
        (HEADER + "".join(f"{at},{line}" for at, line in enumerate(LINES))).replace(",", " "),
        "has no column 'mood'.*are the.* named, as R does it",
    ),
    "several spaces": (PLAIN.replace(",", "   "), "separated by several spaces. Write it with one"),
    "a title": ("Recording 7,,,,\n" + PLAIN, "its first line names 1 of 5 columns; remove"),
    "colons": (PLAIN.replace(",", ":"), "separated by colons. Then set data.separator: ':'"),
    "pointer": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9\n",
        r"only points to a file that Git LFS keeps; run `git lfs pull`",
    ),
    "web page": ("<!DOCTYPE html>\n<html></html>\n", "is a web page, perhaps one with an error"),
    "an index that repeats": (
        "," + HEADER + "".join(f"{at % 3},{line}" for at, line in enumerate(LINES)),
        r"the id 0 was already used .*, or name it in data\.ignore: \[''\]",
    ),
    "semicolons at the end": (PLAIN.replace("\n", ",\n").replace(",", ";"), "with a semicolon"),
    "names of rows": (
        HEADER + "".join(f'"{at}",{line}' for at, line in enumerate(LINES)),
        "expected 5 cells as in the header, found 6; are the rows named, as R does it",
    ),
    "joined files": (PLAIN + PLAIN, r"data row 7 \(line 8\): repeats the header"),
    "names of columns": (BODY, "has no column 'mood'.*its first line looks like data"),
    "many twins": (
        PLAIN.replace("f1", "f0").replace("who", "mood"),
        "columns 1 and 2 have the same name 'f0'; columns 4 and 5 have the same name 'mood'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_odd_lines_are_called_what_they_are(tmp_path, case):
    text, expected = ODD[case]
    message = complaint(tmp_path, text)
    assert re.search(expected, message), message


@pytest.mark.parametrize("end", [",", ",,"])
def test_commas_that_end_rows_are_no_names_of_rows(tmp_path, end):
    path = write(tmp_path / "t.csv", HEADER + BODY.replace("\n", f"{end}\n"))
    assert open_table(path).hint.startswith("; its rows end with a comma")


@pytest.mark.parametrize("name", ["F1", "f1 ", "f1\u00a0", "f 1", "f1\u0301", "f_1", "f01"])
def test_names_that_look_alike(tmp_path, name):
    message = complaint(tmp_path, PLAIN, test=PLAIN.replace("f1", name))
    assert f"; only case, spaces, accents or marks tell 'f1' from {name!a}" in message


def test_a_separator_that_is_not_the_tables(tmp_path):
    message = complaint(tmp_path, PLAIN, separator=";")
    assert "separated by commas? Then set data.separator: ','" in message


def test_what_is_in_a_compressed_file(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(gzip.compress(PLAIN.encode())))
    with pytest.raises(InputError, match="what is in it is compressed with gzip"):
        open_table(path)


@pytest.mark.parametrize("inner", ["gz", "xz", "bz2", "zst", "parquet", "feather"])
@pytest.mark.parametrize("outer", ["zip", "csv.zip", "csv.gz"])
def test_what_is_in_an_archive_is_told_what_to_do_with(tmp_path, inner, outer):
    own = {"parquet": FRAME.to_parquet, "feather": FRAME.to_feather}
    made = tmp_path / f"t.{inner}"
    if inner in own:
        own[inner](made)
    else:
        made.write_bytes(PACKERS[inner](PLAIN.encode()))
    path = tmp_path / f"t.{outer}"
    if outer == "csv.gz":
        path.write_bytes(gzip.compress(made.read_bytes()))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(made, made.name)
    suffix = inner if inner in own else f"csv.{inner}"
    expected = rf"what is in it is .*; unpack it and give it the suffix \.{suffix}$"
    with pytest.raises(InputError, match=expected):
        open_table(path)


def test_spaces_that_are_not_one_each(tmp_path):
    message = complaint(tmp_path, PLAIN.replace(",", "  "), separator=" ")
    assert "have the same name ''" in message and "by several spaces" in message


def test_other_kinds_of_files_with_the_suffix_of_parquet(tmp_path):
    (tmp_path / "t.parquet").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match=r"is not a Parquet file, as .*Git LFS"):
        open_table(tmp_path / "t.parquet")


def test_no_header_in_the_competition_layout(tmp_path):
    rows = "".join(f"{at},{line}" for at, line in enumerate(LINES))
    test = "\n".join(line.rsplit(",", 2)[0] for line in rows.splitlines()[3:])
    message = complaint(tmp_path, rows, test=test, label=None, group=None)
    assert "its first line looks like data" in message


NOT_ODD = [
    *("#id,f\n1,2\n", "0,1,mood\n1.5,2,a\n3,4,b\n", "f,g\n,\n1,2\n", "f,g\nNA,x\n1,2\n"),
    *("f,g\nTrue,x\n1,2\n", "f,g\nx,2\n1,2\n", "f,g\nx,y\nz,w\n", "f,g\n,x\n,y\n1,z\n"),
]


@pytest.mark.parametrize("text", NOT_ODD)
def test_what_only_looks_odd_is_read(tmp_path, text):
    assert len(open_table(write(tmp_path / "t.csv", text)).columns) > 1


def test_classes_without_quotes():
    assert Data(classes=[1, 2, -3]).classes == ["1", "2", "-3"]
    assert Data(missing_values=[-999, "?"]).missing_values == ["-999", "?"]
    for classes in ([False, True], ["no", True], [0.5, 1.5], [None, "a"], [date(2024, 5, 1), "a"]):
        with pytest.raises((ConfigError, ValueError), match="quote"):
            Data(classes=classes)


@pytest.mark.parametrize("key", ["label", "group", "id", "test_group", "ignore"])
def test_names_of_columns_without_quotes(key):
    """Whole numbers are such names, as pandas gives them to the columns of a matrix."""
    files = {"source": "files", "train": "a", "test": "b", "label": "l", "group": "g"}

    def read(name):
        return getattr(Data(**files | {key: [name] if key == "ignore" else name}), key)

    assert read(7) == (["7"] if key == "ignore" else "7")
    for name in (True, 0.5, date(2024, 5, 1)):
        with pytest.raises(ValueError, match="quote"):
            read(name)


def test_what_separates_cells():
    for mark, expected in {r"\t": "\t", ":": ":", " ": " ", None: None}.items():
        assert Data(separator=mark).separator == expected
    for mark in ("·", "", "::", '"', "5", "e", "\n", "\0", "-"):
        with pytest.raises((ConfigError, ValueError), match="cannot separate cells: give one"):
            Data(separator=mark)


def test_thousands_are_no_decimals(tmp_path):
    """What is one or the other is refused, and not read as something else in another file."""
    path = tmp_path / "t.csv"
    path.write_text("a;b\n1,000;3\n960;4\n")
    with pytest.raises(InputError, match=r"column 'a', data row 1 .*'1,000'.*data\.decimal"):
        list(open_table(path).blocks(["a", "b"], []))
    (block,) = open_table(path, decimal=",").blocks(["a", "b"], [])
    assert block.values.tolist() == [[1, 3], [960, 4]]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_three_decimals_in_all_numbers_are_decimals(tmp_path, mark):
    path = tmp_path / "t.csv"
    path.write_text("a;b;c\n1,965;3;x\n-12,500;4;y\n".replace(";", mark))
    (block,) = open_table(path).blocks(["a", "b"], [])
    assert block.values.tolist() == [[1.965, 3], [-12.5, 4]]
    for cell in ("960", "1,234,567"):
        path.write_text(f"a;b\n1,965;3\n{cell};4\n".replace(";", mark))
        assert open_table(path).decimal == "."


def test_only_numbers_have_their_decimal_commas_changed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id;a;label\n1,1;0,5;1,0\nw0;1,25;2,0\n")
    (block,) = open_table(path).blocks(["a"], ["id", "label"])
    assert block.values.tolist() == [[0.5], [1.25]]
    assert block.texts["id"].to_pylist() == ["1,1", "w0"]
    assert block.texts["label"].to_pylist() == ["1.0", "2.0"]


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("role", ["group", "test_group", "first column", "id", "index", "label"])
def test_measurements_are_refused_however_their_decimals_are_written(tmp_path, role, decimal):
    """As persons, labels, and ids that nobody has named; else they are ids written one way."""
    table = FRAME.assign(key=np.arange(6) + 0.5)
    train = test = table[["key", *FRAME.columns]]
    how, index = {"label": "mood", "group": "who"}, False
    if role == "first column":
        test, how = train.drop(columns=["mood", "who"]), {"label": None, "group": None}
    elif role == "index":
        train = test = table.set_index("key").rename_axis(None)
        index = True
    elif role == "test_group":
        train, how = FRAME, {**how, "test_group": "key"}
    elif role == "id":
        how["id"] = "key"
    else:
        name = {"group": "who", "label": "mood"}[role]
        train = test = FRAME.assign(**{name: table["key"]})
    paths = [tmp_path / "train.csv", tmp_path / "test.csv"]
    for path, frame in zip(paths, (train, test), strict=True):
        frame.to_csv(path, index=index, sep=";", decimal=decimal)
    if role in ("id", "index"):
        _, output = ingested(tmp_path, *paths, **how)
        ids = pq.read_table(output / "test_rows.parquet")["id"].to_pylist()
        assert ids == ["0.5", "1.5", "2.5", "3.5", "4.5", "5.5"]
    else:
        with pytest.raises(InputError, match=f"found '0{decimal}5'"):
            ingested(tmp_path, *paths, **how)


def test_a_row_of_one_cell_does_not_hide_how_the_others_are_separated(tmp_path):
    table = FRAME.to_csv(index=False, sep=";", decimal=",") + "Exported on Monday\n"
    message = complaint(tmp_path, table)
    assert "data row 7 (line 8): expected 5 cells as in the header, found 1; complete" in message


def test_a_first_column_called_by_a_sharp(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('#,a,label\n1,2,"x, y"\n2,3,z\n')
    assert open_table(path).columns == ("#", "a", "label")


def test_a_row_longer_than_the_sample_still_tells_how_the_table_is_written(tmp_path):
    columns, rows = 20_000, 3
    cells = [
        ";".join(f"{at % 97},{row}25000000000" for at in range(columns)) for row in range(rows)
    ]
    header = ";".join(f"f{at}" for at in range(columns))
    (tmp_path / "t.csv").write_text("\n".join([header, *cells, ""]))
    table = open_table(tmp_path / "t.csv")
    assert table.notes == (
        "cells are separated by semicolons and decimals are written with a comma",
    )
    (block,) = table.blocks(table.columns, [])
    assert block.values[:, 98].tolist() == [1.025, 1.125, 1.225]
