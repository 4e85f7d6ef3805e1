"""Each person's features among that person's rows alone."""

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from emodag.science.person_scaling import by_person, rows_by_person
from emodag.science.tables.feature_file import FeatureWriter
from emodag.science.tables.matrices import read_columns, write_columns
from emodag.stages import by_person as stage
from tests.said import Said

RNG = np.random.default_rng(5)
WHO = np.array(["b", "a", "c"])[RNG.integers(3, size=90)]
X = RNG.normal(size=90) * 3 + np.unique(WHO, return_inverse=True)[1] * 100


def of(values, who=WHO, kind="z"):
    return by_person(values, rows_by_person(who), kind=kind)


@pytest.mark.parametrize("kind", ["centre", "z", "rank"])
class TestEveryKind:
    def test_a_person_depends_on_own_rows_alone(self, kind):
        other = np.where(WHO == "a", X, X * 7 + 1)
        a = WHO == "a"
        np.testing.assert_array_equal(of(X, kind=kind)[a], of(other, kind=kind)[a])
        np.testing.assert_array_equal(of(X, kind=kind)[a], of(X[a], WHO[a], kind))

    def test_what_differs_between_persons_is_gone(self, kind):
        shifted = X + 1000.0 * (WHO == "b")
        np.testing.assert_allclose(of(shifted, kind=kind), of(X, kind=kind), atol=1e-9)

    def test_the_order_of_rows_is_of_no_consequence(self, kind):
        order = RNG.permutation(90)
        rare = (RNG.random(90) < 0.2) * 1.0
        for x in (X, rare, np.floor(X / 9), np.maximum(X, 150.0)):
            np.testing.assert_array_equal(of(x[order], WHO[order], kind), of(x, kind=kind)[order])

    def test_missing_cells_stay_and_move_nothing(self, kind):
        holed = X.copy()
        holed[::7] = np.nan
        there = ~np.isnan(holed)
        found = of(holed, kind=kind)
        np.testing.assert_array_equal(np.isnan(found), ~there)
        np.testing.assert_array_equal(found[there], of(X[there], WHO[there], kind))
        assert np.isnan(of(np.full(90, np.nan), kind=kind)).all()

    def test_a_constant_is_in_the_middle(self, kind):
        assert (of(np.full(90, 1e32), kind=kind) == 0).all()

    def test_the_ends_of_float64(self, kind):
        far = np.where(np.arange(90) % 2, 1e308, -1e308)
        far[0], far[1] = np.finfo(np.float64).max, -np.finfo(np.float64).max
        with np.errstate(all="raise"):
            assert np.isfinite(of(far, kind=kind)).all()


def test_an_outlier_moves_no_other_row_far():
    far = X.copy()
    at = int(np.flatnonzero(WHO == "c")[0])
    far[at] = 1e32
    others = np.arange(90) != at
    for kind in ("centre", "z", "rank"):
        assert np.abs(of(far, kind=kind) - of(X, kind=kind))[others].max() < 1


def test_ranks_are_those_of_scipy():
    x = np.round(X)
    for who in "abc":
        rows = who == WHO
        shares = (rankdata(x[rows]) - 0.5) / rows.sum()
        np.testing.assert_allclose(of(x, kind="rank")[rows], norm.ppf(shares), rtol=1e-12)


def test_where_most_values_are_equal_the_mean_deviation_is_the_spread():
    x = np.array([0.0, 0, 0, 0, 0, 0, 0, 5])
    z = by_person(x, [np.arange(8)], kind="z")
    assert z[-1] == pytest.approx(5 / (1.2533141373155003 * 5 / 8))


@pytest.mark.parametrize("kind", ["centre", "z", "rank"])
def test_the_first_minutes_alone_are_worse_than_nothing(kind):
    """Forty sessions begin at rest and go on half in another state; a threshold tells the two.

    Relative to a whole session it does so better than without. A table of the first minutes alone
    is relative to rest, which is another mixture.
    """
    rng, minutes = np.random.default_rng(2), 20
    state = np.tile(np.repeat([0, 1], [minutes, minutes]), (40, 1))
    x = rng.normal(size=(40, 1)) + 2 * state + rng.normal(size=state.shape) / 2
    x, state, who = x.ravel(), state.ravel(), np.repeat(np.arange(40), 2 * minutes)
    first = np.tile(np.arange(2 * minutes) < minutes, 40)
    whole = of(x, who, kind)

    def right(learned, said):
        threshold = (learned[state == 0].mean() + learned[state == 1].mean()) / 2
        return np.mean((said > threshold) == state[first])

    alone = right(whole, of(x[first], who[first], kind))
    assert right(whole, whole[first]) > 0.95 > right(x, x[first]) > 0.7 > alone


def test_the_file_depends_on_neither_the_columns_nor_the_rows_at_once(tmp_path, monkeypatch):
    """Rows of a person may stand anywhere, in the training table and in the pool."""
    values = np.round(RNG.normal(size=(90, 7)) * 9, 1)
    values[RNG.random(values.shape) < 0.1] = np.nan
    names = [f"f{number}" for number in range(7)]
    inputs = {name: tmp_path / name for name in ("train", "test", "rows", "unlabelled")}
    for name, rows in {"train": slice(0, 50), "test": slice(50, 90)}.items():
        with FeatureWriter(inputs[name], names) as writer:
            writer.add(values[rows])
    write_columns(inputs["rows"], {"person": WHO[:50]})
    write_columns(inputs["unlabelled"], {"person": WHO[50:]})
    made = []
    for columns, rows in ((64, 2048), (3, 11)):
        monkeypatch.setattr(stage, "COLUMNS_AT_ONCE", columns)
        monkeypatch.setattr(stage, "ROWS_AT_ONCE", rows)
        output = tmp_path / str(columns)
        output.mkdir()
        stage.run(inputs, {"kind": "rank"}, output, Said())
        made.append({path.name: path.read_bytes() for path in output.iterdir()})
    assert made[0] == made[1] and set(made[0]) == {"train.parquet", "test.parquet"}
    written = [read_columns(output / f"{name}.parquet") for name in ("train", "test")]
    for at, name in enumerate(names):
        found = np.concatenate([table[name] for table in written])
        np.testing.assert_array_equal(found, of(values[:, at], kind="rank"))
