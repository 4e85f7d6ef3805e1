"""The equations of docs/method.md, written out in NumPy, against what is computed."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, ndtr, ndtri

from emodag.science.fit.batch import Batch
from emodag.science.fit.model import AttentiveAutoencoder, ModelSettings
from emodag.science.fit.optimizer import AdamW
from emodag.science.fit.training import Cosine, FitSettings, _scheduler, gradients_of, mix
from emodag.science.scaling import fit_quantiles, reference_shares, transform

P, K, SLOPE = 9, 4, 0.01
SETTINGS = ModelSettings(
    hidden=6,
    code=5,
    head=7,
    attention=True,
    gate_ratio=4,
    dropout=0.3,
    residual=True,
    corruption=0.1,
    matmul="ordered",
)


@pytest.fixture
def network():
    network = AttentiveAutoencoder(P, K, SETTINGS, np.random.default_rng(0))
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            if "running" in name:
                buffer.uniform_(0.5, 1.5)
    return network.eval()


def batch(rows):
    return np.random.default_rng(1).normal(size=(rows, P)).astype(np.float32)


def test_the_network(network):
    """D is the identity and BN takes its running statistics, as in prediction."""
    w = {name: tensor.numpy().astype(np.float64) for name, tensor in network.state_dict().items()}

    def linear(name, x):
        return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0.0)

    def bn(name, x):
        scaled = (x - w[f"{name}.running_mean"]) / np.sqrt(w[f"{name}.running_var"] + 1e-5)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def rho(x):
        return np.where(x > 0, x, SLOPE * x)

    def positive(x):
        return np.maximum(x, 0)

    x = batch(12)
    gate = linear("gate.excite", positive(linear("gate.squeeze", x)))
    a = x / (1 + np.exp(-gate))
    h = rho(bn("encoder.1", linear("encoder.0", bn("norm", a))))
    r = rho(h + bn("encoder.4.norm", linear("encoder.4.linear", h)))
    u = rho(bn("encoder.6", linear("encoder.5", r)))
    rebuilt = linear("decoder.3", rho(bn("decoder.1", linear("decoder.0", u))))
    logits = linear("classifier.4", positive(bn("classifier.2", linear("classifier.1", u))))

    with torch.inference_mode():
        found = network(torch.from_numpy(x))
    assert w["gate.squeeze.weight"].shape == (P // 4, P)
    np.testing.assert_allclose(found[0].numpy(), logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[1].numpy(), rebuilt, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("matmul", ["torch", "ordered"])
def test_mixup_and_the_loss(matmul):
    rng = np.random.default_rng(2)
    n, share, weight = 8, 0.3, 0.1
    x = batch(n)
    labels, partner = rng.integers(K, size=n), rng.permutation(n)
    mixed = share * x + (1 - share) * x[partner]
    target = mix(torch.from_numpy(x), share, torch.from_numpy(partner))
    np.testing.assert_allclose(target.numpy(), mixed, rtol=1e-5)

    settings = replace(SETTINGS, matmul=matmul, dropout=0.0)
    network = AttentiveAutoencoder(P, K, settings, np.random.default_rng(0))
    with torch.no_grad():
        logits, rebuilt = (found.numpy().astype(np.float64) for found in network(target))
    entropy = -log_softmax(logits, axis=1)
    rows = np.arange(n)
    expected = (
        (share * entropy[rows, labels] + (1 - share) * entropy[rows, labels[partner]]).mean(),
        ((rebuilt - mixed) ** 2).sum() / (n * P),
    )
    labels, partner = map(torch.from_numpy, (labels, partner))
    batch_ = Batch(target, target, labels, partner, share=share, weight=weight)
    found = gradients_of(network)(batch_)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_cosine():
    settings = FitSettings(
        epochs=50,
        batch=128,
        learning_rate=1e-3,
        weight_decay=1e-3,
        mixup=0.4,
        reconstruction=0.1,
        drop_last=True,
        schedule=Cosine(end=1e-6),
    )
    optimizer = AdamW([torch.zeros(1, requires_grad=True)], lr=1e-3)
    scheduler = _scheduler(optimizer, settings)
    for epoch in range(50):
        expected = 1e-6 + (1e-3 - 1e-6) / 2 * (1 + math.cos(math.pi * epoch / 50))
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-9)
        optimizer.step()
        scheduler.step()


def test_the_quantile_transform():
    values = np.array([3.0, 1.0, 1e32, 2.0, 2.0, 2.0, 5.0, 4.0])
    shares = reference_shares(len(values))
    np.testing.assert_allclose(shares, np.arange(8) / 7)
    scores = transform(values, fit_quantiles(values, count=8), resolution=0.0)
    c = -ndtri(1e-7)
    assert scores[1] == pytest.approx(-c) and scores[2] == pytest.approx(c)
    assert c == pytest.approx(5.2, abs=0.01)
    # 2.0 holds the quantiles 1, 2 and 3 of 0 to 7: the mean of the lowest and the highest share.
    assert ndtr(scores[3]) == pytest.approx((1 / 7 + 3 / 7) / 2)
    assert ndtr(scores[0]) == pytest.approx(4 / 7)
