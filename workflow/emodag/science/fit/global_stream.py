"""The random numbers of a plain script: one stream that all its fits share, each where the last
one stopped, so that a fold depends on every fold before it.

The only module that touches torch's default generator. It must: the initial weights of `nn.Linear`,
the masks of `nn.Dropout` and the seeds that a `DataLoader` draws come from there and can be had
nowhere else, and they interleave. It is put back afterwards. The other two generators that a script
seeds are objects here: NumPy's, which mixup draws from, and Python's, which nothing draws from.
"""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from emodag.science.fit.model import AttentiveAutoencoder, Mask, ModelSettings


def seeded(seed: int) -> dict[str, Any]:
    """The state after `random.seed(seed)`, `numpy.random.seed(seed)`, `torch.manual_seed(seed)`."""
    return _state(
        random.Random(seed),
        np.random.RandomState(seed),
        torch.Generator().manual_seed(seed).get_state(),
    )


@contextmanager
def going_on_from(state: Mapping[str, Any]) -> Iterator["GlobalStream"]:
    """The stream from a state on; within, torch's default generator belongs to it."""
    with torch.random.fork_rng(devices=[]):
        stream = GlobalStream()
        stream.restore(state)
        yield stream


class GlobalStream:
    """See `emodag.science.fit.randomness.Randomness`; made by `going_on_from`.

    What draws is torch's own `DataLoader`, so that each torch release draws as it does in a script.
    """

    rows_at_once = 512
    fused_optimizer = False

    def __init__(self) -> None:
        self._python, self._numpy = random.Random(), np.random.RandomState()

    def network(self, width: int, classes: int, settings: ModelSettings) -> AttentiveAutoencoder:
        return AttentiveAutoencoder(width, classes, settings, rng=None)

    def mask(self, share: float) -> Mask:
        raise ValueError("the plain script masks no input, so its stream has no place for it")

    def order(self, rows: int) -> torch.Tensor:
        """Draws the loader's base seed, then the seed of the generator that shuffles."""
        whole = DataLoader(range(rows), batch_size=rows, shuffle=True, collate_fn=torch.tensor)
        return next(iter(whole))

    def mixing(self, rows: int, alpha: float) -> tuple[float, torch.Tensor]:
        share = self._numpy.beta(alpha, alpha) if alpha else 1.0
        return share, torch.randperm(rows)

    def scoring(self) -> None:
        """A pass over rows in order draws a base seed, which nothing uses."""
        next(iter(DataLoader(range(1))))

    def state(self) -> dict[str, Any]:
        return _state(self._python, self._numpy, torch.get_rng_state())

    def restore(self, state: Mapping[str, Any]) -> None:
        version, words, gauss = state["python"]
        self._python.setstate((version, tuple(words), gauss))
        self._numpy.set_state(("MT19937", *state["numpy"]))
        torch.set_rng_state(torch.tensor(list(bytes.fromhex(state["torch"])), dtype=torch.uint8))


def _state(python: random.Random, numpy: np.random.RandomState, torch_: torch.Tensor) -> dict:
    """The three states as plain JSON: their generators' own tuples, and bytes as hex digits."""
    _, words, *rest = numpy.get_state()
    return {
        "python": python.getstate(),
        "numpy": [words.tolist(), *rest],
        "torch": torch_.numpy().tobytes().hex(),
    }
