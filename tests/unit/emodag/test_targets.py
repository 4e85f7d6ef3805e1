"""What a network learns of each row: class weights, label smoothing, soft pseudo-labels."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from emodag.chain.chain import Chain
from emodag.config.sections import load
from emodag.science.fit.ordered import cross_entropy
from emodag.science.fit.targets import class_weights, targets
from emodag.science.fit.training import fit, probabilities
from tests.unit.emodag.test_training import MODEL, SETTINGS, Derived, stream

LABELS = np.array([0] * 7 + [1] * 2 + [2], np.int8)


def test_by_default_a_row_is_its_class():
    np.testing.assert_array_equal(targets(LABELS, classes=4, labelled=10), np.eye(4)[LABELS])


def test_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_class_weight

    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    found = class_weights(LABELS, classes=4)
    np.testing.assert_allclose(found, [*expected, 1])
    pseudo = np.append(LABELS, [2, 2, 3]).astype(np.int8)
    table = targets(pseudo, classes=4, labelled=10, balanced=True)
    np.testing.assert_allclose(table[:10].sum(axis=0)[:3], 10 / 3, rtol=1e-6)
    np.testing.assert_allclose(table[10:].max(axis=1), found[[2, 2, 3]], rtol=1e-6)


def test_smoothing_with_weights_is_torchs():
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=(10, 3)).astype(np.float32))
    table = targets(LABELS, classes=3, labelled=10, balanced=True, smoothing=0.2)
    found, _ = cross_entropy(logits, (torch.from_numpy(table), 1.0))
    expected = torch.nn.functional.cross_entropy(
        logits,
        torch.from_numpy(LABELS.astype(np.int64)),
        weight=torch.from_numpy(class_weights(LABELS, classes=3).astype(np.float32)),
        label_smoothing=0.2,
        reduction="none",
    )
    assert found == pytest.approx(expected.mean().item(), rel=1e-6)


def test_a_soft_label_weighs_as_much_as_it_is_sure():
    soft = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]], np.float32)
    table = targets(np.array([1, 0, 2]), classes=3, labelled=1, soft=soft)
    np.testing.assert_allclose(table, [[0, 1, 0], 0.7 * soft[0], soft[1]], rtol=1e-6)
    smooth = targets(np.array([1, 0, 2]), classes=3, labelled=1, soft=soft, smoothing=0.3)
    np.testing.assert_allclose(smooth.sum(axis=1), [1, 0.7, 1], rtol=1e-6)


def fitted(labels, rows, **changes):
    x = torch.from_numpy(np.random.default_rng(5).normal(size=(len(rows), 6)).astype(np.float32))
    network, _ = fit(
        x,
        np.arange(len(rows)),
        labels,
        classes=2,
        model=replace(MODEL, **changes),
        settings=replace(SETTINGS, epochs=5),
        randomness=Derived(stream),
    )
    return network, probabilities(network, x, np.arange(len(rows)), at_once=64)


@pytest.mark.parametrize("matmul", ["ordered"])  # and others in `tests/long`
def test_balanced_a_rare_class_counts_as_much_as_others(matmul):
    """No feature tells the classes apart."""
    rows = (np.arange(240) % 10 == 0).astype(np.int64)
    _, plain = fitted(rows, rows, matmul=matmul)
    table = targets(rows, classes=2, labelled=240, balanced=True)
    _, weighed = fitted(table, rows, matmul=matmul)
    assert plain[:, 1].mean() < 0.25 < 0.35 < weighed[:, 1].mean()
    smooth = targets(rows, classes=2, labelled=240, smoothing=0.5)
    assert fitted(smooth, rows, matmul=matmul)[1][:, 1].min() > plain[:, 1].min()


def test_a_fit_with_weights_has_the_same_bits_whatever_the_threads():
    rows = np.arange(80) % 2
    table = targets(rows, classes=2, labelled=80, balanced=True, smoothing=0.1)
    digests, threads = set(), torch.get_num_threads()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            network, _ = fitted(table, rows)
            whole = b"".join(value.numpy().tobytes() for value in network.state_dict().values())
            digests.add(hashlib.sha256(whole).hexdigest())
    finally:
        torch.set_num_threads(threads)
    assert len(digests) == 1


def params(**training):
    jobs = Chain(load({"training": training}), "local").jobs()
    return [job.params for job in jobs if job.stage in ("stage0", "teacher", "student")]


def test_a_fit_is_told_of_targets_only_where_they_are_asked_for():
    assert not any("targets" in each for each in params())
    asked = params(class_weights="balanced", label_smoothing=0.1)
    assert all(each.pop("targets") == {"balanced": True, "smoothing": 0.1} for each in asked)
    assert json.dumps(asked) == json.dumps(params())
