"""Calibration: a temperature, by whose predictions, and what it does to pseudo-labels."""

import json

import numpy as np
import pytest

from emodag.chain.chain import Chain
from emodag.chain.jobs import jobs as chain_jobs
from emodag.config.sections import load
from emodag.science.folds import group_folds, parted
from emodag.science.seeds import generator
from emodag.science.tables.matrices import probability_columns, write_columns
from emodag.science.temperature import LEAST, MOST, fitted_temperature, tempered
from emodag.stages import calibrate
from ledger.errors import InputError
from tests.said import Said


def drawn(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of rows, and classes drawn by them."""
    draws = generator("temperature")
    found = draws.dirichlet([2, 1, 1, 0.5], rows)
    labels = (found.cumsum(axis=1) < draws.random((rows, 1))).sum(axis=1)
    return found.astype(np.float32), labels.clip(max=3)


@pytest.mark.parametrize("wrong", [0.6, 1.0, 2.5])
def test_what_was_made_too_sure_or_too_unsure_is_mended(wrong):
    honest, labels = drawn()
    found = fitted_temperature(tempered(honest, 1 / wrong), labels)
    assert found == pytest.approx(wrong, rel=0.06)
    np.testing.assert_allclose(
        tempered(tempered(honest, 1 / wrong), wrong), honest, atol=1e-5, rtol=1e-4
    )


def test_no_other_temperature_is_better():
    honest, labels = drawn(300)

    def loss(temperature: float) -> float:
        chosen = tempered(honest.astype(np.float64), temperature)[np.arange(300), labels]
        return float(-np.log(chosen).mean())

    best = fitted_temperature(honest, labels)
    assert loss(best) < min(loss(best * 0.99), loss(best * 1.01))


def test_it_keeps_dtype_and_the_most_probable_class():
    honest, _ = drawn(200)
    for temperature in (LEAST, 0.7, MOST):
        found = tempered(honest, temperature)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
        chosen = found[np.arange(200), honest.argmax(axis=1)]
        np.testing.assert_array_equal(chosen, found.max(axis=1))


def test_rows_without_a_best_temperature_have_none():
    right, wrong = np.array([[0.6, 0.4]], np.float32), np.array([[0.4, 0.6]], np.float32)
    assert fitted_temperature(right, np.array([0])) is None
    assert fitted_temperature(wrong, np.array([0])) is None
    assert fitted_temperature(np.full((5, 4), 0.25, np.float32), np.arange(5) % 4) is None
    sure = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], np.float32)
    assert fitted_temperature(sure, np.array([0, 1, 1])) is None
    assert np.isfinite(tempered(sure, 2.0)).all()


def test_an_inner_fit_leaves_out_whole_persons_of_those_that_are_not_held_out():
    persons = np.repeat([f"p{n}" for n in range(10)], 6)[generator("order").permutation(60)]
    held = np.isin(persons, ["p3", "p7"])
    labels = np.arange(60) % 3
    train, valid = parted(persons, labels, held, inner=True)
    assert not set(persons[train]) & set(persons[valid])
    assert {*persons[train], *persons[valid]} == set(persons) - {"p3", "p7"}
    assert len(set(persons[valid])) == 2
    np.testing.assert_array_equal(np.sort(np.concatenate([train, valid])), np.flatnonzero(~held))
    usual = parted(persons, labels, held, inner=False)
    np.testing.assert_array_equal(usual[0], np.flatnonzero(~held))
    np.testing.assert_array_equal(usual[1], np.flatnonzero(held))


@pytest.mark.parametrize("count", [2, 3])
def test_an_inner_fit_of_few_persons_leaves_out_one(count):
    labels, held = np.zeros(count, int), np.zeros(count, bool)
    train, valid = parted(np.arange(count), labels, held, inner=True)
    assert (len(train), len(valid)) == (count - 1, 1)


def test_an_inner_fit_learns_every_class_where_it_can():
    persons, labels = np.arange(8), np.array([1, 1, 0, 0, 0, 0, 0, 0])
    first = group_folds(persons, folds=4) == 0
    labels[:2] = 0
    labels[np.flatnonzero(first)] = 1  # the first group has a class to itself
    train, valid = parted(persons, labels, np.zeros(8, bool), inner=True)
    assert set(labels[train]) == {0, 1} and len(valid) == 2
    alone = np.array([1, *[0] * 7])
    train, valid = parted(persons, alone, np.zeros(8, bool), inner=True)
    assert set(alone[train]) == {0, 1}


def test_an_inner_fit_of_one_person_is_refused():
    with pytest.raises(
        InputError, match=r"all of one person \(a\).*`pseudo_labels.calibrate: none"
    ):
        parted(np.array(["a", "a", "b"]), np.zeros(3), np.array([False, False, True]), inner=True)


def test_the_temperature_is_of_the_rows_that_the_inner_fit_predicts(tmp_path):
    honest, labels = drawn(50)
    write_columns(
        tmp_path / "rows", {"label": np.r_[labels, labels], "person": np.arange(100) // 5}
    )
    predicted = {"row": np.arange(50, 100, dtype=np.int32), **probability_columns(honest)}
    write_columns(tmp_path / "validation", predicted)
    inputs, said = {name: tmp_path / name for name in ("validation", "rows")}, Said()
    calibrate.run(inputs, {}, tmp_path, said)
    assert json.loads((tmp_path / "temperature.json").read_text()) == {
        "temperature": fitted_temperature(honest, labels),
        "rows": 50,
        "persons": 10,
    }
    assert said.seen == [*range(10, 20)]
    write_columns(tmp_path / "validation", {k: v[:1] for k, v in predicted.items()})
    calibrate.run(inputs, {}, tmp_path, said)
    assert json.loads((tmp_path / "temperature.json").read_text())["temperature"] == 1
    assert "no temperature is found (rows: 1, persons: 1)" in said.warnings[-1]


def named(**changes) -> dict:
    config = load({"protocols": ["published", "nested"], **changes})
    return {job.name: job for job in Chain(config, "local").jobs()}


def test_only_who_asks_has_more_jobs_and_other_pseudo_labels():
    plain, asked = named(), named(pseudo_labels={"calibrate": "temperature"})
    more = [name for name in asked if name not in plain]
    assert len(more) == 2 * 6, "an inner fit and a temperature for each part"
    assert all("/gen0/inner_fit/" in name or "/gen0/temperature/" in name for name in more)
    changed = {name.rpartition("/")[0] for name in plain if asked[name] != plain[name]}
    assert changed == {
        f"local/{protocol}/seed1/gen{generation}/pseudo_labels"
        for protocol in ("published", "nested")
        for generation in (1, 2)
    }
    inner = asked["local/nested/seed1/gen0/inner_fit/fold2"]
    teacher = asked["local/nested/seed1/gen0/fold2"]
    assert inner.params == {**teacher.params, "inner": True} and inner.inputs == teacher.inputs


def test_without_pseudo_labels_there_is_nothing_to_calibrate():
    calibrated = {"pseudo_labels": {"calibrate": "temperature"}}
    teachers = {"protocols": ["nested"], "generations": 0}
    assert chain_jobs(load({**teachers, **calibrated})).keys() == chain_jobs(load(teachers)).keys()
