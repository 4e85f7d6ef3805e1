"""One fit: shapes, the loss of eq. 1, mixup, the same bits again, and what the weights are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emodag.science.fit.model import AttentiveAutoencoder, Dropout, Mask, ModelSettings
from emodag.science.fit.randomness import Derived
from emodag.science.fit.training import (
    Cosine,
    FitSettings,
    Plateau,
    fit,
    mix,
    probabilities,
)
from emodag.science.scores.scoring import macro_f1
from emodag.science.seeds import generator
from ledger.errors import DivergenceError

MODEL = ModelSettings(
    hidden=16,
    code=8,
    head=8,
    attention=True,
    gate_ratio=4,
    dropout=0.3,
    residual=True,
    corruption=0.1,
    matmul="ordered",
)
SETTINGS = FitSettings(
    epochs=4,
    batch=16,
    learning_rate=1e-2,
    weight_decay=1e-3,
    mixup=0.4,
    reconstruction=0.1,
    drop_last=True,
    schedule=Cosine(end=1e-6),
)


def stream(purpose):
    return generator(1, "test", purpose)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 90)
    x = rng.normal(size=(90, 12)).astype(np.float32)
    x[:, 0] += labels
    return torch.from_numpy(x), labels


def train(table, rows=None, **changes):
    x, labels = table
    options = {"validation": changes.pop("validation", None)}
    if "on_epoch" in changes:
        options["on_epoch"] = changes.pop("on_epoch")
    model = changes.pop("model", MODEL)
    rows = np.arange(70) if rows is None else rows
    return fit(
        x,
        rows,
        labels[rows],
        classes=3,
        model=model,
        settings=replace(SETTINGS, **changes),
        randomness=Derived(stream),
        **options,
    )


@pytest.mark.parametrize("residual", [True, False])
def test_shapes(residual):
    network = AttentiveAutoencoder(12, 3, replace(MODEL, residual=residual), stream("init"))
    logits, rebuilt = network(torch.zeros(5, 12))
    assert logits.shape == (5, 3) and rebuilt.shape == (5, 12)
    blocks = [m for m in network.modules() if type(m).__name__ == "ResidualBlock"]
    assert len(blocks) == residual


def test_the_reported_network_has_the_reported_layers():
    settings = ModelSettings(
        hidden=512,
        code=128,
        head=128,
        attention=True,
        gate_ratio=4,
        dropout=0.3,
        residual=False,
        corruption=0.0,
        matmul="ordered",
    )
    network = AttentiveAutoencoder(1793, 4, settings, stream("init"))
    linear = [
        (m.in_features, m.out_features, m.bias is not None)
        for m in network.modules()
        if isinstance(m, torch.nn.Linear)
    ]
    assert linear == [
        (1793, 448, False),
        (448, 1793, False),
        (1793, 512, True),
        (512, 128, True),
        (128, 512, True),
        (512, 1793, True),
        (128, 128, True),
        (128, 4, True),
    ]


def test_initial_weights_fill_torchs_default_range():
    weight = AttentiveAutoencoder(400, 3, MODEL, stream("init")).encoder[0].weight
    bound = 1 / 400**0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_mixup_is_a_convex_combination_of_rows():
    x = torch.tensor([[0.0, 1.0], [10.0, 3.0]])
    mixed = mix(x, 0.25, torch.tensor([1, 0]))
    torch.testing.assert_close(mixed, torch.tensor([[7.5, 2.5], [2.5, 1.5]]))


def test_masks_keep_their_share():
    kept = Mask(0.3, generator("mask"))(torch.empty(1000, 100)).float().mean().item()
    assert kept == pytest.approx(0.7, abs=0.005)
    dropout = Dropout(0.3, generator("mask"))
    ones = torch.ones(1000, 100)
    assert dropout(ones).mean().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(dropout.eval()(ones), ones)


def test_two_fits_have_the_same_bits_whatever_the_global_generators_say(table):
    networks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (what a stray library call would have done)
        networks.append(train(table)[0].state_dict())
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])


@pytest.mark.parametrize(("matmul", "near"), [("ordered", 1e-5), ("bfloat16", 0.02)])
def test_other_products_give_the_same_bits_again_near_torchs(table, matmul, near):
    (torchs, told), (first, history), (second, _) = (
        train(table, model=replace(MODEL, matmul=how)) for how in ("torch", matmul, matmul)
    )
    for name, value in first.state_dict().items():
        assert value.dtype == torchs.state_dict()[name].dtype
        assert torch.equal(value, second.state_dict()[name])
    assert history[-1].loss != told[-1].loss
    assert history[-1].loss == pytest.approx(told[-1].loss, rel=near)


def test_a_fit_learns(table):
    x, labels = table
    network, history = train(table, epochs=12)
    predicted = probabilities(network, x, np.arange(70), at_once=2048).argmax(axis=1)
    assert macro_f1(labels[:70], predicted, classes=3) > 0.6
    assert history[-1].loss < history[0].loss


def test_the_weights_are_the_last_epochs_and_not_the_best_epochs(table):
    """The reported run scored its best epoch and, by an aliasing slip, went on with the last."""
    x, labels = table
    valid = np.arange(70, 90)
    seen = []
    network, history = train(
        table,
        epochs=12,
        learning_rate=0.05,
        validation=(valid, labels[valid]),
        schedule=Plateau(factor=0.5, patience=2),
        on_epoch=lambda epoch, state: seen.append(epoch),
    )
    predicted = probabilities(network, x, valid, at_once=2048).argmax(axis=1)
    assert seen == history
    assert macro_f1(labels[valid], predicted, classes=3) == history[-1].macro_f1
    assert max(epoch.macro_f1 for epoch in history) > history[-1].macro_f1


@pytest.mark.filterwarnings("error")
def test_a_fit_that_diverges_says_so_and_nothing_else(table):
    with pytest.raises(DivergenceError, match=r"epoch \d+ is (nan|inf).*learning_rate"):
        train(table, learning_rate=1e30)


@pytest.mark.filterwarnings("error")
def test_a_network_without_numbers_says_so_and_nothing_else(table):
    network, _ = train(table, epochs=1)
    with torch.no_grad():
        network.classifier[-1].bias.fill_(torch.inf)
    with pytest.raises(DivergenceError, match="no numbers"):
        probabilities(network, table[0], np.arange(9), at_once=2048)


def test_validation_rows_steer_only_a_plateau(table):
    _, labels = table
    valid = np.arange(70, 90)
    plain, _ = train(table)
    watched, _ = train(table, validation=(valid, labels[valid]))
    other = plain.state_dict()
    assert all(torch.equal(value, other[name]) for name, value in watched.state_dict().items())
    with pytest.raises(ValueError, match="plateau"):
        train(table, schedule=Plateau(factor=0.5, patience=2))


def test_schedules(table):
    rates = [epoch.learning_rate for epoch in train(table, epochs=5)[1]]
    assert rates[0] == 1e-2 and rates == sorted(rates, reverse=True)
    valid = np.arange(70, 90)
    history = train(
        table,
        epochs=6,
        validation=(valid, np.zeros(20, np.int64)),
        schedule=Plateau(factor=0.5, patience=1),
    )[1]
    assert history[-1].learning_rate < 1e-2
    constant = train(table, schedule=None)[1]
    assert {epoch.learning_rate for epoch in constant} == {1e-2}


def test_an_incomplete_batch_is_dropped_or_kept_and_one_row_never_makes_a_batch(table):
    def batches(rows, drop_last):
        network, _ = train(table, np.arange(rows), drop_last=drop_last, epochs=1)
        return int(network.norm.num_batches_tracked)

    assert batches(70, True) == 4
    assert batches(70, False) == 5
    assert batches(65, False) == 4
    with pytest.raises(ValueError, match="9 rows make no batch of 16"):
        batches(9, True)


def test_streams_depend_on_their_purpose_alone():
    first = generator(1, "student", 1, 0, "mixup").integers(0, 2**32, 4).tolist()
    assert first == generator(1, "student", 1, 0, "mixup").integers(0, 2**32, 4).tolist()
    others = [
        generator(*purpose).integers(0, 2**32, 4).tolist()
        for purpose in (
            (2, "student", 1, 0, "mixup"),
            (1, "student", 2, 0, "mixup"),
            (1, "student", 1, 1, "mixup"),
            (1, "student", 1, 0, "order"),
            (1, "student", 10, "mixup"),
        )
    ]
    assert first not in others
