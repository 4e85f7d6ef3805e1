"""Pseudo-labels: the threshold at exactly 0.90, the boost, ties, none at all, other rules."""

import numpy as np
import pytest

from emodag.chain.chain import Chain
from emodag.chain.jobs import jobs as chain_jobs
from emodag.chain.variants import Variants
from emodag.config.sections import load
from emodag.science.blending import mean_probabilities
from emodag.science.pseudo_label import (
    aligned,
    boosted,
    class_thresholds,
    decided,
    normalised,
    repeated,
    select,
)
from emodag.science.seeds import generator
from emodag.science.tables.matrices import (
    probability_columns,
    read_columns,
    stacked_probabilities,
    write_columns,
)
from emodag.stages import pseudo_label
from ledger.errors import ConfigError
from tests.said import Said


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_of_exactly_the_threshold_is_selected(dtype):
    at = dtype(0.9)
    below = np.nextafter(at, dtype(0))
    probabilities = np.array([[at, 1 - at], [below, 1 - below]], dtype)
    rows, labels, confidence = select(probabilities, threshold=0.9)
    assert rows.tolist() == [0] and labels.tolist() == [0]
    assert confidence.dtype == dtype and confidence[0] == at


def test_the_boost_keeps_float32():
    probabilities = np.array([[0.3, 0.7], [0.65, 0.35]], np.float32)
    result = boosted(probabilities, np.array([1.0, 1.5]))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result[:, 1], probabilities[:, 1] * np.float32(1.5))
    np.testing.assert_array_equal(result[:, 0], probabilities[:, 0])


def test_a_boosted_class_can_cross_the_threshold_and_win():
    probabilities = np.array([[0.39, 0.61]], np.float32)
    assert len(select(probabilities, threshold=0.9)[0]) == 0
    rows, labels, _ = select(boosted(probabilities, np.array([1.0, 1.5])), threshold=0.9)
    assert rows.tolist() == [0] and labels.tolist() == [1]


def test_the_first_of_equal_classes_wins():
    _, labels, _ = select(np.array([[0.5, 0.5]], np.float32), threshold=0.5)
    assert labels.tolist() == [0]
    even = np.array([[0.5, 0.5], [0.39, 0.61]], np.float32)
    assert decided(even, [1.0, 1.0]).tolist() == [0, 1]
    assert decided(even, [2.0, 1.0]).tolist() == [0, 0]


@pytest.mark.parametrize(("classes", "dtype"), [(128, np.int8), (129, np.int16), (250, np.int16)])
def test_the_last_of_many_classes(classes, dtype):
    _, labels, _ = select(np.eye(classes, dtype=np.float32)[-1:], threshold=0.9)
    assert labels.dtype == dtype and labels.tolist() == [classes - 1]


def test_no_row_at_all():
    rows, labels, confidence = select(np.full((3, 4), 0.25, np.float32), threshold=0.9)
    assert (len(rows), len(labels), len(confidence)) == (0, 0, 0)
    assert (rows.dtype, labels.dtype) == (np.int32, np.int8)


def test_the_mean_is_summed_in_order_in_float32():
    members = [np.array([[value, 1 - value]], np.float32) for value in (0.1, 0.2, 0.7)]
    expected = (members[0] + members[1] + members[2]) / np.float32(3)
    result = mean_probabilities(members)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, expected)


def sure(counts, confidence=0.95):
    """As many rows of each class, (n, 3) float32."""
    rest = (1 - confidence) / 2
    rows = np.full((3, 3), rest) + (confidence - rest) * np.eye(3)
    return np.repeat(rows, counts, axis=0).astype(np.float32)


def test_flexmatch_lowers_the_threshold_of_classes_with_few_sure_rows():
    found = class_thresholds(sure([30, 10, 0]), "flexmatch", 0.9)
    np.testing.assert_allclose(found, [0.9, 0.9 * (1 / 3) / (2 - 1 / 3), 0])
    # As long as most rows are below the threshold, that of the first class is lower, too.
    unsure = np.concatenate([sure([30, 10, 0]), sure([20, 20, 20], 0.6)])
    found = class_thresholds(unsure, "flexmatch", 0.9)
    np.testing.assert_allclose(found[:2], [0.9 * 0.5 / 1.5, 0.9 * (1 / 6) / (2 - 1 / 6)])
    rows, labels, _ = select(
        np.concatenate([sure([30, 0, 0]), sure([0, 1, 0], 0.5)]), threshold=0.9
    )
    assert len(rows) == 30 and set(labels) == {0}
    both = np.concatenate([sure([30, 10, 0]), sure([9, 9, 0], 0.6)])
    chosen = select(both, threshold=class_thresholds(both, "flexmatch", 0.9))[1]
    assert np.bincount(chosen).tolist() == [30, 19]


def test_freematch_takes_the_mean_confidence_and_less_for_classes_predicted_less():
    found = class_thresholds(sure([3, 1, 0], 0.8), "freematch")
    mean = sure([3, 1, 0], 0.8).mean(axis=0)
    np.testing.assert_allclose(found, 0.8 * mean / mean[0], rtol=1e-6)
    assert found[0] > found[1] > found[2] > 0
    assert class_thresholds(np.empty((0, 3), np.float32), "freematch").tolist() == [0, 0, 0]


def test_a_share_of_each_class_is_the_surest_of_it():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([3, 2, 1], 200).astype(np.float32)
    rows, labels, confidence = select(
        probabilities, threshold=class_thresholds(probabilities, "share", 0.2)
    )
    predicted, highest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    for k in range(3):
        of_class = predicted == k
        assert (labels == k).sum() == round(0.2 * of_class.sum())
        left = np.setdiff1d(np.flatnonzero(of_class), rows)
        assert confidence[labels == k].min() >= highest[left].max()
    few = sure([1, 0, 0])
    assert len(select(few, threshold=class_thresholds(few, "share", 0.2))[0]) == 1
    none = np.empty((0, 3), np.float32)
    assert len(select(none, threshold=class_thresholds(none, "share", 0.2))[0]) == 0


@pytest.mark.parametrize("shares", [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [1 / 3] * 3])
def test_the_mean_of_aligned_probabilities_is_the_shares(shares):
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet([5, 1, 0.5], 300).astype(np.float32)
    found = aligned(probabilities, np.array(shares))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(axis=0), shares, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    # A class has one factor for all rows.
    odds = (found[:, 0] / found[:, 1]) / (probabilities[:, 0] / probabilities[:, 1])
    np.testing.assert_allclose(odds, np.median(odds), rtol=1e-3)


def test_alignment_to_what_cannot_be_met():
    found = aligned(sure([2, 2, 0]), np.array([0.5, 0.0, 0.5]))
    assert (found[:, 1] == 0).all() and np.isfinite(found).all()
    never = np.array([[0.6, 0.4, 0.0], [0.3, 0.7, 0.0]], np.float32)
    assert np.isfinite(aligned(never, np.array([0.4, 0.4, 0.2]))).all()
    assert aligned(np.empty((0, 3), np.float32), np.full(3, 1 / 3)).shape == (0, 3)
    np.testing.assert_array_equal(
        normalised(np.array([[0.0, 0.0], [1.0, 3.0]])), [[0, 0], [0.25, 0.75]]
    )


@pytest.fixture
def inputs(tmp_path):
    """Eight labelled rows of four persons in two folds, and forty rows of a pool."""
    rng = np.random.default_rng(2)
    write_columns(
        tmp_path / "p", probability_columns(rng.dirichlet([4, 2, 1], 40).astype(np.float32))
    )
    labels = np.array([0, 1, 2, 2, 0, 1, 2, 2], np.int8)
    write_columns(tmp_path / "rows", {"label": labels, "person": np.repeat(np.arange(4), 2)})
    write_columns(tmp_path / "folds", {"group_fold": np.repeat([0, 1], 4).astype(np.int16)})
    return {"probabilities": tmp_path / "p", "rows": tmp_path / "rows", "folds": tmp_path / "folds"}


def labelled(inputs, fold=0, **params):
    output, said = inputs["rows"].parent, Said()
    params = {"boost": [1.0] * 3, "fold": fold, "kind": "group_fold", **params}
    pseudo_label.run(inputs, params, output, said)
    return read_columns(output / "pseudo_labels.parquet"), said


def test_labels_of_whom_a_fold_holds_out_move_no_pseudo_label_of_it(inputs):
    asked = {"select": "share", "share": 1.0, "align": True, "soft": True}
    before, said = labelled(inputs, **asked)
    assert said.seen == [2, 3] and len(before["row"]) == 40
    mean = stacked_probabilities(before).mean(axis=0)
    np.testing.assert_allclose(mean, [0.25, 0.25, 0.5], atol=1e-5)
    rows = {name: values.copy() for name, values in read_columns(inputs["rows"]).items()}
    rows["label"][:4] = 0
    write_columns(inputs["rows"], rows)
    after, _ = labelled(inputs, **asked)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    everybody, said = labelled(inputs, fold=None, **asked)
    assert said.seen == [0, 1, 2, 3]
    assert not np.array_equal(everybody["p0"], before["p0"])


def test_soft_labels_are_the_probabilities_whose_highest_is_the_confidence(inputs):
    hard, _ = labelled(inputs, threshold=0.7)
    found, _ = labelled(inputs, threshold=0.7, soft=True)
    assert set(found) == {*hard, "p0", "p1", "p2"}
    np.testing.assert_array_equal(found["row"], hard["row"])
    soft = stacked_probabilities(found)
    np.testing.assert_array_equal(soft.max(axis=1), found["confidence"])
    np.testing.assert_array_equal(soft.argmax(axis=1), found["label"])
    boosted_, _ = labelled(inputs, threshold=0.7, soft=True, boost=[1.0, 1.0, 2.0])
    np.testing.assert_allclose(stacked_probabilities(boosted_).sum(axis=1), 1, rtol=1e-6)


def test_no_row_is_told_of(inputs):
    found, said = labelled(inputs, threshold=1.0)
    assert len(found["row"]) == 0 and "reaches a confidence of 1.0" in said.warnings[0]
    assert labelled(inputs, select="flexmatch", threshold=1.0)[1].warnings == []


def asked(**pseudo_labels):
    """Parameters and inputs of a job of generation 2 in a fold."""
    config = load({"protocols": ["nested"], "pseudo_labels": pseudo_labels})
    jobs = {job.name: job for job in Chain(config, "local").jobs()}
    job = jobs["local/nested/seed1/gen2/pseudo_labels/fold1"]
    return job.params, set(job.inputs), jobs["submission"].params["boost"]


def test_a_job_is_told_only_what_it_needs():
    boost = [1, 1, 1, 1.5]
    assert asked() == ({"threshold": 0.9, "boost": boost}, {"probabilities"}, boost)
    assert asked(select="flexmatch")[0] == {"select": "flexmatch", "threshold": 0.9, "boost": boost}
    assert asked(select="freematch", threshold=0.5) == asked(select="freematch")
    assert asked(select="share", share=0.5)[0]["share"] == 0.5
    params, inputs, submitted = asked(align="labelled", soft=True)
    assert inputs == {"probabilities", "rows", "folds"} and params["fold"] == 1
    assert params["boost"] == submitted == [1, 1, 1, 1], "in place of a boost"


@pytest.mark.parametrize("count", [0, 2, 5, 13])
def test_rows_are_repeated_equally_often(count):
    rows = np.array([3, 4, 7, 8, 11])
    found = repeated(rows, count, generator("again"))
    times = [int(np.count_nonzero(found == row)) for row in rows]
    assert sum(times) == len(found) == count and max(times) - min(times) <= 1
    np.testing.assert_array_equal(found, repeated(rows, count, generator("again")))


def test_only_the_last_generation_of_a_control_is_its_own():
    control = {"variants": {"same": {"pseudo_labels": {"control": True}}}}
    own = [job for job in chain_jobs(load(control)) if job.startswith("variants/same/local/")]
    home = "variants/same/local/nested/seed1/gen2"
    assert own == [*(f"{home}/fold{fold}" for fold in range(5)), f"{home}/blend"]


def test_whose_control_it_is():
    """The variant that is the same but for that, be it the configuration or another one."""
    control = {"pseudo_labels": {"control": True}}
    variants = {
        "same": control,
        "one": {"generations": 1},
        "one_same": {"generations": 1, **control},
    }
    compared = chain_jobs(load({"variants": variants}))["variants"]
    assert compared.params["controls"] == {"same": "base", "one_same": "one"}
    del variants["one"]
    with pytest.raises(ConfigError, match=r"variants\.one_same: is the control of a variant that"):
        load({"variants": variants})


@pytest.mark.parametrize(
    ("values", "without"),
    [
        ({"protocols": ["nested"], "generations": 0}, "has no `generations`; leave"),
        (
            {"data": {"source": "files", "train": "train.csv"}},
            "has no `data.test` or `data.unlabelled`; leave",
        ),
    ],
)
def test_without_pseudo_labels_there_is_nothing_to_control(values, without):
    control = {"variants": {"same": {"pseudo_labels": {"control": True}}}}
    with pytest.raises(
        ConfigError, match=rf"variants\.same: `pseudo_labels\.control: .* {without}"
    ):
        load({**values, **control})


def test_under_the_published_protocol_all_labelled_rows_have_a_say():
    config = load({"pseudo_labels": {"align": "labelled"}})
    jobs = {job.name: job for job in Chain(config, "local").jobs()}
    job = jobs["local/published/seed1/gen1/pseudo_labels/all"]
    assert job.params["fold"] is None and set(job.inputs) == {"probabilities", "rows"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"pseudo_labels": {"align": "labelled", "boost": {"LVLA": 2}}},
            r"pseudo_labels: `align: labelled` takes the place of a boost.*set `boost: null`",
        ),
        ({"pseudo_labels": {"control": True}}, r"control: true is for a variant"),
        ({"pseudo_labels": {"share": 0}}, r"pseudo_labels\.share: .*greater than 0"),
        ({"pseudo_labels": {"select": "fixmatch"}}, r"select: .*'flexmatch'.*found 'fixmatch'"),
    ],
)
def test_what_contradicts_itself_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        load(values)


def test_what_does_not_contradict_itself_is_taken():
    load({"pseudo_labels": {"align": "labelled", "boost": None}})


def test_what_only_networks_know_is_nothing_to_other_learners():
    """It may stand in the configuration, beside variants of other learners, and changes no job."""
    for asked in ({"pseudo_labels": {"soft": True}}, {"training": {"adapt": "persons"}}):
        simple = {"learner": "svm", "protocols": ["nested"], "folds": 2, "scaling": {"person": "z"}}
        plain, other = (
            {job.name: job.params for job in Chain(load(c), "local").fits("nested", 1)}
            for c in (simple, simple | asked)
        )
        assert plain == other
        both = {
            "protocols": ["nested"],
            "folds": 2,
            **asked,
            "variants": {"svm": {"learner": "svm"}},
        }
        assert [*Variants(load(both)).chains] == ["base", "svm"]
