"""Arithmetic whose bits neither the processor, the threads nor torch's release move.

Floating-point addition is not associative, and libraries add in whatever order suits the machine.
The library behind torch's own products on x86, MKL, goes by the processor's vendor and instruction
sets; torch's sums go by the width of a register and the number of threads. Here the order is part
of the definition:

- a cell of a product is what fused multiply-adds give that go through the inner dimension in order,
  in pieces of `PIECE` whose sums are then added in order;
- a sum over rows adds the lower half of the rows to the upper half, and the last of an odd number
  to the first, until one row is left;
- a sigmoid is computed by whole strides, never by the other code that torch has for a rest, and an
  exponential from a sigmoid, since torch's own is MKL's.

What remains are single operations, which torch and NumPy round alike on every x86-64 processor with
AVX2. On a GPU sums over rows are torch's own, and `product`, made for processors, is not used.
"""

from typing import TypeVar

import numpy as np
import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, pad
from torch.torch_version import TorchVersion

PIECE = 512
"""Longest inner dimension that oneDNN goes through in order, in every release tried."""

VECTOR = 16
"""Numbers in the widest register."""

STRIDE = 2 * VECTOR
"""Numbers that torch's loops take at a time."""

UNDIVIDED = 16384
"""Numbers that torch does not divide among threads."""


Rows = TypeVar("Rows", torch.Tensor, np.ndarray)
"""(n, width) numbers of a table, or (width,) of a row, of either library."""


def is_direct_in(release: str) -> bool:
    """Whether oneDNN in a release of torch adds in the same order where it is asked without copies.

    In 2.13 it does, in 2.8 and 2.9 it does not. Later releases are taken to; a test tells.
    """
    return TorchVersion(release) >= "2.13"


IS_DIRECT = is_direct_in(torch.__version__)


def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """``a @ b.T``, of matrices without gradients.

    oneDNN's kernels go through the inner dimension in order unless it is long, no multiple of
    `VECTOR`, or an operand has a single row: they are never asked for any of these.

    Parameters
    ----------
    a : (n, k) float32; b : (m, k) float32; of any strides.

    Returns
    -------
    (n, m) float32.

    Raises
    ------
    ValueError
        When the inner dimensions k differ or are 0.
    """
    (n, k), m = a.shape, b.shape[0]
    if not k == b.shape[1] > 0:
        raise ValueError(f"no product of {tuple(a.shape)} and {tuple(b.shape)} over the columns")
    if k > PIECE:
        total, *parts = map(product, a.split(PIECE, 1), b.split(PIECE, 1))
        for part in parts:
            total += part
        return total
    if k % VECTOR == 0 and n > 1 < m:
        return _multiply(a, b)
    return _multiply(_padded(a), _padded(b))[:n, :m]


def _multiply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    if not IS_DIRECT:
        return linear(a.to_mkldnn(), b).to_dense()
    if not b.T.is_contiguous():  # a transposed matrix is taken as it is, but no piece of one
        b = b.contiguous()
    return torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")


def _padded(x: torch.Tensor) -> torch.Tensor:
    """At least two rows, and columns in multiples of `VECTOR`, by zeros, which move no sum."""
    rows, columns = x.shape
    below, beside = max(0, 2 - rows), -columns % VECTOR
    if x.T.is_contiguous():  # the other way round each row would be gathered cell by cell
        return pad(x.T, (0, below, 0, beside)).T
    return pad(x, (0, beside, 0, below))


def sum_rows(x: Rows) -> Rows:
    """(n, width) -> (width,), float32 or float64, n > 0, without gradients.

    Beyond the range it is infinite, of which NumPy warns unless it is told not to.
    """
    if isinstance(x, np.ndarray):
        return _sum_rows(x)
    if x.is_cuda:  # one kernel instead of many, which adds alike each time
        return x.detach().sum(0)
    return torch.from_numpy(_sum_rows(x.detach().numpy()))


def _sum_rows(x: np.ndarray) -> np.ndarray:
    # NumPy's many small steps take a fraction of torch's time. Each makes a new array: in place, a
    # processor would wait with each addition for the store that is a whole page behind it.
    rows, total = len(x), x
    while rows > 1:
        rows, odd = divmod(rows, 2)
        lower, upper, rest = total[:rows], total[rows : 2 * rows], total[2 * rows :]
        total = lower + upper
        if odd:
            total[:1] += rest
    return total[0] if total.base is None else total[0].copy()


def mean_rows(x: Rows) -> Rows:
    """(n, width) -> (width,), float32 or float64, n > 0, without gradients."""
    return sum_rows(x) / len(x)


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """1 / (1 + exp(-x)), of any shape, without gradients."""
    flat, rest = x.detach().flatten(), -x.numel() % STRIDE
    if rest:
        flat = pad(flat, (0, rest))
    out = torch.empty_like(flat)
    for given, taken in zip(flat.split(UNDIVIDED), out.split(UNDIVIDED), strict=True):
        torch.sigmoid(given, out=taken)
    return out[: x.numel()].view(x.shape)


def softmax(logits: torch.Tensor) -> torch.Tensor:
    """Over the second axis, (n, classes) -> (n, classes), without gradients.

    NumPy warns of what is infinite unless it is told not to.
    """
    return torch.from_numpy(_softmax(logits.detach().numpy())[0])


def _softmax(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, logits less the row's largest, and the sum (n,) of their exponentials."""
    below = logits - logits.max(axis=1, keepdims=True)
    share = sigmoid(torch.from_numpy(below)).numpy()
    exponentials = share / (1 - share)
    total = sum_rows(exponentials.T)
    return exponentials / total[:, None], below, total


def cross_entropy(
    logits: torch.Tensor, *mixed: tuple[torch.Tensor, float]
) -> tuple[float, torch.Tensor]:
    """The entropies of several targets times their shares, and the gradient of their sum.

    Parameters
    ----------
    logits : (n, classes) float32, without gradients.
    mixed : targets and their share. Targets are (n, classes) float32, in each row the weight of
        each class's -log probability; their entropy is the mean over the rows.

    Returns
    -------
    The sum, a float32 number, and its gradient by `logits`, (n, classes).
    """
    probabilities, below, total = _softmax(logits.numpy())
    # The logarithm is MKL's too, and rounded to half its digits alike.
    lost = torch.from_numpy(total).double().log().float().numpy()[:, None] - below
    value, slope = np.zeros(1, np.float32), np.zeros_like(below)
    for targets, part in mixed:
        given, share = targets.numpy(), np.float32(part)
        value += share * mean_rows(sum_rows((lost * given).T)[:, None])
        gap = probabilities * sum_rows(given.T)[:, None] - given
        slope += gap * (share / np.float32(len(gap)))
    return float(value[0]), torch.from_numpy(slope)


def squared_error(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean of (x - target)**2; (n, width), (n, width) -> (), with the gradient of `x` alone."""
    return _SquaredError.apply(x, target)


class _SquaredError(Function):
    @staticmethod
    def forward(ctx, x, target):
        ctx.save_for_backward(x, target)
        return mean_square(x - target)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        return slope_of_squared_error(*ctx.saved_tensors, gradient), None


def mean_square(x: torch.Tensor) -> torch.Tensor:
    """(n, width) -> (), without gradients."""
    return mean_rows(mean_rows(x.square())[:, None])[0]


def slope_of_squared_error(
    x: torch.Tensor, target: torch.Tensor, gradient: torch.Tensor
) -> torch.Tensor:
    """(n, width), what moves `squared_error` with each cell of `x`, times `gradient` ()."""
    return torch.ops.aten.mse_loss_backward(gradient, x, target, 1)  # 1: of the mean


def normalise(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Columns of mean 0 and variance 1, times `weight`, plus `bias` (batch normalisation).

    Parameters
    ----------
    x : (n, width), n > 0; weight, bias : (width,); all float32, or all float64.
    eps : what is added to the variances.

    Returns
    -------
    (n, width), and without gradients the columns' means and biased variances, (width,) each.
    """
    return _Normalise.apply(x, weight, bias, eps)


class _Normalise(Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        rows, mean, variance, kept = normalised(x, weight, bias, eps)
        ctx.save_for_backward(weight, *kept)
        ctx.mark_non_differentiable(mean, variance)
        return rows, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient, *_):
        return *slopes_of_normalised(gradient, *ctx.saved_tensors), None


def normalised(
    x: Rows, weight: Rows, bias: Rows, eps: float
) -> tuple[Rows, Rows, Rows, tuple[Rows, Rows, Rows]]:
    """What `normalise` returns, and what `slopes_of_normalised` needs besides."""
    mean = mean_rows(x)
    centred = x - mean
    variance = mean_rows(centred * centred)
    rate = _reciprocal_root(variance + eps)
    scale = rate * weight
    rows = centred * scale
    rows += bias
    return rows, mean, variance, (centred, rate, scale)


def _reciprocal_root(x: Rows) -> Rows:
    # Not torch's square root: that is MKL's.
    return 1 / np.sqrt(x) if isinstance(x, np.ndarray) else x.rsqrt()


def slopes_of_normalised(
    gradient: Rows, weight: Rows, centred: Rows, rate: Rows, scale: Rows
) -> tuple[Rows, Rows, Rows]:
    """The gradients of `x`, `weight` and `bias`, by that of the rows."""
    by_row = gradient * centred
    of_scale, of_bias = sum_rows(by_row), sum_rows(gradient)
    of_variance = of_scale * weight * (rate * rate * rate) / -len(centred)
    of_x = centred * of_variance
    of_x += gradient * scale
    of_x -= mean_rows(of_x)
    return of_x, of_scale * rate, of_bias


class Linear(torch.nn.Linear):
    """torch's layer by `product`, without gradients."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, in) -> (n, out)"""
        outcome = product(x.detach(), self.weight.detach())
        return outcome if self.bias is None else outcome.add_(self.bias.detach())
