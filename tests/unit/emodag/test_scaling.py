"""The quantile scaler: scikit-learn's bits, the nested fit's blindness, and what is imputed."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import QuantileTransformer

from emodag.science.scaling import (
    CLIP_HIGH,
    CLIP_LOW,
    fit_quantiles,
    median,
    reference_shares,
    scale_column,
    subsample_rows,
    transform,
)
from emodag.stages import scale

PUBLISHED = {
    "fold": None,
    "kind": "group_fold",
    "n_quantiles": 1000,
    "subsample": 10_000,
    "random_state": 42,
    "resolution": 1e-7,
}


class Listener:
    """A context that keeps what a stage says."""

    def __init__(self, workers=1):
        self.warnings, self.workers = [], workers

    def warn(self, message):
        self.warnings.append(message)


def nasty(n, seed=0):
    """Columns that break scalers, by name, `n` rows each."""
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal(n)
    gaps = rng.standard_normal(n)
    gaps[rng.random(n) < 0.1] = np.nan
    mostly_gaps = np.full(n, np.nan)
    mostly_gaps[:: max(1, n // 7)] = 3.0 + rng.standard_normal(len(mostly_gaps[:: max(1, n // 7)]))
    return {
        "normal": normal,
        "constant": np.full(n, 0.5),
        "near_constant": np.where(rng.random(n) < 0.004, 1.0, 0.0),
        "outliers": np.where(rng.random(n) < 0.01, 1e32 * normal, normal),
        "all_huge": -1e32 * np.exp(normal),
        "quantised": np.rint(2.0 * normal),
        "zero_inflated": np.maximum(np.rint(3.0 * normal), 0.0),
        "signed_zeros": np.where(rng.random(n) < 0.3, -0.0, np.maximum(normal, 0.0)),
        "gaps": gaps,
        "mostly_gaps": mostly_gaps,
        "tiny": 1e-9 * normal,
        "narrow": 1e9 + 1e-6 * normal,
        "lognormal": np.exp(10.0 * normal),
        "sorted": np.sort(normal),
        "symmetric": np.arange(n) - (n - 1) / 2.0,
    }


def write(directory, **tables):
    directory.mkdir(exist_ok=True)
    paths = {}
    for role, columns in tables.items():
        paths[role] = directory / f"{role}.parquet"
        pq.write_table(pa.table(columns), paths[role], row_group_size=1000)
    return paths


def run(directory, inputs, **params):
    """Run the stage; the three outputs as matrices, and the warnings."""
    output = directory / "output"
    output.mkdir()
    listener = Listener()
    scale.run(inputs, {**PUBLISHED, **params}, output, listener)
    return *(matrix(output / f"{n}.parquet") for n in ("train", "test", "quantiles")), listener


def matrix(path):
    return np.column_stack([column.to_numpy() for column in pq.read_table(path).columns])


def split(columns, at):
    return {n: v[:at] for n, v in columns.items()}, {n: v[at:] for n, v in columns.items()}


def bits(values):
    return values.view(f"u{values.dtype.itemsize}")


@pytest.mark.filterwarnings("ignore:n_quantiles")
@pytest.mark.parametrize(
    ("n", "at"),
    [(15_000, 9_000), (10_001, 10_000), (10_000, 6_000), (1500, 700), (300, 299), (2, 1)],
    ids=["subsampled", "one test row", "exactly the subsample", "all rows", "few", "two"],
)
def test_published_protocol_is_scikit_learn_to_the_last_bit(tmp_path, n, at):
    columns = nasty(n)
    train, test = split(columns, at)
    scaled_train, scaled_test, quantiles, listener = run(
        tmp_path, write(tmp_path / "input", train=train, test=test)
    )
    reference = QuantileTransformer(output_distribution="normal", random_state=42)
    stacked = np.column_stack(list(columns.values()))
    expected = reference.fit_transform(stacked).astype(np.float32)

    observed = ~np.isnan(expected)
    scaled = np.vstack((scaled_train, scaled_test))
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(bits(scaled)[observed], bits(expected)[observed])
    assert not np.isnan(scaled).any()
    assert quantiles.shape == (min(n, 1000), len(columns))
    # -0.0 and 0.0 count as equal here: which of them NumPy's partition finds is not defined.
    np.testing.assert_array_equal(quantiles, reference.quantiles_)
    assert listener.warnings == []


@pytest.mark.parametrize(("n_quantiles", "subsample"), [(7, 50), (1000, 1000), (1, 1)])
def test_other_sizes_are_scikit_learns_too(tmp_path, n_quantiles, subsample):
    columns = nasty(3000, seed=1)
    train, test = split(columns, 2000)
    paths = write(tmp_path / "input", train=train, test=test)
    # With so small a sample, some columns may have no observed value in it.
    kept = [name for name in columns if "gaps" not in name]
    sizes = {"n_quantiles": n_quantiles, "subsample": subsample, "random_state": 5}
    scaled_train, scaled_test, _, _ = run(tmp_path, paths, **sizes)
    stacked = np.column_stack([columns[name] for name in kept])
    expected = QuantileTransformer(output_distribution="normal", **sizes).fit_transform(stacked)
    scaled = np.vstack((scaled_train, scaled_test))[:, [list(columns).index(name) for name in kept]]
    np.testing.assert_array_equal(bits(scaled), bits(expected.astype(np.float32)))


def test_nested_fit_is_scikit_learn_without_the_held_out_rows(tmp_path):
    columns = {n: v for n, v in nasty(3000).items() if "gaps" not in n}
    train, test = split(columns, 2000)
    folds = np.repeat(np.arange(5, dtype=np.int16), 400)
    paths = write(tmp_path / "input", train=train, test=test, folds={"group_fold": folds})
    scaled_train, scaled_test, quantiles, _ = run(tmp_path, paths, fold=2, subsample=1200)
    x_train, x_test = (np.column_stack(list(part.values())) for part in (train, test))
    reference = QuantileTransformer(
        output_distribution="normal", subsample=1200, random_state=42
    ).fit(np.vstack((x_train[folds != 2], x_test)))
    for scaled, raw in ((scaled_train, x_train), (scaled_test, x_test)):
        expected = reference.transform(raw).astype(np.float32)
        np.testing.assert_array_equal(bits(scaled), bits(expected))
    np.testing.assert_array_equal(quantiles, reference.quantiles_)


def test_held_out_values_change_no_other_row(tmp_path):
    train, test = split(nasty(900), 600)
    folds = np.arange(600, dtype=np.int16) % 5
    held_out = folds == 3
    changed = {n: np.where(held_out, 1e6 - 3.0 * v[::-1], v) for n, v in train.items()}
    rest = {"test": test, "folds": {"group_fold": folds}}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    before = run(tmp_path / "a", write(tmp_path / "1", train=train, **rest), fold=3, resolution=0.0)
    after = run(
        tmp_path / "b", write(tmp_path / "2", train=changed, **rest), fold=3, resolution=0.0
    )
    np.testing.assert_array_equal(before[0][~held_out], after[0][~held_out])
    np.testing.assert_array_equal(before[1], after[1])
    np.testing.assert_array_equal(before[2], after[2])
    assert not np.array_equal(before[0][held_out], after[0][held_out])


def test_results_depend_neither_on_the_columns_at_once_nor_on_the_workers(tmp_path, monkeypatch):
    train, test = split(nasty(600), 400)
    paths = write(tmp_path / "input", train=train, test=test)
    written = []
    for count, workers in ((1, 1), (4, 3), (64, 2)):
        monkeypatch.setattr(scale, "COLUMNS_AT_ONCE", count)
        output = tmp_path / str(count)
        output.mkdir()
        scale.run(paths, PUBLISHED, output, Listener(workers))
        written.append({p.name: p.read_bytes() for p in sorted(output.iterdir())})
    assert written[0] == written[1] == written[2]
    assert list(written[0]) == ["quantiles.parquet", "test.parquet", "train.parquet"]


def test_columns_keep_names_order_and_types(tmp_path):
    train, test = split(nasty(60), 40)
    run(tmp_path, write(tmp_path / "input", train=train, test=test))
    for file, dtype in (
        ("train", pa.float32()),
        ("test", pa.float32()),
        ("quantiles", pa.float64()),
    ):
        schema = pq.read_schema(tmp_path / "output" / f"{file}.parquet")
        assert schema.names == list(train)
        assert set(schema.types) == {dtype}


def test_missing_cells_get_the_score_of_the_training_median(tmp_path):
    train = {"f": np.array([1.0, 2.0, np.nan, 4.0, 100.0, np.nan])}
    test = {"f": np.array([50.0, 60.0, 70.0, np.nan, 2.5])}
    folds = {"group_fold": np.array([0, 0, 0, 0, 1, 1], dtype=np.int16)}
    paths = write(tmp_path / "input", train=train, test=test, folds=folds)
    scaled_train, scaled_test, _, _ = run(tmp_path, paths, fold=1, resolution=0.0)
    # The median of 1, 2 and 4; neither test's values nor the held-out 100 move it.
    fitted = np.array([1.0, 2.0, 4.0, 50.0, 60.0, 70.0, 2.5, np.nan, np.nan])
    quantiles = fit_quantiles(fitted, count=9)
    expected = transform(np.array([2.0]), quantiles, resolution=0.0).astype(np.float32)
    assert scaled_train[[2, 5], 0].tolist() == [expected[0]] * 2 == [scaled_train[1, 0]] * 2
    assert scaled_test[3, 0] == expected[0]


def test_nulls_count_as_missing(tmp_path):
    with_nan, with_null = [1.0, np.nan, 3.0, 2.0], pa.array([1.0, None, 3.0, 2.0])
    results = []
    for name, column in (("nan", np.array(with_nan)), ("null", with_null)):
        (tmp_path / name).mkdir()
        paths = write(tmp_path / f"{name} in", train={"f": column}, test={"f": np.array([2.5])})
        results.append(run(tmp_path / name, paths)[0])
    np.testing.assert_array_equal(*results)


def test_a_column_without_any_fitted_value_becomes_zero_with_a_warning(tmp_path):
    rows = np.arange(6, dtype=np.float64)
    train = {"f": rows, "g": np.where(rows < 4, np.nan, rows)}
    test = {"f": rows[:2], "g": np.full(2, np.nan)}
    folds = {"group_fold": np.array([0, 0, 0, 0, 1, 1], dtype=np.int16)}
    paths = write(tmp_path / "input", train=train, test=test, folds=folds)
    scaled_train, scaled_test, quantiles, listener = run(tmp_path, paths, fold=1)
    assert scaled_train[:, 1].tolist() == [0.0] * 6
    assert scaled_test[:, 1].tolist() == [0.0] * 2
    assert np.isnan(quantiles[:, 1]).all()
    assert len(listener.warnings) == 1
    assert "1 column(s)" in listener.warnings[0]
    assert ": g." in listener.warnings[0]


def test_a_column_observed_in_test_only_is_imputed_with_zero(tmp_path):
    paths = write(
        tmp_path / "input", train={"f": np.full(3, np.nan)}, test={"f": np.array([1.0, 2.0, 3.0])}
    )
    scaled_train, scaled_test, _, listener = run(tmp_path, paths)
    assert scaled_train[:, 0].tolist() == [0.0] * 3
    assert scaled_test[0, 0] < scaled_test[1, 0] < scaled_test[2, 0]
    assert listener.warnings == []


def test_resolution_zero_keeps_what_scikit_learn_collapses():
    values = 1e-9 * np.random.default_rng(0).standard_normal(500)
    quantiles = fit_quantiles(values, count=500)
    collapsed = transform(values, quantiles, resolution=1e-7)
    kept = transform(values, quantiles, resolution=0.0)
    assert np.unique(collapsed).tolist() == [CLIP_LOW]
    assert np.unique(kept).size == 500


def test_resolution_zero_sends_ties_at_a_bound_to_the_bound():
    values = np.array([0.0] * 30 + [1.0] * 40 + [2.0] * 30)
    quantiles = fit_quantiles(values, count=100)
    scores = transform(np.array([-5.0, 0.0, 1.0, 2.0, 9.0]), quantiles, resolution=0.0)
    assert scores[[0, 1, 3, 4]].tolist() == [CLIP_LOW, CLIP_LOW, CLIP_HIGH, CLIP_HIGH]
    assert scores[2] == pytest.approx(0.0, abs=1e-12)
    constant = fit_quantiles(np.ones(9), count=100)
    at_both = transform(np.ones(2), constant, resolution=0.0)
    assert at_both.tolist() == [CLIP_LOW] * 2


def test_subsample_is_a_reproducible_choice_of_the_rows():
    rows = np.arange(100, 400)
    assert subsample_rows(rows, size=300, seed=0) is rows
    chosen = subsample_rows(rows, size=50, seed=0)
    assert np.unique(chosen).size == 50
    assert np.isin(chosen, rows).all()
    np.testing.assert_array_equal(chosen, subsample_rows(rows, size=50, seed=0))
    assert not np.array_equal(chosen, subsample_rows(rows, size=50, seed=1))


def test_subsampling_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    subsample_rows(np.arange(9), size=3, seed=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_median_ignores_what_is_missing():
    assert median(np.array([np.nan, 4.0, 1.0, 2.0])) == 2.0
    assert median(np.array([3.0, np.nan, 1.0])) == 2.0
    assert np.isnan(median(np.array([np.nan])))


FINITE = st.floats(-1e33, 1e33, allow_nan=False, allow_subnormal=False)
COLUMNS = hnp.arrays(
    np.float64,
    st.integers(1, 60),
    elements=st.one_of(FINITE, st.just(np.nan), st.integers(-2, 2).map(float)),
)


@given(COLUMNS, st.integers(1, 80))
def test_quantiles_never_decrease_and_are_those_of_numpy(sample, n_quantiles):
    quantiles = fit_quantiles(sample, count=n_quantiles)
    if np.isnan(sample).all():
        assert np.isnan(quantiles).all()
        return
    assert (np.diff(quantiles) >= 0.0).all()
    shares = reference_shares(n_quantiles)
    np.testing.assert_array_equal(quantiles, np.nanpercentile(sample, shares * 100.0))


@given(COLUMNS, st.sampled_from([0.0, 1e-7]), st.data())
def test_scores_are_bounded_rise_with_the_values_and_follow_their_rows(values, resolution, data):
    rows = np.arange(values.size)
    fit = {"training": rows, "count": values.size, "resolution": resolution}
    scores, _ = scale_column(values, sample=rows, **fit)
    assert scores.dtype == np.float32
    assert np.abs(scores).max() <= np.float32(CLIP_HIGH)
    observed = np.flatnonzero(~np.isnan(values))
    ascending = observed[np.argsort(values[observed], kind="stable")]
    assert (np.diff(scores[ascending]) >= 0.0).all()
    order = np.array(data.draw(st.permutations(rows.tolist())))
    shuffled, _ = scale_column(values[order], sample=rows, **fit)
    np.testing.assert_array_equal(shuffled, scores[order])
