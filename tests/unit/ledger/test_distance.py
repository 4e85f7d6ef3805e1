"""The distance of two arrays: what counts as different, and how far that is."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ledger.compare.distance import Distance, distance, ulps

FLOATS = [np.float16, np.float32, np.float64]
NUMBERS = [*FLOATS, np.bool_, np.int8, np.int32, np.int64, np.uint64]
MAX = Fraction(np.finfo(np.float64).max)


@st.composite
def pairs(draw, types):
    """Two arrays of one type and shape that agree in many cells."""
    dtype, n = draw(st.sampled_from(types)), draw(st.integers(0, 20))
    a, b = (draw(arrays(dtype, n)) for _ in range(2))
    return a, np.where(draw(arrays(np.bool_, n)), a, b)


def same(x, y):
    """Whether two cells are one value: as text, in which NaNs are alike and zeros are not."""
    return repr(x) == repr(y)


def apart(a, b):
    """The pairs that differ and have a distance, as exact fractions."""
    return [
        (Fraction(x), Fraction(y))
        for x, y in zip(a.tolist(), b.tolist(), strict=True)
        if not same(x, y) and np.isfinite(x) and np.isfinite(y)
    ]


@given(pairs(NUMBERS))
def test_which_cells_differ(pair):
    a, b = pair
    found = distance(a, b)
    differing = sum(not same(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True))
    assert (found.cells, found.differing) == (len(a), differing)
    assert found.incomparable == differing - len(apart(a, b))
    assert found == distance(b, a)


@given(pairs(NUMBERS))
def test_how_far_they_are_apart(pair):
    found, exact = distance(*pair), apart(*pair)
    if not exact:
        assert (found.absolute, found.relative, found.ulps) == (None, None, None)
        return
    largest = max(abs(x - y) for x, y in exact)
    assert found.absolute == pytest.approx(float(min(largest, MAX)))
    if largest <= MAX:
        relative = max(abs(x - y) / (max(abs(x), abs(y)) or 1) for x, y in exact)
        assert found.relative == pytest.approx(float(relative))
    assert 0 <= found.relative <= 2


@given(st.sampled_from(FLOATS), st.data(), st.integers(0, 5))
def test_ulps_are_steps_of_nextafter(dtype, data, steps):
    start = data.draw(arrays(dtype, 1, elements={"allow_nan": False, "allow_infinity": False}))
    end = start
    with np.errstate(over="ignore"):
        for _ in range(steps):
            end = np.nextafter(end, dtype(np.inf))
    if np.isfinite(end).all():
        assert ulps(start, end).tolist() == ulps(end, start).tolist() == [steps]


@pytest.mark.parametrize("dtype", FLOATS)
def test_ulps_across_the_whole_range(dtype):
    top = np.array([np.finfo(dtype).max])
    zero = np.zeros(1, dtype)
    assert ulps(zero, -zero) == [0]
    assert int(ulps(-top, top)[0]) == 2 * int(ulps(zero, top)[0])
    assert int(ulps(zero, top)[0]) == int(top.view(f"u{top.itemsize}")[0])


def test_zeros_of_two_signs_differ_at_no_distance():
    found = distance(np.array([0.0, 1.0]), np.array([-0.0, 1.0]))
    assert found == Distance(cells=2, differing=1, absolute=0.0, relative=0.0, ulps=0)
    assert found.share == 0.5


def test_nan_of_any_payload_is_one_value_and_has_no_distance_from_numbers():
    odd = np.array([0x7FF8000000000001, 0xFFF8000000000000], np.uint64).view(np.float64)
    assert distance(odd, np.full(2, np.nan)) == Distance(cells=2)
    found = distance(np.array([np.nan, np.inf, np.inf, 1.0]), np.array([1.0, np.inf, 1.0, 1.5]))
    assert (found.differing, found.incomparable, found.absolute) == (3, 2, 0.5)


def test_extreme_integers_and_floats_do_not_overflow():
    low, high = np.array([np.iinfo(np.int64).min]), np.array([np.iinfo(np.int64).max])
    assert distance(low, high).absolute == 2.0**64
    top = np.array([np.finfo(np.float64).max])
    found = distance(top, -top)
    assert found.absolute == top[0] and 1 <= found.relative <= 2


def test_two_types_are_compared_by_value():
    a = np.array([1.0, 0.1], np.float32)
    found = distance(a, np.array([1.0, 0.1]))
    assert (found.differing, found.ulps) == (1, None)
    assert distance(a, a.astype(np.float64)) == Distance(cells=2)
    assert distance(np.array([1, 2]), np.array(["1", "b"], object)).differing == 2


def test_text_differs_or_does_not():
    found = distance(np.array(["a", "b", None], object), np.array(["a", "c", None], object))
    assert found == Distance(cells=3, differing=1)


@given(pairs(NUMBERS), pairs(NUMBERS))
def test_sums_describe_both(one, other):
    left, right = distance(*one), distance(*other)
    both = left + right
    assert both == right + left and left + Distance() == left
    assert both.cells == left.cells + right.cells
    if one[0].dtype == other[0].dtype:
        whole = distance(np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]]))
        assert both.squares == pytest.approx(whole.squares)
        assert both == replace(whole, squares=both.squares)


def test_the_root_mean_square_is_over_all_cells_that_can_be_compared():
    a = np.array([1.0, 2.0, 4.0, np.nan, np.nan])
    b = np.array([1.0, 1.0, 3.0, np.nan, 1.0])
    assert distance(a, b).rms == pytest.approx(np.sqrt((0.5**2 + 0.25**2) / 4))
    assert distance(a, a).rms == Distance().rms == 0


def test_figures_say_everything():
    found = distance(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    assert found.figures()["share"] == 0.5 and Distance.of(found.figures()) == found


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        distance(np.zeros(2), np.zeros(3))
    assert distance(np.zeros((2, 3)), np.ones((2, 3))).differing == 6
