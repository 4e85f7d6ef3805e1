"""What one step of a fit learns from."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Batch:
    """Rows mixed with partners (mixup), and what a network is to say of them.

    With mixup the cross-entropy is the same convex combination as the rows.

    Attributes
    ----------
    x : (n, p) what the network is given; target : (n, p) what it is to rebuild.
    labels : (n,) classes or (n, classes) weights, see `emodag.science.fit.targets`.
    partner : (n,) the row each row was mixed with; share : of the row itself.
    weight : of the reconstruction error in the loss.
    """

    x: torch.Tensor
    target: torch.Tensor
    labels: torch.Tensor
    partner: torch.Tensor
    share: float
    weight: float
