"""Learners but the network: what they may see, what they survive, how they weigh classes."""

import importlib.util
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emodag.chain.jobs import workflow_of
from emodag.config.sections import load
from emodag.science.learners.task import Task, fit_on_present
from emodag.science.tables.matrices import read_columns, read_probabilities
from emodag.stages import learner
from ledger.errors import ConfigError
from ledger.jobs.planner import Planner
from tests.learner_checks import rare_class_share
from tests.said import Said

HERE = ("svm", "logistic_regression")
"""Those whose packages the project itself needs."""


@pytest.fixture
def inputs(tmp_path):
    """Six persons of 20 rows with labels, and 30 rows of a pool."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(6), 20)
    label = np.tile(np.repeat(np.arange(4), 5), 6).astype(np.int8)
    fold = (person % 2).astype(np.int16)
    x = rng.normal(size=(150, 6)).astype(np.float32)
    x[:120] += np.outer(label, [1, -1, 0.5, 0, 0, 0]).astype(np.float32)
    x[:, 3] = 0
    names = [f"f{j}" for j in range(6)]
    for name, part in {"train": x[:120], "test": x[120:]}.items():
        pq.write_table(pa.table(dict(zip(names, part.T, strict=True))), tmp_path / name)
    rows = {"id": np.arange(120), "label": label, "person": person}
    pq.write_table(pa.table(rows), tmp_path / "rows")
    folds = {"group_fold": fold, "row_fold": (np.arange(120) % 2).astype(np.int16)}
    pq.write_table(pa.table(folds), tmp_path / "folds")
    pseudo = {"row": np.arange(12, dtype=np.int32), "label": np.arange(12, dtype=np.int8) % 4}
    pq.write_table(pa.table(pseudo), tmp_path / "pseudo_labels")
    return {name: tmp_path / name for name in ("train", "test", "rows", "folds")}


def changed(inputs, name, change):
    """The inputs with a table changed in place, as arrays by name."""
    columns = {key: values.copy() for key, values in read_columns(inputs[name]).items()}
    change(columns)
    path = inputs[name].with_name(f"{name}-changed")
    pq.write_table(pa.table(columns), path)
    return {**inputs, name: path}


def fitted(inputs, name, *, kind="group_fold", fold=0):
    """Probabilities of held-out rows and of the pool, the fit's facts, and what was said."""
    output = inputs["rows"].parent / "output"
    output.mkdir(exist_ok=True)
    settings = getattr(load({}).learners, name).model_dump()
    params = {"learner": name, "settings": settings, "stage": "teacher", "kind": kind}
    params |= {"fold": fold, "classes": 4, "seed": 1}
    said = Said()
    learner.run(inputs, params, output, said)
    found = [read_probabilities(output / f"{table}.parquet") for table in ("validation", "test")]
    return *found, json.loads((output / "fit.json").read_text()), said


@pytest.mark.parametrize("kind", ["row_fold", "group_fold"])
@pytest.mark.parametrize("name", HERE)
def test_labels_of_held_out_rows_move_no_prediction(inputs, name, kind):
    before, pool, facts, said = fitted(inputs, name, kind=kind)
    is_held_out = read_columns(inputs["folds"])[kind] == 0

    def permute(rows):
        rows["label"][is_held_out] = rows["label"][is_held_out][::-1]

    after, again, other, _ = fitted(changed(inputs, "rows", permute), name, kind=kind)
    assert np.array_equal(before, after) and np.array_equal(pool, again)
    assert other["macro_f1"] != facts["macro_f1"]
    persons = [1, 3, 5] if kind == "group_fold" else [0, 1, 2, 3, 4, 5]
    assert sorted(said.seen) == persons
    assert np.isfinite(before).all() and np.allclose(before.sum(axis=1), 1, atol=1e-5)
    assert len(pool) == 30 and facts["macro_f1"] > 0.4, "it learns something"


@pytest.mark.parametrize("name", HERE)
def test_features_of_a_row_to_predict_move_no_other_prediction(inputs, name):
    before, pool, _, _ = fitted(inputs, name)

    def move(table):
        for column in table.values():
            column[0] = 99.0

    after, same, _, _ = fitted(changed(inputs, "train", move), name)  # a row of person 0, held out
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(before[1:], after[1:]) and np.array_equal(pool, same)
    after, other, _, _ = fitted(changed(inputs, "test", move), name)
    assert np.array_equal(before, after) and np.array_equal(pool[1:], other[1:])


@pytest.mark.parametrize("name", HERE)
def test_a_student_learns_from_pseudo_labels(inputs, name):
    before, _, facts, _ = fitted(inputs, name)
    assert (facts["n_train"], facts["n_pseudo"]) == (60, 0)
    pseudo = {**inputs, "pseudo_labels": inputs["rows"].parent / "pseudo_labels"}
    after, _, facts, said = fitted(pseudo, name)
    assert (facts["n_train"], facts["n_pseudo"]) == (60, 12) and sorted(said.seen) == [1, 3, 5]
    assert not np.array_equal(before, after)


def test_without_a_fold_it_learns_from_everybody_and_is_not_scored(inputs):
    held, pool, facts, said = fitted(inputs, "svm", fold=None)
    assert (len(held), len(pool)) == (0, 30) and sorted(said.seen) == [*range(6)]
    assert facts == {"learner": "svm", "n_train": 120, "n_pseudo": 0}


@pytest.mark.parametrize("name", HERE)
def test_a_class_that_no_training_row_has(inputs, name):
    def without(rows):
        is_held_out = read_columns(inputs["folds"])["group_fold"] == 0
        rows["label"][~is_held_out & (rows["label"] == 2)] = 1

    found, *_ = fitted(changed(inputs, "rows", without), name)
    assert found.shape == (60, 4) and (found[:, 2] == 0).all() and found[:, 3].max() > 0.5


def test_two_classes_or_one(inputs):
    def leave(classes):
        def change(rows):
            rows["label"] %= classes

        return changed(inputs, "rows", change)

    for name in HERE:
        two, *_ = fitted(leave(2), name)
        assert (two[:, 2:] == 0).all() and np.allclose(two.sum(axis=1), 1, atol=1e-5)
        one, *_ = fitted(leave(1), name)
        assert (one == [1, 0, 0, 0]).all()


def test_weights_are_balanced_as_scikit_learn_does():
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.array([0] * 7 + [1] * 2 + [2])
    x = np.zeros((10, 1), np.float32)
    task = Task(train=x, labels=labels, unseen=x, seed=0)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(task.class_weights, expected)
    assert task.weights.sum() == pytest.approx(10)


def test_columns_of_classes_without_rows_are_empty():
    x = np.arange(4, dtype=np.float32)[:, None]
    task = Task(train=x, labels=np.array([3, 1, 3, 1]), unseen=x, seed=0)

    def fit(given, settings, tick):
        assert given.labels.tolist() == [1, 0, 1, 0] and given.classes == 2
        return np.tile([0.25, 0.75], (4, 1))

    assert fit_on_present(fit, task, {}, None, classes=4).tolist() == [[0, 0.25, 0, 0.75]] * 4
    x[:] = 7
    found = fit_on_present(None, task, {}, None, classes=4)
    assert found.tolist() == [[0, 0.5, 0, 0.5]] * 4, "nothing to learn from"


@pytest.mark.skipif(importlib.util.find_spec("lightgbm") is not None, reason="it is installed")
def test_a_missing_package_is_named(inputs):
    with pytest.raises(ConfigError, match=r"`learner: lightgbm` needs the package 'lightgbm'"):
        fitted(inputs, "lightgbm")


@pytest.mark.parametrize("name", HERE)
def test_a_rare_class_counts_as_much_as_others(name):
    assert rare_class_share(name) > 0.33, "unweighted models hardly predict it"


def test_the_locked_versions_of_its_own_packages_enter_the_plan():
    def teacher(name):
        config = load({"protocols": ["nested"], "learner": name})
        planner = Planner(workflow_of(config), read_only=True)
        return planner.plan("local/nested/seed1/gen0/fold0").environment

    boosted, linear = teacher("lightgbm"), teacher("logistic_regression")
    assert (boosted.name, linear.name) == ("learners", "local")
    required = dict(boosted.requires)
    assert required.pop("lightgbm") and required == linear.requires
