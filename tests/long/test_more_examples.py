"""What `tests/unit` tries, tried more often, or at more places."""

import pytest
from hypothesis import settings

from tests.unit.emodag import (
    test_folds,
    test_ingest_tables,
    test_scaling,
    test_scoring,
    test_targets,
)
from tests.unit.ledger import test_builds, test_distance, test_meanwhile
from tests.unit.ledger.test_builds import pristine  # noqa: F401
from tests.unit.ledger.test_meanwhile import (  # noqa: F401
    made,
    stack,
    test_damage_beside_what_is_made_anew_is_still_told,
    test_planning_has_an_answer,
    test_verify_calls_nothing_damaged_that_a_run_makes_anew,
    test_who_reads_has_an_answer,
)

PROPERTIES = {
    name: tried
    for module in (test_distance, test_folds, test_scaling, test_scoring)
    for name, tried in vars(module).items()
    if getattr(tried, "is_hypothesis_test", False)
}


@pytest.fixture(autouse=True)
def every_look(monkeypatch):
    monkeypatch.setattr(test_meanwhile, "EVERY", 1)


@pytest.mark.parametrize("name", PROPERTIES)
def test_more_examples(name):
    settings(max_examples=300, deadline=None)(PROPERTIES[name])()


def test_csv_equals_float_whatever_the_blocks(tmp_path_factory):
    tried = settings(max_examples=300, deadline=None)
    tried(test_ingest_tables.test_csv_equals_float_whatever_the_blocks)(tmp_path_factory)


def test_pip_installs_the_same_build_as_uv(pristine, tmp_path):  # noqa: F811
    same = test_builds.test_the_same_wheel_is_the_same_build_wherever_it_is
    same(pristine, tmp_path, test_builds.PIP)


def test_avx512_alone_moves_nobody():
    test_folds.test_processor_features_move_nobody("AVX512F AVX512_SKX")


@pytest.mark.parametrize("matmul", ["torch", "bfloat16"])
def test_balanced_a_rare_class_counts_as_much_as_others(matmul):
    test_targets.test_balanced_a_rare_class_counts_as_much_as_others(matmul)
