"""Features that give the label away are found; good ones are not suspected."""

import numpy as np
import pytest

from emodag.science.tables.suspicions import disguises
from emodag.science.tables.suspicions.glance import Glance
from tests.unit.emodag.suspicions.tables import PEOPLE, WINDOWS, frame, plain, suspected

LEAKS = {
    "the code": lambda code, rng: {"again": code},
    "a shuffled code": lambda code, rng: {"again": np.array([3, 0, 2, 1])[code]},
    "a rating cut in four": lambda code, rng: {"again": code + rng.uniform(0, 0.99, len(code))},
    "two ratings": lambda code, rng: {
        "v": rng.integers(1, 5, len(code)) + 4 * (code % 2),
        "a": rng.integers(1, 5, len(code)) + 4 * (code // 2),
    },
    "two continuous ratings, some missing": lambda code, rng: {
        "v": rng.uniform(1, 5, len(code)) + 4 * (code % 2),
        "a": np.where(rng.random(len(code)) < 0.01, np.nan, rng.uniform(1, 5, len(code)))
        + 4 * (code // 2),
    },
}


@pytest.mark.parametrize("leak", LEAKS)
def test_features_that_give_the_label_away(tmp_path, leak):
    train, test = frame("p", 10), frame("q")
    for table in (train, test):
        code = table["mood"].str[1:].astype(int).to_numpy()
        for name, values in LEAKS[leak](code, np.random.default_rng(8)).items():
            table.insert(2, name, values)
    found = suspected(tmp_path, train, plain(test))
    assert "'again' alone" in found if "rating" not in leak[3:] else "alone, across" in found
    if leak.startswith("two"):
        assert "'a' with 'v' alone, across persons" in found


def test_a_pair_must_tell_more_than_the_better_of_the_two(tmp_path):
    """A feature that tells nearly enough is no leak with whatever stands beside it."""
    train = frame("p", 10)
    code = train["mood"].str[1:].astype(int).to_numpy()
    noise = np.random.default_rng(1)
    train["f2"] = np.where(noise.random(len(code)) < 0.04, noise.integers(4, size=len(code)), code)
    train["f2"] += noise.uniform(0, 0.4, len(code))
    suspected(tmp_path, train, plain(frame("q")), expected=0)


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_row_is_found_in_order(seed, monkeypatch):
    """By sorting as by all distances, where no two are equal."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(90, 4))
    values[rng.random(90) < 0.1, 1] = np.nan
    near = disguises._Neighbours(values, rng.integers(3, size=90), rng.integers(5, size=90))
    ranked = disguises._ranked

    def stretched(values):
        order, places = ranked(values)
        return order, places * np.pi * (1 + places**2)

    monkeypatch.setattr(disguises, "_ranked", stretched)
    features = [0, 2, 3]  # missing values are equal
    assert near.told(features).tolist() == [near.share(near.distances(at)) for at in features]


def test_the_number_of_the_window_gives_the_order_away(tmp_path):
    train = frame("p")
    number = np.tile(np.arange(WINDOWS), PEOPLE)
    train["mood"] = [f"m{at}" for at in number // 10]
    found = suspected(tmp_path, train.assign(f5=number), plain(frame("q")))
    assert "the label follows from 'f5' alone" in found


def test_what_one_person_alone_can_tell_is_no_leak(tmp_path):
    """A time that never comes again, and a number that is the person's own."""
    train = frame("p").assign(f4=np.arange(PEOPLE * WINDOWS), f5=np.repeat(range(PEOPLE), WINDOWS))
    suspected(tmp_path, train, plain(frame("q")), expected=0)


def shown_one_class_each(people, windows=WINDOWS):
    """Features of people, half of whom show one class and half the other."""
    train = frame("p", people)
    train["mood"] = np.repeat([f"m{at % 2}" for at in range(people)], windows)
    return train, train["mood"].str[1:].astype(int).to_numpy()


@pytest.mark.parametrize("people", [4, 6, 50])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_label_by_another_name_where_people_show_one_class_each(tmp_path, people, suffix):
    train, code = shown_one_class_each(people)
    train["f3"] = np.array([7.5, -2.0])[code]
    found = suspected(tmp_path, train, plain(frame("q")), suffix=suffix)
    assert found.startswith("the label follows from 'f3' alone, across persons")


@pytest.mark.parametrize("people", [6, 50])
def test_a_rating_behind_the_label_where_people_show_one_class_each(tmp_path, people):
    """Of few people it may be chance, as any feature that differs between them."""
    train, code = shown_one_class_each(people)
    train["f3"] = code + np.random.default_rng(8).uniform(0, 0.99, len(code))
    suspected(tmp_path, train, plain(frame("q")), expected=people == 50)


def test_what_each_person_has_of_their_own_is_no_leak(tmp_path):
    """A number for each, and the sex, which is not the class."""
    train, _ = shown_one_class_each(50)
    person = np.repeat(np.arange(50), WINDOWS)
    train["f3"], train["f4"] = person * 7 % 50 / 3, (person // 2) % 2
    suspected(tmp_path, train, plain(frame("q")), expected=0)


@pytest.mark.parametrize("rare", [2, 6])
def test_chance_is_no_leak(rare):
    """Many features, few rows, a rare class."""
    rng = np.random.default_rng(2)
    codes = np.zeros(40, np.int8)
    codes[:: 40 // rare] = 1
    page = Glance(
        digests=np.arange(40, dtype=np.uint64),
        empty=np.zeros(40, bool),
        sample=np.arange(40),
        sampled=rng.normal(size=(40, 3000)),
        watched=np.empty((40, 0)),
    )
    names = [f"f{at}" for at in range(3000)]
    assert disguises.telling_features(page, names, codes, np.arange(40) % 4) == []
