"""Everything that the rest of a fit depends on, taken out between two epochs and put back.

A fit that goes on from its state ends with the same bits as one that was never interrupted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from emodag.science.fit.randomness import Randomness


@dataclass(frozen=True)
class State:
    """A fit between two epochs; shares no memory with it.

    Attributes
    ----------
    arrays : weights and buffers (``network.<name>``), AdamW's moments (``optimizer.<n>.<name>``).
    facts : plain JSON: learning rate, schedule, random generators, history of the epochs.
    """

    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]


def capture(
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    scheduler: Any,
    randomness: Randomness,
    history: Iterable[Any],
) -> State:
    """The state of a fit; `scheduler` may be None, `history` holds a dataclass per epoch."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    return State(
        {name: value.cpu().numpy().copy() for name, value in tensors.items()},
        {
            "learning_rate": optimizer.param_groups[0]["lr"],
            "scheduler": scheduler and scheduler.state_dict(),
            "streams": randomness.state(),
            "history": [asdict(epoch) for epoch in history],
        },
    )


def restore(
    state: State,
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    scheduler: Any,
    randomness: Randomness,
) -> list[dict[str, Any]]:
    """Put a state into the parts of a fresh fit with the same settings; returns its history."""
    weights: dict[str, torch.Tensor] = {}
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in state.arrays.items():
        owner, _, rest = name.partition(".")
        if owner == "network":
            weights[rest] = torch.tensor(value)
        else:
            index, _, part = rest.partition(".")
            moments.setdefault(int(index), {})[part] = torch.tensor(value)
    network.load_state_dict(weights)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    optimizer.param_groups[0]["lr"] = state.facts["learning_rate"]
    if scheduler is not None:
        scheduler.load_state_dict(state.facts["scheduler"])
    randomness.restore(state.facts["streams"])
    return list(state.facts["history"])
