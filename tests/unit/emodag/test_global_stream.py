"""One stream through all fits: the script's draws, handed on as JSON, and no trace left behind."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from emodag.science.fit.fit_state import State
from emodag.science.fit.global_stream import going_on_from, seeded
from emodag.science.fit.training import fit
from tests.unit.emodag.test_training import MODEL, SETTINGS

PLAIN = replace(MODEL, residual=False, corruption=0.0, matmul="torch")


def through_json(state):
    return json.loads(json.dumps(state))


def test_the_draws_are_those_of_a_seeded_script():
    with torch.random.fork_rng(devices=[]):
        np.random.seed(7)  # noqa: NPY002
        torch.manual_seed(7)
        loader = DataLoader(torch.arange(50), batch_size=20, shuffle=True)
        order = torch.cat(list(loader))
        share, partner = np.random.beta(0.4, 0.4), torch.randperm(50)  # noqa: NPY002
        list(DataLoader(torch.arange(50), batch_size=20))
        weight = torch.nn.Linear(3, 2).weight
    with going_on_from(seeded(7)) as stream:
        assert torch.equal(stream.order(50), order)
        found = stream.mixing(50, 0.4)
        assert found[0] == share and torch.equal(found[1], partner)
        stream.scoring()
        assert torch.equal(torch.nn.Linear(3, 2).weight, weight)


def test_a_state_survives_json_and_is_gone_on_from():
    with going_on_from(seeded(1)) as stream:
        stream.mixing(9, 0.4)
        middle = stream.state()
        expected = stream.order(9), stream.mixing(9, 0.4), stream.state()
    with going_on_from(through_json(middle)) as stream:
        order, (share, partner), after = stream.order(9), stream.mixing(9, 0.4), stream.state()
    assert torch.equal(order, expected[0])
    assert share == expected[1][0] and torch.equal(partner, expected[1][1])
    assert after == expected[2] != middle
    assert middle["python"] == random.Random(1).getstate()


def test_the_process_is_left_as_it_was():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    with going_on_from(seeded(1)) as stream:
        stream.order(9)
        stream.mixing(9, 0.4)
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def train(**options):
    rng = np.random.default_rng(5)
    x, labels = torch.from_numpy(rng.normal(size=(90, 12)).astype(np.float32)), np.arange(90) % 3
    with going_on_from(seeded(1)) as stream:
        network, history = fit(
            x,
            np.arange(70),
            labels[:70],
            classes=3,
            model=PLAIN,
            settings=SETTINGS,
            randomness=stream,
            validation=(np.arange(70, 90), labels[70:]),
            **options,
        )
        return network.state_dict(), history, stream.state()


def test_a_resumed_fit_ends_with_the_same_bits_and_hands_on_the_same_state():
    states = []
    whole = train(on_epoch=lambda epoch, state: states.append(state()))
    resumed = train(resume_from=State(states[1].arrays, through_json(states[1].facts)))
    assert resumed[1] == whole[1] and len(whole[1]) == SETTINGS.epochs
    assert all(torch.equal(resumed[0][name], value) for name, value in whole[0].items())
    assert through_json(resumed[2]) == through_json(whole[2]) != through_json(seeded(1))


def test_the_stream_has_no_place_for_masks():
    with going_on_from(seeded(1)) as stream, pytest.raises(ValueError, match="masks no input"):
        stream.mask(0.1)
