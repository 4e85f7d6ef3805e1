"""Where a fit's random numbers come from.

`Derived`, the default, gives every purpose of every fit a stream of its own. The other way, one
stream that the fits share as a plain script's do, is in `emodag.science.fit.global_stream`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch

from emodag.science.fit.model import AttentiveAutoencoder, Mask, ModelSettings

STREAMS = ("init", "order", "mixup", "corruption")
"""What a fit draws random numbers for: weights and dropout, batches, mixup, masking noise."""


class Randomness(Protocol):
    """Everything a fit draws, and the state that the draws to come depend on."""

    rows_at_once: int
    """Rows per forward pass outside training. Fixed, since matrix products may round otherwise."""

    fused_optimizer: bool
    """Whether AdamW's step is torch's one pass over the weights, which rounds otherwise than the
    default's twelve and takes a third of the time."""

    def network(self, width: int, classes: int, settings: ModelSettings) -> AttentiveAutoencoder:
        """A network with its initial weights, whose dropout draws from here."""

    def mask(self, share: float) -> Mask:
        """The masking noise of the input."""

    def order(self, rows: int) -> torch.Tensor:
        """(rows,) int64, the order in which an epoch goes through its rows."""

    def mixing(self, rows: int, alpha: float) -> tuple[float, torch.Tensor]:
        """Mixup's share, from Beta(alpha, alpha), 1 where alpha is 0, and (rows,) partners."""

    def scoring(self) -> None:
        """Called before rows are scored: whatever that draws."""

    def state(self) -> dict[str, Any]:
        """The state as plain JSON."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""


class Derived:
    """A stream for each purpose in `STREAMS`, as `stream` makes them; see `Randomness`."""

    rows_at_once = 2048
    fused_optimizer = True

    def __init__(self, stream: Callable[[str], np.random.Generator]) -> None:
        self._streams = {purpose: stream(purpose) for purpose in STREAMS}

    def network(self, width: int, classes: int, settings: ModelSettings) -> AttentiveAutoencoder:
        return AttentiveAutoencoder(width, classes, settings, self._streams["init"])

    def mask(self, share: float) -> Mask:
        return Mask(share, self._streams["corruption"])

    def order(self, rows: int) -> torch.Tensor:
        return torch.from_numpy(self._streams["order"].permutation(rows))

    def mixing(self, rows: int, alpha: float) -> tuple[float, torch.Tensor]:
        rng = self._streams["mixup"]
        partner = torch.from_numpy(rng.permutation(rows))
        return float(rng.beta(alpha, alpha)) if alpha else 1.0, partner

    def scoring(self) -> None:
        """Draws nothing."""

    def state(self) -> dict[str, Any]:
        return {purpose: rng.bit_generator.state for purpose, rng in self._streams.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        for purpose, rng in self._streams.items():
            rng.bit_generator.state = state[purpose]
