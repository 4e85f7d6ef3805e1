"""What a difference comes to, and how large it is beside the spread between seeds."""

import numpy as np
import pytest
from scipy import stats

from emodag.pages.drift.verdicts import together
from emodag.science.scores.contrasts import (
    compared,
    flipped_predictions,
    mean_of,
    moved_persons,
    pseudo_label_changes,
)
from emodag.science.scores.yardstick import effect, mean_interval, sd_interval, spread
from emodag.stages.factors import factors


def test_a_person_that_moves():
    persons = np.array(["b", "b", "a", "c", "a"])
    one, other = np.array([[0, 0, 1, 2, 1]]), np.array([[0, 0, 2, 2, 2]])
    assert moved_persons(persons, one, other) == [{"person": "a", "a": 1, "b": 2}]
    assert moved_persons(persons, one, one) == []


def test_who_moves_in_several_repeats_moves_once():
    persons = np.array(["b", "b", "a", "c", "a"])
    one = np.array([[0, 0, 1, 0, 1], [3, 3, 2, 2, 2]])
    other = np.array([[0, 0, 0, 1, 0], [2, 2, 3, 2, 3]])
    assert moved_persons(persons, one, other) == [
        {"person": "a", "a": 1, "b": 0},
        {"person": "b", "a": 3, "b": 2},
        {"person": "c", "a": 0, "b": 1},
    ]


def test_pseudo_labels_gained_lost_and_flipped():
    a = np.array([1, 4, 6, 9]), np.array([0, 1, 2, 3])
    b = np.array([0, 4, 6, 7, 9]), np.array([1, 1, 3, 0, 3])
    assert pseudo_label_changes(a, b) == {"a": 4, "b": 5, "gained": 2, "lost": 1, "flipped": 1}
    assert pseudo_label_changes(a, a) == {"a": 4, "b": 4, "gained": 0, "lost": 0, "flipped": 0}
    none = np.array([], np.int32), np.array([], np.int8)
    assert pseudo_label_changes(none, b) == {"a": 0, "b": 5, "gained": 5, "lost": 0, "flipped": 0}


def test_a_prediction_flips_only_with_the_boost():
    a = np.array([[0.55, 0.45], [0.9, 0.1]], np.float32)
    b = np.array([[0.61, 0.39], [0.9, 0.1]], np.float32)
    assert flipped_predictions(a, b, boost=np.ones(2)) == {"rows": 2, "flipped": 0}
    assert flipped_predictions(a, b, boost=np.array([1, 1.5])) == {"rows": 2, "flipped": 1}


def test_scores_are_the_right_side_less_the_left():
    found = mean_of([compared(0.25, 0.5), compared(0.75, 0.25)])
    assert found == {"a": 0.5, "b": 0.375, "difference": -0.125}


def test_intervals_are_the_textbook_ones():
    values = [0.41, 0.44, 0.39, 0.47, 0.43]
    sd = np.std(values, ddof=1)
    found = spread(values)
    low, high = (4 * sd**2 / stats.chi2.ppf(p, 4) for p in (0.975, 0.025))
    assert found["n"] == 5 and found["sd"] == pytest.approx(sd)
    assert found["interval"] == pytest.approx([np.sqrt(low), np.sqrt(high)])
    assert found["two_runs"] == pytest.approx(stats.t.ppf(0.975, 4) * np.sqrt(2) * sd)
    expected = stats.t.interval(0.95, 4, np.mean(values), sd / np.sqrt(5))
    assert mean_interval(values) == pytest.approx(list(expected))


def test_one_pair_is_as_sure_as_the_standard_deviation():
    yardstick = spread([0.40, 0.44, 0.42])
    found = effect([-0.03], yardstick)
    least, most = yardstick["interval"]
    assert (found["n"], found["interval"]) == (1, None)
    assert found["in_sds"] == pytest.approx(-1.5)
    assert found["in_sds_interval"] == pytest.approx([-0.03 / least, -0.03 / most])


def test_several_pairs_widen_the_interval_by_both():
    yardstick = spread([0.40, 0.44, 0.42, 0.43])
    values = [-0.02, 0.01, 0.03]
    found = effect(values, yardstick)
    low, high = mean_interval(values, level=0.975)
    least, _ = sd_interval(yardstick["sd"], n=4, level=0.975)
    assert found["interval"] == pytest.approx(mean_interval(values))
    assert low < 0 < high
    assert found["in_sds_interval"] == pytest.approx([low / least, high / least])


def test_joint_intervals_hold_as_often_as_they_say():
    """Bonferroni's interval covers the true ratio in at least 95 of 100 experiments."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        yardstick = spread(rng.normal(0.4, 0.02, 5).tolist())
        low, high = effect(rng.normal(0.01, 0.02, 4).tolist(), yardstick)["in_sds_interval"]
        covered += low <= 0.5 <= high
    assert covered >= 380


def test_no_effect_and_no_yardstick():
    assert effect([0.0], spread([0.4, 0.5]))["in_sds_interval"] == [0.0, 0.0]
    found = effect([0.1], spread([0.4, 0.4]))
    assert found["in_sds"] is None and found["in_sds_interval"] is None


def environment(threads=1, variables=None, **requires):
    return {
        "requires": {"numpy": "1.26.4", "torch": "2.13.0", **requires},
        "variables": variables or {},
        "threads": threads,
    }


@pytest.mark.parametrize(
    ("b", "names"),
    [
        (environment(), []),
        (environment(numpy="2.0.2"), ["NumPy"]),
        (environment(threads=2), ["the thread count"]),
        (
            environment(variables={"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2"}),
            ["the CPU instruction set"],
        ),
        (environment(variables={"X": "1"}), ["the variable X"]),
        (environment(2, numpy="2.0.2", torch="2.8.0"), ["NumPy", "PyTorch", "the thread count"]),
    ],
)
def test_the_factor_that_differs(b, names):
    found = factors(environment(), b, other_seed=False)
    assert [factor["name"] for factor in found] == names


def test_what_changes_and_how_it_is_said():
    (factor,) = factors(environment(), environment(numpy="2.0.2", threads=1), other_seed=False)
    assert factor["changes"] == [{"what": "numpy", "a": "1.26.4", "b": "2.0.2"}]
    (seed,) = factors(environment(), environment(), other_seed=True)
    assert seed["name"] == "the run seed"
    assert together(["NumPy"]) == "NumPy"
    assert together(["NumPy", "SciPy", "PyTorch"]) == "NumPy, SciPy and PyTorch together"
