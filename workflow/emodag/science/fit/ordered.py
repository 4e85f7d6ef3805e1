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
    return _product(a.detach(), b.detach())


def _product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    (n, k), m = a.shape, b.shape[0]
    if not k == b.shape[1] > 0:
        raise ValueError(f"no product of {tuple(a.shape)} and {tuple(b.shape)} over the columns")
    if k > PIECE:
        total, *parts = map(_product, a.split(PIECE, 1), b.split(PIECE, 1))
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
    return pad(x, (0, -columns % VECTOR, 0, max(0, 2 - rows)))


def sum_rows(x: torch.Tensor) -> torch.Tensor:
    """(n, width) -> (width,), float32 or float64, n > 0, without gradients.

    Beyond the range it is infinite, of which NumPy warns unless it is told not to.
    """
    if x.is_cuda:  # one kernel instead of many, which adds alike each time
        return x.detach().sum(0)
    # NumPy's many small steps take a fraction of torch's time. Each makes a new array: in place, a
    # processor would wait with each addition for the store that is a whole page behind it.
    rows, total = len(x), x.detach().numpy()
    while rows > 1:
        rows, odd = divmod(rows, 2)
        lower, upper, rest = total[:rows], total[rows : 2 * rows], total[2 * rows :]
        total = lower + upper
        if odd:
            total[:1] += rest
    return torch.from_numpy(total[0] if total.base is None else total[0].copy())


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
    total = _of_rows(exponentials)
    return exponentials / total[:, None], below, total


def cross_entropy(logits: torch.Tensor, *labels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Mean over the rows of -log of the label's probability, () for each of `labels`.

    Parameters
    ----------
    logits : (n, classes) float32; labels : (n,) int64 each, or (n, classes) float32 each, the
        weights of all classes, see `emodag.science.fit.targets`.
    """
    if labels[0].ndim == 2:
        return _WeightedEntropy.apply(logits, *labels)
    return _CrossEntropy.apply(logits, *labels)


def squared_error(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean of (x - target)**2; (n, width), (n, width) -> (), with the gradient of `x` alone."""
    return _SquaredError.apply(x, target)


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
        outcome = _product(x, weight)
        return outcome if bias is None else outcome.add_(bias)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        of_x = _product(gradient, weight.T) if ctx.needs_input_grad[0] else None
        of_weight = _product(gradient.T, x.T) if ctx.needs_input_grad[1] else None
        of_bias = sum_rows(gradient) if ctx.needs_input_grad[2] else None
        return of_x, of_weight, of_bias


class _Normalise(Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        mean = mean_rows(x)
        centred = x - mean
        variance = mean_rows(centred.square())
        rate = (variance + eps).rsqrt()
        scale = rate * weight
        ctx.save_for_backward(centred, rate, weight, scale)
        ctx.mark_non_differentiable(mean, variance)
        return (centred * scale).add_(bias), mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient, *_):
        centred, rate, weight, scale = ctx.saved_tensors
        of_x = gradient * centred
        of_scale, of_bias = sum_rows(of_x), sum_rows(gradient)
        of_variance = of_scale * weight * rate.pow(3) / -len(centred)
        torch.mul(centred, of_variance, out=of_x)
        of_x += gradient * scale
        of_x -= mean_rows(of_x)
        return of_x, of_scale * rate, of_bias, None


def _sigmoid(x: torch.Tensor) -> torch.Tensor:
    flat, rest = x.flatten(), -x.numel() % STRIDE
    if rest:
        flat = pad(flat, (0, rest))
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
        return (1 - share).mul_(gradient).mul_(share)


class _CrossEntropy(Function):
    @staticmethod
    def forward(ctx, logits, *labels):
        probabilities, below, total = _softmax(logits)
        columns = torch.stack(labels, 1)
        ctx.save_for_backward(probabilities, columns)
        # The logarithm is MKL's too, and rounded to half its digits alike.
        lost = total.double().log().float()[:, None] - below.gather(1, columns)
        return mean_rows(lost).unbind()

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients):
        probabilities, columns = ctx.saved_tensors
        slopes = []
        for gradient, column in zip(gradients, columns.split(1, 1), strict=True):
            hits = torch.zeros_like(probabilities).scatter_(1, column, 1)
            slopes.append((probabilities - hits).mul_(gradient / len(column)))
        return sum(slopes[1:], slopes[0]), *(None for _ in slopes)


class _WeightedEntropy(Function):
    @staticmethod
    def forward(ctx, logits, *targets):
        probabilities, below, total = _softmax(logits)
        ctx.save_for_backward(probabilities, *targets)
        lost = total.double().log().float()[:, None] - below
        return mean_rows(torch.stack([_of_rows(lost * given) for given in targets], 1)).unbind()

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients):
        probabilities, *targets = ctx.saved_tensors
        slopes = []
        for gradient, given in zip(gradients, targets, strict=True):
            expected = probabilities * _of_rows(given)[:, None]
            slopes.append((expected - given).mul_(gradient / len(given)))
        return sum(slopes[1:], slopes[0]), *(None for _ in slopes)


def _of_rows(x: torch.Tensor) -> torch.Tensor:
    """The sum of each row: (n, width) -> (n,)."""
    return sum_rows(x.T)


class _SquaredError(Function):
    @staticmethod
    def forward(ctx, x, target):
        ctx.save_for_backward(x, target)
        return mean_rows(mean_rows((x - target).square_())[:, None])[0]

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, target = ctx.saved_tensors
        return torch.ops.aten.mse_loss_backward(gradient, x, target, 1), None  # 1: of the mean
