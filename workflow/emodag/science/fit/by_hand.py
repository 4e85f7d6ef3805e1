"""The gradients of a step in `emodag.science.fit.ordered` arithmetic, written out layer by layer.

torch records every operation to find the gradients, and for a small layer the record takes longer
than the numbers. Here each layer keeps what its gradient needs, and nothing is recorded.

A layer's `forward` takes and returns (n, width) float32. Its `backward` takes the loss's gradient
by what it returned, leaves those of its weights with them, and returns the one by what it took; the
gate, which takes the input, returns none.
"""

from typing import Protocol

import torch
from torch import nn

from emodag.science.fit import ordered
from emodag.science.fit.batch import Batch
from emodag.science.fit.model import (
    AttentiveAutoencoder,
    BatchNorm,
    Dropout,
    Gate,
    ResidualBlock,
)


class Layer(Protocol):
    """One step forward through a layer, and back."""

    def forward(self, x: torch.Tensor) -> torch.Tensor: ...

    def backward(self, gradient: torch.Tensor) -> torch.Tensor: ...


class Gradients:
    """The network as layers that know their gradients.

    Parameters
    ----------
    network : in `ordered` arithmetic, on a processor.
    """

    def __init__(self, network: AttentiveAutoencoder) -> None:
        self.encoder = _Sequence(network.gate, network.norm, network.encoder)
        self.decoder = layer_of(network.decoder)
        self.classifier = layer_of(network.classifier)

    def __call__(self, batch: Batch) -> tuple[float, float]:
        """As `emodag.science.fit.training.recorded_gradients`."""
        with torch.no_grad():
            code = self.encoder.forward(batch.x)
            logits, rebuilt = self.classifier.forward(code), self.decoder.forward(code)
            labels, share = batch.labels, batch.share
            if labels.ndim == 1:
                labels = nn.functional.one_hot(labels, logits.shape[1]).float()
            entropy, of_logits = ordered.cross_entropy(
                logits, (labels, share), (labels[batch.partner], 1 - share)
            )
            of_rebuilt = ordered.slope_of_squared_error(
                rebuilt, batch.target, torch.tensor(batch.weight)
            )
            of_code = self.classifier.backward(of_logits) + self.decoder.backward(of_rebuilt)
            self.encoder.backward(of_code)
            return entropy, float(ordered.mean_square(rebuilt - batch.target))


def layer_of(module: nn.Module) -> Layer:
    """The layer of a module, with its weights."""
    match module:
        case nn.Sequential():
            return _Sequence(*module)
        case nn.Identity() | Dropout(share=0):
            return _Sequence()
        case nn.Linear():
            return _Linear(module)
        case BatchNorm():
            return _BatchNorm(module)
        case nn.LeakyReLU():
            return _LeakyReLU(module)
        case nn.ReLU():
            return _ReLU()
        case Dropout():
            return _Dropout(module)
        case Gate():
            return _Gate(module)
        case ResidualBlock():
            return _ResidualBlock(module)
    raise TypeError(f"no gradients of a {type(module).__name__} are written here")


class _Sequence:
    def __init__(self, *modules: nn.Module) -> None:
        self.layers = [layer_of(module) for module in modules]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, gradient):
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        return gradient


class _Linear:
    def __init__(self, module: ordered.Linear) -> None:
        self.module, self.weight, self.bias = module, module.weight, module.bias

    def forward(self, x):
        self.x = x
        return self.module.forward(x)

    def backward(self, gradient):
        self.leave(gradient)
        return ordered.product(gradient, self.weight.T)

    def leave(self, gradient):
        """The gradients of the weights alone."""
        self.weight.grad = ordered.product(gradient.T, self.x.T).contiguous()
        if self.bias is not None:
            self.bias.grad = ordered.sum_rows(gradient)


class _BatchNorm:
    """By NumPy, whose calls take a fraction of torch's time."""

    def __init__(self, module: BatchNorm) -> None:
        self.module, self.weight, self.bias = module, module.weight, module.bias
        self.values = module.weight.detach().numpy(), module.bias.detach().numpy()

    def forward(self, x):
        rows, mean, variance, self.kept = ordered.normalised(
            x.numpy(), *self.values, self.module.eps
        )
        self.module.follow(len(x), torch.from_numpy(mean), torch.from_numpy(variance))
        return torch.from_numpy(rows)

    def backward(self, gradient):
        slopes = ordered.slopes_of_normalised(gradient.numpy(), self.values[0], *self.kept)
        of_x, self.weight.grad, self.bias.grad = map(torch.from_numpy, slopes)
        return of_x


class _LeakyReLU:
    def __init__(self, module: nn.LeakyReLU) -> None:
        self.slope = module.negative_slope

    def forward(self, x):
        self.x = x
        return nn.functional.leaky_relu(x, self.slope)

    def backward(self, gradient):
        return torch.ops.aten.leaky_relu_backward(gradient, self.x, self.slope, False)


class _ReLU:
    def forward(self, x):
        self.x = x
        return torch.relu(x)

    def backward(self, gradient):
        return torch.ops.aten.threshold_backward(gradient, self.x, 0)


class _Dropout:
    def __init__(self, module: Dropout) -> None:
        self.module = module

    def forward(self, x):
        self.kept = self.module.kept(x)
        return x * self.kept

    def backward(self, gradient):
        return gradient * self.kept


class _Gate:
    """The first layer: what it takes has no gradient."""

    def __init__(self, module: Gate) -> None:
        self.squeeze, self.excite = _Linear(module.squeeze), _Linear(module.excite)
        self.positive = _ReLU()

    def forward(self, x):
        hidden = self.positive.forward(self.squeeze.forward(x))
        self.x, self.share = x, ordered.sigmoid(self.excite.forward(hidden))
        return x * self.share

    def backward(self, gradient):
        of_logits = (1 - self.share).mul_(gradient * self.x).mul_(self.share)
        self.squeeze.leave(self.positive.backward(self.excite.backward(of_logits)))


class _ResidualBlock:
    def __init__(self, module: ResidualBlock) -> None:
        self.inner = _Sequence(module.linear, module.norm)
        self.activation = _LeakyReLU(module.activation)

    def forward(self, x):
        return self.activation.forward(x + self.inner.forward(x))

    def backward(self, gradient):
        gradient = self.activation.backward(gradient)
        return gradient + self.inner.backward(gradient)
