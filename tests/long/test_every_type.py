"""Cells of every type in every role, however a table was saved; `tests/unit` has the usual ones."""

import pytest

from tests.unit.emodag import test_ingest_formats as formats
from tests.unit.emodag import test_ingest_joined as several

CELLS = [kind for kind in formats.CELLS if kind not in formats.USUAL]
NAMES = [kind for kind in several.NAMES if kind not in several.USUAL]


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("index", [None, False])
def test_features(tmp_path, kind, index):
    formats.test_features_of_the_usual_types(tmp_path, kind, index)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("role", ["id", "group"])
def test_ids_and_persons(tmp_path, kind, role):
    formats.test_ids_and_persons_of_the_usual_types(tmp_path, kind, role)


@pytest.mark.parametrize("kinds", several.FORMATS[1:])
@pytest.mark.parametrize("role", ["id", "group", "label"])
@pytest.mark.parametrize("kind", NAMES)
def test_names_in_files_of_several_formats(tmp_path, kinds, role, kind):
    several.test_names_in_files_of_several_formats(tmp_path, kinds, role, kind)
