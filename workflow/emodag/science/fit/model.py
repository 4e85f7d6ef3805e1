"""The attentive denoising autoencoder of the paper, section III.A.

    x (n, p) -> gate: x * sigmoid(W2 relu(W1 x))         (n, p)     channel-wise attention
             -> BatchNorm                                 (n, p)
             -> encoder                                   (n, code)
             -> decoder                                   (n, p)     reconstruction
             -> classifier                                (n, classes) logits

Weights start from NumPy integers and every random mask comes from a generator that is handed in,
so a fit depends neither on torch's global random state nor on its vectorised samplers, whose
streams differ between processors. Without a generator the layers and their weights are torch's own,
drawn as a plain script draws them.
"""

from dataclasses import dataclass
from functools import partial
from types import ModuleType, SimpleNamespace

import numpy as np
import torch
from torch import nn

from emodag.science.fit import ordered


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Widths and regularisation; see `emodag.config.method.Model`.

    `matmul` says how matrices are multiplied: "ordered", as `emodag.science.fit.ordered` does on a
    processor; as "torch" does; or in "bfloat16" while training. Weights, sums over rows and
    probabilities are float32 with each.
    """

    hidden: int
    code: int
    head: int
    attention: bool
    gate_ratio: int
    dropout: float
    residual: bool
    corruption: float
    matmul: str


TORCHS = SimpleNamespace(
    Linear=nn.Linear,
    sigmoid=torch.sigmoid,
    softmax=partial(torch.softmax, dim=1),
)
"""What the network takes from `emodag.science.fit.ordered` by name, as torch has it."""


class Mask:
    """Keeps cells with probability `1 - share`, drawn from an explicit generator.

    Sixteen random bits decide each cell, so the share is met to within 2**-16.
    """

    def __init__(self, share: float, rng: np.random.Generator) -> None:
        self.limit, self.rng = round(share * 65536), rng

    def __call__(self, x: torch.Tensor, value: float = 1.0) -> torch.Tensor:
        """Like `x`, float32, `value` where the cell is kept, else 0; alike for every device."""
        bits = self.rng.integers(0, 65536, size=tuple(x.shape), dtype=np.uint16)
        # In NumPy, since torch takes three times as long for a product with booleans.
        kept = np.multiply(bits >= self.limit, np.float32(value), dtype=np.float32)
        return torch.from_numpy(kept).to(x.device)


class Dropout(nn.Module):
    """Inverted dropout whose mask comes from an explicit generator; identity in evaluation."""

    def __init__(self, share: float, rng: np.random.Generator) -> None:
        super().__init__()
        self.share, self.mask = share, Mask(share, rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, width) -> (n, width)"""
        if not self.training or self.share == 0:
            return x
        return (x * self.kept(x)).to(x.dtype)

    def kept(self, x: torch.Tensor) -> torch.Tensor:
        """(n, width) float32, what each cell of `x` is multiplied by in training."""
        return self.mask(x, 1 / (1 - self.share))


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation (Ioffe and Szegedy 2015) with the sums of `emodag.science.fit.ordered`.

    torch's own adds up a batch in as many parts as there are threads.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, width) -> (n, width); needs n > 1 while training"""
        if not self.training:
            return super().forward(x)
        x = x.float()  # sums of bfloat16 would be rounded after every addition
        normal, mean, variance = ordered.normalise(x, self.weight, self.bias, self.eps)
        self.follow(len(x), mean, variance)
        return normal

    def follow(self, n: int, mean: torch.Tensor, variance: torch.Tensor) -> None:
        """Move the running statistics towards those of a batch of `n` rows; ends `variance`."""
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance.mul_(n / (n - 1)), self.momentum)
        self.num_batches_tracked.add_(1)


class Gate(nn.Module):
    """Channel-wise attention (squeeze and excitation, Hu et al. 2018) without biases.

    Parameters
    ----------
    width : number of features p; the bottleneck has p // `ratio` units, at least one.
    arithmetic : `emodag.science.fit.ordered` or `TORCHS`.
    """

    def __init__(self, width: int, ratio: int, arithmetic: ModuleType | SimpleNamespace) -> None:
        super().__init__()
        self.sigmoid = arithmetic.sigmoid
        bottleneck = max(1, width // ratio)
        self.squeeze = arithmetic.Linear(width, bottleneck, bias=False)
        self.excite = arithmetic.Linear(bottleneck, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, p) -> (n, p)"""
        return x * self.sigmoid(self.excite(torch.relu(self.squeeze(x))))


class ResidualBlock(nn.Module):
    """x + BatchNorm(Linear(x)), then LeakyReLU: an identity shortcut (He et al. 2016, eq. 1)."""

    def __init__(self, width: int, linear: type[nn.Linear], norm: type[nn.BatchNorm1d]) -> None:
        super().__init__()
        self.linear, self.norm = linear(width, width), norm(width)
        self.activation = nn.LeakyReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, width) -> (n, width)"""
        return self.activation(x + self.norm(self.linear(x)))


class AttentiveAutoencoder(nn.Module):
    """The whole network.

    Parameters
    ----------
    width : number of features p.
    classes : number of classes.
    settings : widths and regularisation.
    rng : source of the initial weights and, while training, of dropout masks; None for torch's
        own layers and weights, which draw from its default generator.

    Attributes
    ----------
    arithmetic : `emodag.science.fit.ordered` or `TORCHS`, of which the linear layers and the gate's
        sigmoid are, and which has the `softmax` that goes with them. In the former torch finds no
        gradients: `emodag.science.fit.by_hand` does.
    """

    def __init__(
        self, width: int, classes: int, settings: ModelSettings, rng: np.random.Generator | None
    ) -> None:
        super().__init__()
        s = settings
        norm = nn.BatchNorm1d if rng is None else BatchNorm
        self.arithmetic = ordered if s.matmul == "ordered" else TORCHS
        linear = self.arithmetic.Linear
        self.is_rounded = s.matmul == "bfloat16"
        self.gate = nn.Identity()
        if s.attention:
            self.gate = Gate(width, s.gate_ratio, self.arithmetic)
        self.norm = norm(width)
        self.encoder = nn.Sequential(
            linear(width, s.hidden),
            norm(s.hidden),
            nn.LeakyReLU(),
            _dropout(s.dropout, rng),
            *([ResidualBlock(s.hidden, linear, norm)] if s.residual else []),
            linear(s.hidden, s.code),
            norm(s.code),
            nn.LeakyReLU(),
        )
        self.decoder = nn.Sequential(
            linear(s.code, s.hidden),
            norm(s.hidden),
            nn.LeakyReLU(),
            linear(s.hidden, width),
        )
        self.classifier = nn.Sequential(
            _dropout(s.dropout, rng),
            linear(s.code, s.head),
            norm(s.head),
            nn.ReLU(),
            linear(s.head, classes),
        )
        if rng is not None:
            initialise(self, rng)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, p) -> logits (n, classes), reconstruction (n, p)"""
        with torch.autocast(x.device.type, torch.bfloat16, self.is_rounded):
            code = self.encoder(self.norm(self.gate(x)))
            logits, rebuilt = self.classifier(code), self.decoder(code)
        return logits.float(), rebuilt.float()

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """(n, p) -> logits (n, classes), without the decoder's work"""
        return self.classifier(self.encoder(self.norm(self.gate(x))))


def _dropout(share: float, rng: np.random.Generator | None) -> nn.Module:
    return nn.Dropout(share) if rng is None else Dropout(share, rng)


def initialise(network: nn.Module, rng: np.random.Generator) -> None:
    """Uniform in +-1/sqrt(fan in) for every linear layer: torch's own default distribution."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            bound = np.float32(1 / np.sqrt(float(module.in_features)))
            for parameter in filter(lambda p: p is not None, (module.weight, module.bias)):
                unit = rng.random(size=tuple(parameter.shape), dtype=np.float32)
                values = (unit * np.float32(2) - np.float32(1)) * bound
                with torch.no_grad():
                    parameter.copy_(torch.from_numpy(values))
