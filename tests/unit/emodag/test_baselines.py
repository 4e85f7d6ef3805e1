"""The baselines: what they may see, what they survive, and how they are told of classes' sizes."""

import importlib.util
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emodag.science.baselines.features import scaled, unscaled
from emodag.science.baselines.search import _score, inner_folds
from emodag.science.baselines.task import Answer, Task, fit_on_present, no_tick
from emodag.science.baselines.voting import hard_vote, soft_vote
from emodag.science.scores.person_scores import fold_confusions, summary
from emodag.science.scores.scoring import macro_f1
from emodag.science.tables.matrices import read_columns, read_probabilities
from emodag.stages import baseline, baselines
from emodag.stages.scores import LeakageError
from ledger.errors import ConfigError
from tests.baseline_checks import cutting, rare_class_share

HERE = ("svm", "logistic_regression", "self_training")
"""Those whose packages the project itself needs."""

SCALING = {"n_quantiles": 20, "subsample": 10000, "random_state": 42}


class Said:
    """The runner, as far as a baseline asks it for anything."""

    def __init__(self):
        self.seen, self.warnings, self.labels_seen = [], [], {}

    def saw_labels_of(self, persons):
        self.seen += persons

    def warn(self, message):
        self.warnings.append(message)

    def progress(self, total, unit):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def update(self, steps=1, **figures):
        """Shows nothing."""


@pytest.fixture
def inputs(tmp_path):
    """Six persons of 20 rows; columns constant, missing in fold 0's training rows, and huge."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(6), 20)
    label = np.tile(np.repeat(np.arange(4), 5), 6).astype(np.int8)
    fold = (person % 2).astype(np.int16)
    x = rng.normal(size=(150, 6))
    x[:120] += np.outer(label, [1, -1, 0.5, 0, 0, 0])
    x[:, 3] = 7.0
    x[:120, 4][fold == 1] = np.nan
    x[::7, 0] = np.nan
    x[3, 1] = 1e300
    names = [f"f{j}" for j in range(6)]
    for name, part in {"train": x[:120], "test": x[120:]}.items():
        pq.write_table(pa.table(dict(zip(names, part.T, strict=True))), tmp_path / name)
    rows = {"id": np.arange(120), "label": label, "person": person}
    pq.write_table(pa.table(rows), tmp_path / "rows")
    folds = {"group_fold": fold, "row_fold": (np.arange(120) % 2).astype(np.int16)}
    pq.write_table(pa.table(folds), tmp_path / "folds")
    return {name: tmp_path / name for name in ("train", "test", "rows", "folds")}


def changed(inputs, name, change):
    """The inputs with a table changed in place, as arrays by name."""
    columns = {key: values.copy() for key, values in read_columns(inputs[name]).items()}
    change(columns)
    path = inputs[name].with_name(f"{name}-changed")
    pq.write_table(pa.table(columns), path)
    return {**inputs, name: path}


def fitted(inputs, name, *, scheme="group_kfold", **changes):
    """Probabilities of the rows that fold 0 holds out, the fit's facts, and what the runner saw."""
    output = inputs["rows"].parent / "output"
    output.mkdir(exist_ok=True)
    params = {"baseline": name, "scheme": scheme, "fold": 0, "classes": 4, "seed": 1, "trials": 0}
    params |= {"scaling": SCALING, **({"threshold": 0.6} if name == "self_training" else {})}
    said = Said()
    baseline.run(inputs, {**params, **changes}, output, said)
    found = read_probabilities(output / "validation.parquet")
    return found, json.loads((output / "fit.json").read_text()), said


@pytest.mark.parametrize("scheme", ["kfold", "group_kfold"])
@pytest.mark.parametrize("name", HERE)
def test_labels_of_held_out_rows_move_no_prediction(inputs, name, scheme):
    before, facts, said = fitted(inputs, name, scheme=scheme)
    folds = read_columns(inputs["folds"])
    held_out = folds["group_fold" if scheme == "group_kfold" else "row_fold"] == 0

    def permute(rows):
        rows["label"][held_out] = rows["label"][held_out][::-1]

    after, other, _ = fitted(changed(inputs, "rows", permute), name, scheme=scheme)
    assert np.array_equal(before, after) and other["macro_f1"] != facts["macro_f1"]
    persons = [1, 3, 5] if scheme == "group_kfold" else [0, 1, 2, 3, 4, 5]
    assert sorted(said.seen) == persons
    assert np.isfinite(before).all() and np.allclose(before.sum(axis=1), 1, atol=1e-5)
    assert facts["macro_f1"] > 0.4, "it learns something"


@pytest.mark.parametrize("name", HERE)
def test_features_of_a_held_out_row_move_no_other_prediction(inputs, name):
    before, _, _ = fitted(inputs, name)

    def move(table):
        for column in table.values():
            column[0] = 99.0  # a row of person 0, whom fold 0 holds out

    after, _, _ = fitted(changed(inputs, "train", move), name)
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(before[1:], after[1:])


def test_only_self_training_looks_at_the_test_rows(inputs):
    def move(table):
        for column in table.values():
            column[:] = -column

    other = changed(inputs, "test", move)
    for name in HERE:
        before, facts, _ = fitted(inputs, name)
        after, _, _ = fitted(other, name)
        assert np.array_equal(before, after) == (name != "self_training")
        assert bool(facts["n_pseudo"]) == (name == "self_training")


@pytest.mark.parametrize("name", HERE)
def test_a_class_that_no_training_row_has(inputs, name):
    def without(rows):
        held_out = read_columns(inputs["folds"])["group_fold"] == 0
        rows["label"][~held_out & (rows["label"] == 2)] = 1

    found, _, _ = fitted(changed(inputs, "rows", without), name)
    assert found.shape == (60, 4) and (found[:, 2] == 0).all() and found[:, 3].max() > 0.5


def test_two_classes_or_one(inputs):
    def leave(classes):
        def change(rows):
            rows["label"] %= classes

        return changed(inputs, "rows", change)

    for name in HERE:
        two, _, _ = fitted(leave(2), name)
        assert (two[:, 2:] == 0).all() and np.allclose(two.sum(axis=1), 1, atol=1e-5)
        one, _, _ = fitted(leave(1), name)
        assert (one == [1, 0, 0, 0]).all()


def test_scaling_is_fitted_on_the_training_rows_alone(inputs):
    training = np.flatnonzero(read_columns(inputs["folds"])["group_fold"] == 1)
    tables = [inputs["train"], inputs["test"]]
    found = scaled(tables, training, SCALING)
    assert found.shape == (150, 6) and found.dtype == np.float32 and np.isfinite(found).all()
    assert not found[:, 3].any(), "constant"
    assert not found[:, 4].any(), "missing from all training rows"
    quantiles = np.quantile(found[training, 2], [0.16, 0.5, 0.84])
    np.testing.assert_allclose(quantiles, [-1, 0, 1], atol=0.2)
    raw = unscaled(tables)
    assert raw[3, 1] == np.finfo(np.float32).max and np.isnan(raw[0, 0])


def test_weights_are_balanced_as_scikit_learn_does():
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.array([0] * 7 + [1] * 2 + [2])
    x = np.zeros((10, 1), np.float32)
    task = Task(train=x, labels=labels, unseen=x, unlabelled=x, seed=0)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(task.class_weights, expected)
    assert task.weights.sum() == pytest.approx(10)


def test_columns_of_classes_without_rows_are_empty():
    x = np.arange(4, dtype=np.float32)[:, None]
    task = Task(train=x, labels=np.array([3, 1, 3, 1]), unseen=x, unlabelled=x, seed=0)

    def fit(given, settings, tick):
        assert given.labels.tolist() == [1, 0, 1, 0] and given.classes == 2
        return Answer(np.tile([0.25, 0.75], (4, 1)))

    found = fit_on_present(fit, task, {}, no_tick, classes=4)
    assert found.probabilities.tolist() == [[0, 0.25, 0, 0.75]] * 4
    x[:2], x[2:] = 7, np.nan
    found = fit_on_present(None, task, {}, no_tick, classes=4)
    assert found.probabilities.tolist() == [[0, 0.5, 0, 0.5]] * 4, "nothing to learn from"


def test_votes():
    members = np.array(
        [[[0.9, 0.1, 0], [0, 1, 0]], [[0.4, 0.6, 0], [0, 0, 1]], [[0.4, 0.6, 0], [1, 0, 0]]],
        np.float32,
    )
    np.testing.assert_allclose(soft_vote(members)[0], [1.7 / 3, 1.3 / 3, 0], rtol=1e-6)
    np.testing.assert_allclose(hard_vote(members), [[1 / 3, 2 / 3, 0], [1 / 3] * 3], rtol=1e-6)
    assert soft_vote(members).dtype == hard_vote(members).dtype == np.float32


def test_inner_folds_keep_persons_whole_where_the_outer_ones_do():
    persons = np.repeat(list("abcdefg"), 10)
    by_person = inner_folds(persons, "group_kfold", seed=3)
    assert set(by_person) == {0, 1, 2}
    assert all(len(set(by_person[persons == person])) == 1 for person in persons)
    by_row = inner_folds(persons, "kfold", seed=3)
    assert any(len(set(by_row[persons == person])) > 1 for person in persons)
    assert set(inner_folds(persons[:10], "group_kfold", seed=3)) == {0}


def test_the_summary_of_a_model():
    rng = np.random.default_rng(2)
    labels, person = rng.integers(0, 3, 90), np.repeat(np.arange(9), 10)
    predicted = np.where(rng.random(90) < 0.6, labels, 0)
    fold = person % 3
    counts = fold_confusions(labels, predicted, fold, person, folds=3, classes=3)
    found = summary(counts)
    scores = [macro_f1(labels[fold == k], predicted[fold == k], classes=3) for k in range(3)]
    assert found.macro_f1 == pytest.approx(np.mean(scores))
    assert found.sd == pytest.approx(np.std(scores, ddof=1))
    assert found.pooled == pytest.approx(macro_f1(labels, predicted, classes=3))
    assert found.accuracy == pytest.approx((labels == predicted).mean())
    assert found.low < found.macro_f1 < found.high
    assert summary(counts) == found


def test_a_model_that_saw_a_held_out_person_is_not_scored(inputs, tmp_path):
    output, fits = inputs["rows"].parent / "output", []
    for fold in (0, 1):
        fitted(inputs, "svm", fold=fold)
        role = f"group_kfold/svm/fold{fold}"
        fits.append({"role": role, "baseline": "svm", "scheme": "group_kfold", "fold": fold})
        for file in ("validation.parquet", "fit.json"):
            inputs[f"{role}/{file}"] = (output / file).rename(tmp_path / f"{fold}-{file}")
    params = {"env": "local", "seed": 1, "classes": 4, "folds": 2, "fits": fits}
    said = Said()
    said.labels_seen = {f"group_kfold/svm/fold{f}/validation.parquet": set() for f in (0, 1)}
    baselines.run(inputs, params, tmp_path, said)
    assert len((tmp_path / "baselines.csv").read_text().splitlines()) == 2
    said.labels_seen["group_kfold/svm/fold1/validation.parquet"] = {"2", "3"}
    with pytest.raises(LeakageError, match="fold1: the model has seen labels of 3,"):
        baselines.run(inputs, params, tmp_path, said)


@pytest.mark.skipif(importlib.util.find_spec("lightgbm") is not None, reason="it is installed")
def test_a_missing_package_is_named(inputs):
    with pytest.raises(ConfigError, match=r"'lightgbm', which needs the package 'lightgbm'"):
        fitted(inputs, "lightgbm")


def test_a_trial_is_scored_on_rows_that_its_model_has_not_seen():
    x = np.arange(12, dtype=np.float32)[:, None]
    labels = (x[:, 0] > 5).astype(np.int64)
    labels[0] = 1
    task = Task(train=x, labels=labels, unseen=x - 99, unlabelled=x, seed=0)
    held_out, tasks = np.arange(12) % 3 == 0, []
    found = _score(cutting(tasks), task, held_out, {"cut": 5}, classes=2)
    (given,) = tasks
    assert given.train[:, 0].tolist() == x[~held_out, 0].tolist()
    assert given.labels.tolist() == labels[~held_out].tolist()
    assert given.unseen[:, 0].tolist() == x[held_out, 0].tolist()
    assert found == macro_f1(labels[held_out], np.array([0, 0, 1, 1]), classes=2)


@pytest.mark.parametrize("name", HERE)
def test_a_rare_class_counts_as_much_as_others(name):
    assert rare_class_share(name) > 0.33, "unweighted models hardly predict it"
