"""Gradients written out layer by layer are those that torch records."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emodag.science.fit import by_hand
from emodag.science.fit.batch import Batch
from emodag.science.fit.model import AttentiveAutoencoder
from emodag.science.fit.training import gradients_of
from emodag.science.seeds import generator
from tests.unit.emodag.test_training import MODEL

WIDTH, CLASSES = 21, 3


def after_two_steps(labels, matmul, **changes):
    """What a network says of two batches, and then its gradients and running statistics."""
    settings = replace(MODEL, matmul=matmul, **changes)
    network = AttentiveAutoencoder(WIDTH, CLASSES, settings, generator(1, "network"))
    rng, gradients, said = np.random.default_rng(0), gradients_of(network), []
    for rows in (32, 19):
        x, target = (
            torch.from_numpy(rng.normal(size=(rows, WIDTH)).astype(np.float32)) for _ in range(2)
        )
        partner = torch.from_numpy(rng.permutation(rows))
        said += gradients(Batch(x, target, labels[:rows], partner, share=0.3, weight=0.1))
    slopes = {name: parameter.grad for name, parameter in network.named_parameters()}
    return said, slopes, dict(network.named_buffers())


CLASS = torch.arange(32) % CLASSES
WEIGHTS = torch.from_numpy(np.random.default_rng(1).random((32, CLASSES), dtype=np.float32))


@pytest.mark.parametrize("labels", [CLASS, WEIGHTS], ids=["class", "weights"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"residual": False},
        {"attention": False},
        {"dropout": 0.0},
        {"code": 1, "gate_ratio": 21},
    ],
    ids=str,
)
def test_gradients_are_those_that_torch_records(labels, changes):
    found, expected = (after_two_steps(labels, how, **changes) for how in ("ordered", "torch"))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_a_layer_without_gradients_of_its_own_is_refused():
    with pytest.raises(TypeError, match="no gradients of a Softmax"):
        by_hand.layer_of(torch.nn.Softmax())
