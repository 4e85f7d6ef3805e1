"""What the report computes of features: odd cells, gates, and a map of rows."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from emodag.science.embedding import embed
from emodag.science.fit.attention import mean_gate, rank_agreement, shared_top
from emodag.science.fit.model import TORCHS, Gate
from emodag.science.tables.oddities import oddities


def test_odd_cells_by_hand():
    column = np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 100, np.nan])
    values = np.column_stack([column, np.full(10, np.nan), np.ones(10)])
    person = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    found = oddities(values, person, persons=2)
    assert found.missing.tolist() == [[0, 1, 0], [0.2, 1, 0]]
    # Quartiles 2 and 6, so what is above 18 is far out.
    assert found.far_out.tolist() == [[0, 0, 0], [0.2, 0, 0]]
    assert found.reach.tolist() == [25, 0, 0]


def test_the_largest_numbers_are_no_trouble():
    values = np.array([[-1.7e308], [1e308], [1.7e308], [0.0], [1.0]])
    with np.errstate(all="raise"):
        found = oddities(values, np.zeros(5, int), persons=1)
    assert np.isfinite(found.reach).all()


def test_the_gate_is_the_model_s():
    torch.manual_seed(0)
    gate = Gate(12, 4, TORCHS)
    x = torch.randn(30, 12) + 3
    weights = {f"gate.{name}": value.numpy() for name, value in gate.state_dict().items()}
    expected = (gate(x) / x).mean(0).detach().numpy()
    np.testing.assert_allclose(mean_gate(weights, x.numpy()), expected, rtol=1e-4)


def test_agreement_of_gates():
    gates = np.random.default_rng(0).random((3, 40))
    pairs = [spearmanr(gates[a], gates[b]).statistic for a, b in ((0, 1), (0, 2), (1, 2))]
    assert rank_agreement(gates) == pytest.approx(np.mean(pairs))
    assert rank_agreement(np.stack([gates[0], gates[0] * 2])) == pytest.approx(1)
    assert shared_top(np.array([[3, 2, 1, 0], [3, 0, 1, 2]]), top=2) == 0.5


def test_a_map_keeps_neighbours_together_and_is_the_same_each_time():
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(scale=20, size=(3, 10)), 20, axis=0)
    x = (centres + rng.normal(size=(60, 10))).astype(np.float32)
    places = embed(x)
    assert places.tobytes() == embed(x).tobytes()
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + np.diag(np.full(60, np.inf))
    assert (apart.argmin(axis=1) // 20 == np.arange(60) // 20).all()


@pytest.mark.parametrize("shape", [(8, 1), (8, 5), (20, 2)])
def test_a_map_of_little(shape):
    places = embed(np.random.default_rng(1).random(shape))
    assert places.shape == (shape[0], 2) and np.isfinite(places).all()


def test_a_map_of_equal_rows():
    assert np.isfinite(embed(np.ones((20, 3)))).all()
