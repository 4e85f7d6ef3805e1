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

What remains are single operations, which torch rounds alike on every x86-64 processor with AVX2. On
a GPU sums over rows are torch's own, and `product`, made for processors, is not used.
"""

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


def is_direct_in(release: str) -> bool:
    """Whether oneDNN in a release of torch adds in the same order where it is asked without copies.

    In 2.13 it does, in 2.8 and 2.9 it does not. Later releases are taken to; a test tells.
    """
    return TorchVersion(release) >= "2.13"


IS_DIRECT = is_direct_in(torch.__version__)


def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """``a @ b.T``, without gradients.

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
    if not a.shape[1] == b.shape[1] > 0:
        raise ValueError(f"no product of {tuple(a.shape)} and {tuple(b.shape)} over the columns")
    a, b, total = a.detach(), b.detach(), None
    for start in range(0, a.shape[1], PIECE):
        left, right = _padded(a[:, start : start + PIECE]), _padded(b[:, start : start + PIECE])
        part = _multiply(left, right)
        total = part if total is None else total.add_(part)
    return total[: len(a), : len(b)]


def _multiply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    if not IS_DIRECT:
        return linear(a.to_mkldnn(), b).to_dense()
    if not b.T.is_contiguous():  # a transposed matrix is taken as it is, but no piece of one
        b = b.contiguous()
    return torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")


def _padded(x: torch.Tensor) -> torch.Tensor:
    """At least two rows, and columns in multiples of `VECTOR`, by zeros, which move no sum."""
    rows, columns = x.shape
    more = (0, -columns % VECTOR, 0, max(0, 2 - rows))
    return pad(x, more) if any(more) else x


def sum_rows(x: torch.Tensor) -> torch.Tensor:
    """(n, width) -> (width,), float32 or float64, n > 0, without gradients."""
    x = x.detach()
    if x.is_cuda:
        return x.sum(0)  # one kernel instead of many, which adds alike each time
    if len(x) == 1:
        return x[0].clone()
    rows = x.numpy()  # whose many small steps take a fraction of torch's time
    with np.errstate(all="ignore"):
        while len(rows) > 1:
            half = len(rows) // 2
            halved = rows[:half] + rows[half : 2 * half]
            if len(rows) % 2:
                halved[0] += rows[-1]
            rows = halved
    return torch.from_numpy(rows[0])


def mean_rows(x: torch.Tensor) -> torch.Tensor:
    """(n, width) -> (width,), float32 or float64, n > 0, without gradients."""
    return sum_rows(x) / len(x)


def softmax(logits: torch.Tensor) -> torch.Tensor:
    """Over the second axis, (n, classes) -> (n, classes), without gradients."""
    return _softmax(logits)[0]


def _softmax(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Probabilities, logits less the row's largest, and the sum (n,) of their exponentials."""
    below = logits - logits.amax(1, keepdim=True)
    share = _sigmoid(below)
    exponentials = share / (1 - share)
    total = sum_rows(exponentials.T)
    return exponentials / total[:, None], below, total


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over the rows of -log of the label's probability; (n, classes), (n,) -> ()."""
    return _CrossEntropy.apply(logits, labels)


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


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """1 / (1 + exp(-x)), of any shape."""
    return _Sigmoid.apply(x)


class Linear(torch.nn.Linear):
    """torch's layer by `product`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, in) -> (n, out)"""
        return _Linear.apply(x, self.weight, self.bias)


class _Linear(Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        outcome = product(x, weight)
        return outcome if bias is None else outcome.add_(bias)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        of_x = product(gradient, weight.T) if ctx.needs_input_grad[0] else None
        of_weight = product(gradient.T, x.T) if ctx.needs_input_grad[1] else None
        of_bias = sum_rows(gradient) if ctx.needs_input_grad[2] else None
        return of_x, of_weight, of_bias


class _Normalise(Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        mean = mean_rows(x)
        centred = x - mean
        variance = mean_rows(centred.square())
        rate = (variance + eps).rsqrt()
        ctx.save_for_backward(centred, rate, weight)
        ctx.mark_non_differentiable(mean, variance)
        return (centred * (rate * weight)).add_(bias), mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient, *_):
        centred, rate, weight = ctx.saved_tensors
        of_scale = sum_rows(gradient * centred)
        of_variance = -0.5 * (of_scale * weight) * rate.pow(3)
        of_x = gradient * (rate * weight)
        of_x += centred * (2 * of_variance / len(centred))
        of_x -= mean_rows(of_x)
        return of_x, of_scale * rate, sum_rows(gradient), None


def _sigmoid(x: torch.Tensor) -> torch.Tensor:
    flat = pad(x.flatten(), (0, -x.numel() % STRIDE))
    out = torch.empty_like(flat)
    for given, taken in zip(flat.split(UNDIVIDED), out.split(UNDIVIDED), strict=True):
        torch.sigmoid(given, out=taken)
    return out[: x.numel()].view(x.shape)


class _Sigmoid(Function):
    @staticmethod
    def forward(ctx, x):
        share = _sigmoid(x)
        ctx.save_for_backward(share)
        return share

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        (share,) = ctx.saved_tensors
        return gradient * (1 - share) * share


class _CrossEntropy(Function):
    @staticmethod
    def forward(ctx, logits, labels):
        probabilities, below, total = _softmax(logits)
        ctx.save_for_backward(probabilities, labels)
        # The logarithm is MKL's too, and rounded to half its digits alike.
        lost = total.double().log().float() - below.gather(1, labels[:, None])[:, 0]
        return mean_rows(lost[:, None])[0]

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        probabilities, labels = ctx.saved_tensors
        slope = probabilities.clone()
        slope[torch.arange(len(labels)), labels] -= 1
        return slope * (gradient / len(labels)), None
