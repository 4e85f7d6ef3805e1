"""The synthetic twin: its layout, its promises about classes and defects, and the leak it shows."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.preprocessing import QuantileTransformer

from emodag.science.synthetic import SIZES, draw_labels, generate
from emodag.stages import synthesize

DEMO = SIZES["demo"]
FILES = ("train.parquet", "test.parquet", "truth.csv")


def synthesized(directory: Path, seed: int) -> Path:
    directory.mkdir()
    synthesize.run({}, {"size": "demo", "seed": seed}, directory, None)
    return directory


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return synthesized(tmp_path_factory.mktemp("twin") / "seed0", 0)


@pytest.fixture(scope="module")
def twin():
    return generate(DEMO, seed=0)


def test_train_has_the_layout_of_the_competition(demo):
    table = pq.read_table(demo / "train.parquet")
    assert table.shape == (1200, 163)
    assert table.column_names == [
        "id",
        *(f"f{number:04d}" for number in range(160)),
        "label",
        "person_id",
    ]
    assert table.schema.types == [pa.int64(), *[pa.float64()] * 160, pa.int8(), pa.int64()]
    assert table["id"].to_pylist() == list(range(1200))


def test_test_has_the_same_features_and_neither_label_nor_person(demo):
    table = pq.read_table(demo / "test.parquet")
    assert table.shape == (600, 161)
    assert table.schema == pa.schema(
        list(pq.read_schema(demo / "train.parquet").remove_metadata())[:161]
    )
    assert table["id"].to_pylist() == list(range(600))


def test_files_hold_the_generated_values_row_by_row(demo, twin):
    for name, rows in (("train", slice(1200)), ("test", slice(1200, None))):
        table = pq.read_table(demo / f"{name}.parquet")
        values = np.array([table[f"f{number:04d}"].to_numpy() for number in range(160)])
        np.testing.assert_array_equal(values, twin.features[:, rows])


def test_truth_names_label_and_person_of_every_test_row(demo, twin):
    header, *lines = (demo / "truth.csv").read_text().splitlines()
    assert header == "ID,label,person_id"
    expected = zip(range(600), twin.labels[1200:], twin.persons[1200:], strict=True)
    assert [tuple(map(int, line.split(","))) for line in lines] == list(expected)


def test_people_of_test_continue_the_numbers_of_train(twin):
    assert np.unique(twin.persons[:1200]).tolist() == list(range(1, 11))
    assert np.unique(twin.persons[1200:]).tolist() == list(range(11, 16))
    assert np.unique(np.bincount(twin.persons)[1:]).tolist() == [120]


def test_a_seed_always_gives_the_same_bytes_and_another_seed_others(demo, tmp_path):
    again, other = synthesized(tmp_path / "again", 0), synthesized(tmp_path / "other", 1)
    for file in FILES:
        assert (again / file).read_bytes() == (demo / file).read_bytes()
        assert (other / file).read_bytes() != (demo / file).read_bytes()


@pytest.mark.parametrize("size", SIZES)
def test_every_person_has_three_classes_and_the_last_is_rare_but_there(size):
    parameters = SIZES[size]
    for seed in range(21):
        labels = draw_labels(parameters, seed=seed)
        assert all(np.unique(person).size >= 3 for person in labels), seed
        for part in (labels[: parameters.train_persons], labels[parameters.train_persons :]):
            counts = np.bincount(part.ravel(), minlength=4)
            assert counts[3] < counts[:3].min(), seed
            assert all(np.sum((part == label).any(axis=1)) >= 4 for label in range(4)), seed


def test_windows_of_a_trial_share_its_class(twin):
    trials = twin.labels.reshape(-1, DEMO.windows)
    assert (trials == trials[:, :1]).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_promised_defects_are_there(seed):
    features = generate(DEMO, seed=seed).features
    assert np.isfinite(features).all()
    constant = (features == features[:, :1]).all(axis=1)
    assert constant.sum() == DEMO.constant
    commonest = [np.unique(row, return_counts=True)[1].max() for row in features[~constant]]
    assert np.sum(np.array(commonest) > 0.98 * features.shape[1]) == DEMO.near_constant
    varied = features[~constant]
    assert len(varied) - len(np.unique(varied, axis=0)) == DEMO.duplicate
    huge = np.abs(features) > 1e19
    assert huge.any(axis=1).sum() == DEMO.artefact
    assert np.abs(features[huge]).min() >= 0.99e20
    assert np.abs(features[huge]).max() <= 1.01e32


def test_features_of_one_sensor_are_correlated():
    parameters = dataclasses.replace(
        DEMO, features=40, sensors=2, constant=0, near_constant=0, duplicate=0, artefact=0
    )
    features = generate(parameters, seed=0).features
    ranks = np.argsort(np.argsort(features, axis=1, kind="stable"), axis=1, kind="stable")
    correlation = np.abs(np.corrcoef(ranks))
    # Without a shared state, 1800 rows leave 0.024.
    assert np.median(correlation[np.triu_indices(40, 1)]) > 0.05


@pytest.fixture(scope="module")
def scaled(twin):
    x = twin.features.T.astype(np.float64)
    return QuantileTransformer(output_distribution="normal", random_state=0).fit_transform(x)


def test_kfold_flatters_and_groupkfold_does_not(twin, scaled):
    x, y, persons = scaled[:1200], twin.labels[:1200], twin.persons[:1200]
    model = LogisticRegression(C=0.01)
    shuffled = cross_val_predict(model, x, y, cv=KFold(5, shuffle=True, random_state=1))
    by_person = cross_val_predict(model, x, y, cv=GroupKFold(5), groups=persons)
    assert f1_score(y, shuffled, average="macro") > 0.8
    assert 0.4 < f1_score(y, by_person, average="macro") < 0.65


def test_new_people_get_confident_predictions_most_of_them_right(twin, scaled):
    y = twin.labels
    model = LogisticRegression(C=0.01).fit(scaled[:1200], y[:1200])
    probabilities = model.predict_proba(scaled[1200:])
    confident = probabilities.max(axis=1) >= 0.90
    assert confident.mean() > 0.05
    assert (probabilities.argmax(axis=1) == y[1200:])[confident].mean() > 0.6
