"""The order of sums is part of the definition of `emodag.science.fit.ordered`."""

import numpy as np
import pytest
import torch

from emodag.science.fit import ordered
from emodag.science.fit.model import BatchNorm
from emodag.science.fit.ordered import (
    PIECE,
    Linear,
    cross_entropy,
    is_direct_in,
    normalise,
    product,
    sigmoid,
    softmax,
    squared_error,
    sum_rows,
)

RNG = np.random.default_rng(7)


def normal(*shape):
    return torch.from_numpy(RNG.standard_normal(shape, dtype=np.float32))


def in_order(a, b):
    """Fused multiply-adds in order: what is added is exact in extended precision, then rounded."""
    total = np.zeros((len(a), len(b)), np.float32)
    a, b = a.numpy().astype(np.longdouble), b.numpy().astype(np.longdouble)
    for column in range(a.shape[1]):
        total = (np.outer(a[:, column], b[:, column]) + total).astype(np.float32)
    return torch.from_numpy(total)


@pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 63 or not torch.backends.mkldnn.is_available(),
    reason="needs an x86-64 processor",
)
@pytest.mark.parametrize(
    "n, k, m", [(128, 512, 64), (33, 100, 7), (1, 31, 5), (4, 1, 1), (9, 3, 2)]
)
@pytest.mark.parametrize("is_direct", {ordered.IS_DIRECT, False})
def test_a_product_adds_in_order(n, k, m, is_direct, monkeypatch):
    monkeypatch.setattr(ordered, "IS_DIRECT", is_direct)
    a, b = normal(n, k), normal(m, k)
    expected = in_order(a, b)
    for left in (a, a.T.contiguous().T, normal(n, 3 * k)[:, k : 2 * k].copy_(a)):
        for right in (b, b.T.contiguous().T, normal(m, 3 * k)[:, k : 2 * k].copy_(b)):
            assert torch.equal(product(left, right), expected)


def test_a_long_product_is_the_sum_of_its_pieces_in_order():
    a, b = normal(20, 2 * PIECE + 257), normal(11, 2 * PIECE + 257)
    pieces = [slice(0, PIECE), slice(PIECE, 2 * PIECE), slice(2 * PIECE, None)]
    first, second, third = (product(a[:, piece], b[:, piece]) for piece in pieces)
    assert torch.equal(product(a, b), first + second + third)
    torch.testing.assert_close(product(a, b), a @ b.T, atol=1e-3, rtol=0)


@pytest.mark.parametrize("release, expected", [("2.9.1+cpu", False), ("2.100.0", True)])
def test_releases_are_not_compared_as_text(release, expected):
    assert is_direct_in(release) is expected


@pytest.mark.parametrize("columns", [(25, 20), (1024, 512), (0, 0)])
def test_what_has_no_product_is_refused(columns):
    n, k = columns
    with pytest.raises(ValueError, match=f"no product of .4, {n}. and .3, {k}."):
        product(torch.ones(4, n), torch.ones(3, k))


def test_rows_are_added_in_halves_and_the_odd_one_to_the_first():
    x = torch.tensor([[1e8], [1.0], [0.0], [0.0], [-1e8]])
    assert sum_rows(x).item() == ((1e8 + 0.0) + -1e8) + (1.0 + 0.0)
    x = normal(37, 5)
    torch.testing.assert_close(sum_rows(x), x.sum(0))


def test_the_sum_of_one_row_is_another_array():
    x = torch.tensor([[1.0, -0.0]])
    total = sum_rows(x)
    assert torch.equal(total, x[0]) and total[1].signbit()
    assert total.data_ptr() != x.data_ptr()


def test_a_sum_beyond_the_range_is_infinite():
    with np.errstate(over="ignore"):
        assert sum_rows(torch.full((2, 1), 3e38)).item() == float("inf")


@pytest.mark.parametrize("widths", [(20, 17), (17, 20)])
def test_no_layer_takes_rows_of_another_width(widths):
    wrong, right = widths
    with pytest.raises(ValueError, match="no product of"):
        Linear(right, 3)(normal(5, wrong))


def test_a_layer_and_a_sigmoid_are_torchs():
    x = normal(13, 70)
    layers = [kind(70, 9) for kind in (Linear, torch.nn.Linear)]
    layers[1].load_state_dict(layers[0].state_dict())
    torch.testing.assert_close(layers[0](x), layers[1](x).detach(), atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(sigmoid(x), torch.sigmoid(x))


def test_normalised_rows_and_their_gradients_are_torchs():
    x, slope = 3 * normal(13, 21) + 5, normal(13, 21)
    batch_norm = torch.nn.BatchNorm1d(21, eps=0.1, momentum=1.0)
    with torch.no_grad():
        batch_norm.weight.copy_(normal(21)), batch_norm.bias.copy_(normal(21))
    theirs = [x.requires_grad_(), *batch_norm.parameters()]
    ours = [one.detach().clone().requires_grad_() for one in theirs]
    expected, (found, means, variances) = batch_norm(x), normalise(*ours, eps=0.1)
    torch.testing.assert_close(found, expected)
    for normal_rows in (found, expected):
        normal_rows.mul(slope).sum().backward()
    torch.testing.assert_close([one.grad for one in ours], [one.grad for one in theirs])
    running = [batch_norm.running_mean, batch_norm.running_var]
    torch.testing.assert_close([means, variances * 13 / 12], running)
    assert not means.requires_grad and not variances.requires_grad


def test_normalised_rows_are_these_operations_in_this_order():
    def total(rows):
        return sum_rows(torch.from_numpy(rows)).numpy()

    x, weight, bias = 3 * normal(37, 21) + 5, normal(21), normal(21)
    found = normalise(x, weight, bias, 1e-5)
    n, eps = np.float32(37), np.float32(1e-5)
    mean = total(x.numpy()) / n
    centred = x.numpy() - mean
    variance = total(centred * centred) / n
    rate = np.float32(1) / np.sqrt(variance + eps)
    rows = centred * (rate * weight.numpy()) + bias.numpy()
    for ours, expected in zip(found, (rows, mean, variance), strict=True):
        assert np.array_equal(ours.numpy(), expected)


def test_running_statistics_are_torchs():
    layers = [kind(21) for kind in (BatchNorm, torch.nn.BatchNorm1d)]
    for batch in (3 * normal(13, 21) + 5, normal(8, 21)):
        for layer in layers:
            layer(batch)
    ours, theirs = (layer.state_dict() for layer in layers)
    torch.testing.assert_close(dict(ours), dict(theirs))
    torch.testing.assert_close(*(layer.eval()(batch) for layer in layers))


def test_a_second_derivative_is_refused_rather_than_wrong():
    x = normal(13, 21).requires_grad_()
    rows, *_ = normalise(x, torch.ones(21), torch.zeros(21), 1e-5)
    (slope,) = torch.autograd.grad(rows.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


@pytest.mark.parametrize("classes", [2, 4, 9, 40])
def test_probabilities_and_the_entropy_of_weights_of_classes_are_torchs(classes):
    logits, labels = 30 * normal(17, classes), torch.arange(17) % classes
    logits[0, 0] = 300.0
    torch.testing.assert_close(softmax(logits), torch.softmax(logits, 1))
    weights = normal(17, classes).abs()
    hits = torch.nn.functional.one_hot(labels, classes).float()
    given = logits.clone().requires_grad_()
    own, partners = (torch.nn.functional.cross_entropy(given, one) for one in (labels, weights))
    expected = 0.7 * own + 0.3 * partners
    expected.backward()
    value, slope = cross_entropy(logits, (hits, 0.7), (weights, 0.3))
    assert value == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(slope, given.grad)


def test_a_squared_error_and_its_gradient_are_torchs():
    x, target = normal(13, 21), normal(13, 21)
    found = []
    for function in (squared_error, torch.nn.functional.mse_loss):
        given = x.clone().requires_grad_()
        value = function(given, target)
        (0.1 * value).backward()
        found.append((value.detach(), given.grad))
    torch.testing.assert_close(*found)
    assert torch.equal(found[0][1], found[1][1])


def test_an_entropy_is_rounded_once():
    """A logarithm in float32 is off by a digit for some of these, and not everywhere the same."""
    found = []
    for classes in range(1, 3000):
        hit = torch.zeros(1, classes)
        hit[0, 0] = 1.0
        found.append(cross_entropy(torch.zeros(1, classes), (hit, 1.0))[0])
    assert np.array_equal(np.float32(found), np.log(np.arange(1.0, 3000)).astype(np.float32))


def test_a_product_too_small_for_a_float_is_a_positive_zero():
    """As with the zeros that fill a register; without them its sign would stand."""
    tiny = torch.tensor([[1e-30]])
    assert not product(tiny, -tiny).signbit().any()
