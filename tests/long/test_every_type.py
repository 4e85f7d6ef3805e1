"""Cells of every type in every role, however a table was saved; `tests/unit` has the usual ones."""

import json
from decimal import Decimal

import pandas as pd
import pytest

from tests.unit.emodag import test_ingest_formats as formats
from tests.unit.emodag import test_ingest_joined as several
from tests.unit.emodag import test_saved_index as saved
from tests.unit.emodag.test_ingest_formats import CELLS, COUNTS, assert_alike, frame

LATER = [*CELLS][[*CELLS].index("bytes") :]


def others(kinds, usual):
    """Those that are tried here alone."""
    return [kind for kind in kinds if kind not in usual]


@pytest.mark.parametrize("kind", others(CELLS, formats.USUAL))
@pytest.mark.parametrize("index", [None, False])
def test_features(tmp_path, kind, index):
    formats.test_features_of_the_usual_types(tmp_path, kind, index)


@pytest.mark.parametrize("kind", others(CELLS, formats.USUAL))
@pytest.mark.parametrize("role", ["id", "group"])
def test_ids_and_persons(tmp_path, kind, role):
    formats.test_ids_and_persons_of_the_usual_types(tmp_path, kind, role)


@pytest.mark.parametrize("kinds", several.FORMATS[1:])
@pytest.mark.parametrize("role", ["id", "group", "label"])
@pytest.mark.parametrize("kind", others(several.NAMES, several.USUAL_NAMES))
def test_names_in_files_of_several_formats(tmp_path, kinds, role, kind):
    several.test_names_in_files_of_several_formats(tmp_path, kinds, role, kind)


@pytest.mark.parametrize("kinds", several.FORMATS[1:])
@pytest.mark.parametrize("kind", others(several.COLUMNS, several.USUAL_COLUMNS))
def test_features_of_files_of_several_formats(tmp_path, kinds, kind):
    several.test_features_of_files_of_several_formats(tmp_path, kinds, kind)


@pytest.mark.parametrize("kind", saved.INDICES)
@pytest.mark.parametrize("name", ["index", "7"])
def test_an_index_with_a_name_is_the_id(tmp_path, kind, name):
    saved.test_an_index_with_a_name_is_the_id(tmp_path, kind, name)


@pytest.mark.parametrize("exponent", [10, 11, 15])
@pytest.mark.parametrize("cell", ["{}", "{}.5", "{}.1234", "-{}"])
@pytest.mark.parametrize("index", [True, False])
def test_ids_of_many_digits(tmp_path, cell, exponent, index):
    """Which a spreadsheet would have cut to six digits, or to the same."""
    ids = [Decimal(cell.format(n) + f"E+{exponent}") for n in COUNTS + 1]
    train = frame().set_index(pd.Index(ids)) if index else frame(z=ids)
    changes = {} if index else {"id": "z"}
    found = assert_alike(tmp_path, train, train, index=None if index else False, **changes)
    assert f"'id': {list(map(int, ids))}" in json.loads(found)[0]


@pytest.mark.parametrize("kind", LATER)
def test_labels_as_pandas_writes_them(tmp_path, kind):
    cells = pd.Series(CELLS[kind]).iloc[[1, 3] * 4].reset_index(drop=True)
    train = frame().assign(mood=cells)
    classes = cells[:2].to_csv(index=False, header=False).splitlines()
    found = assert_alike(tmp_path, train, train.drop(columns="who"), classes=classes)
    assert "'label': [0, 1, 0, 1, 0, 1, 0, 1]" in json.loads(found)[0]


@pytest.mark.parametrize(
    "kind", ["bool", "int8", "uint64", "float16", "float64", "category", "Int64"]
)
@pytest.mark.parametrize("classes", [["0", "1"], ["1", "0"], ["calm", "tense"], ["False", "True"]])
def test_labels_of_every_type(tmp_path, kind, classes):
    train = frame()
    train["mood"] = pd.Series(COUNTS % 2).astype(kind)
    test = train.drop(columns=["mood", "who"])
    found = json.loads(assert_alike(tmp_path, train, test, classes=classes, index=False))
    expected = COUNTS % 2 if classes != ["1", "0"] else 1 - COUNTS % 2
    assert f"'label': {expected.tolist()}" in found[0]


@pytest.mark.parametrize("kind", LATER)
def test_an_index_of_every_type(tmp_path, kind):
    train = frame().set_index(pd.Index(CELLS[kind], name="z")).rename_axis(None)
    assert_alike(tmp_path, train, train.drop(columns=["mood", "who"]))
