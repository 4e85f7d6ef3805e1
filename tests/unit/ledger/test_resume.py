"""An interrupted fit that goes on ends with the same bits; a checkpoint is trusted whole or not."""

import functools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from emodag.science.fit.fit_state import State
from emodag.science.fit.randomness import Derived
from emodag.science.fit.training import Plateau, fit, probabilities
from ledger.disk.canonical import digest
from ledger.run.checkpoint import Checkpoint
from ledger.run.talk import Talk
from ledger.store.store import Store
from tests.unit.emodag.test_training import MODEL, SETTINGS, stream

KEY = digest("key")
SCHEDULES = {
    "cosine": SETTINGS.schedule,
    "plateau": Plateau(factor=0.5, patience=0),
    "none": None,
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    return torch.from_numpy(rng.normal(size=(90, 12)).astype(np.float32)), rng.integers(0, 3, 90)


@pytest.fixture(scope="module")
def whole(data):
    """Uninterrupted fits by their schedule, each made once: the network and its history."""
    return functools.cache(lambda schedule: train(data, SCHEDULES[schedule]))


class Killed(Exception):
    """Stands for whatever ends a process in the middle of a fit."""


def train(data, schedule, *, killed_after=None, resume_from=None):
    x, labels = data
    states = []

    def on_epoch(epoch, take_state):
        if epoch.epoch == killed_after:
            states.append(take_state())
        elif killed_after and epoch.epoch > killed_after:
            raise Killed(states[0])

    return fit(
        x,
        np.arange(70),
        labels[:70],
        classes=3,
        model=MODEL,
        settings=replace(SETTINGS, epochs=5, schedule=schedule),
        randomness=Derived(stream),
        validation=(np.arange(70, 90), labels[70:90]),
        resume_from=resume_from,
        on_epoch=on_epoch,
    )


def state_after(data, schedule, epoch) -> State:
    """The state taken after an epoch of a fit that then trained another one and died."""
    with pytest.raises(Killed) as error:
        train(data, schedule, killed_after=epoch)
    return error.value.args[0]


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(Store(tmp_path / "store"), KEY, 10, Talk("job", tmp_path / "log"))


@pytest.mark.parametrize("epoch", [1, 3])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_same_bits_as_an_uninterrupted_fit(data, whole, checkpoint, schedule, epoch):
    state = state_after(data, SCHEDULES[schedule], epoch)
    checkpoint.save(state.arrays, state.facts)
    network, history = train(data, SCHEDULES[schedule], resume_from=State(*checkpoint.load()))
    expected, expected_history = whole(schedule)
    assert history == expected_history and len(history) == 5
    weights = network.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in expected.state_dict().items())
    said = [probabilities(n, data[0], np.arange(90), at_once=2048) for n in (network, expected)]
    assert said[0].tobytes() == said[1].tobytes()


@pytest.fixture(scope="module")
def states(data):
    """Those after two epochs of one fit; not to be changed."""
    return [state_after(data, SCHEDULES["cosine"], epoch) for epoch in (3, 1)]


@pytest.mark.parametrize("part", ["learning_rate", "scheduler", "streams", "optimizer", "network"])
def test_every_part_of_the_state_matters(data, whole, states, part):
    """Were a part left out, the test above would notice: with another's in its place bits move."""
    right, other = states
    arrays = {
        name: (other if name.startswith(part) else right).arrays[name] for name in right.arrays
    }
    facts = {name: (other if name == part else right).facts[name] for name in right.facts}
    mixed, _ = train(data, SCHEDULES["cosine"], resume_from=State(arrays, facts))
    expected, _ = whole("cosine")
    assert not torch.equal(mixed.encoder[0].weight, expected.encoder[0].weight)


def test_a_state_is_not_touched_by_the_fit_that_goes_on_from_it(data):
    state = state_after(data, SCHEDULES["plateau"], 2)
    before = {name: array.copy() for name, array in state.arrays.items()}, json.dumps(state.facts)
    train(data, SCHEDULES["plateau"], resume_from=state)
    assert json.dumps(state.facts) == before[1]
    assert all(np.array_equal(before[0][name], array) for name, array in state.arrays.items())


def test_a_checkpoint_comes_back_with_its_types_and_its_infinities(checkpoint):
    arrays = {"a": np.float32([[1.5, np.nan]]), "step": np.array(7, np.int64)}
    facts = {"best": float("-inf"), "state": 2**127 + 1, "rate": 0.1 + 0.2}
    assert checkpoint.load() is None
    checkpoint.save(arrays, facts)
    loaded, loaded_facts = checkpoint.load()
    assert loaded_facts == facts
    for name, array in arrays.items():
        assert loaded[name].tobytes() == array.tobytes()
        assert (loaded[name].dtype, loaded[name].shape) == (array.dtype, array.shape)


def test_a_damaged_checkpoint_is_ignored_with_a_warning_wherever_the_damage_is(
    checkpoint, tmp_path
):
    checkpoint.save({"a": np.arange(3.0)}, {"epoch": 4})
    (path,) = (tmp_path / "store/checkpoints").rglob("*.safetensors")
    whole = path.read_bytes()
    loaded = json.dumps([checkpoint.load()[0]["a"].tolist(), checkpoint.load()[1]])
    ignored = 0
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        found = checkpoint.load()
        if found is None:
            ignored += 1
        else:  # A byte of padding, which says nothing.
            assert json.dumps([found[0]["a"].tolist(), found[1]]) == loaded
    assert ignored >= len(whole) - 8, ignored
    for length in (0, 7, 8, 40, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert checkpoint.load() is None
    assert "WARNING job:" in (tmp_path / "log").read_text()


def test_another_computations_checkpoint_is_refused(checkpoint, tmp_path):
    checkpoint.save({"a": np.arange(3.0)}, {})
    store = Store(tmp_path / "store")
    other = digest("other")
    store.checkpoint(other).parent.mkdir(parents=True, exist_ok=True)
    store.checkpoint(KEY).rename(store.checkpoint(other))
    assert Checkpoint(store, other, 10, Talk("job")).load() is None


def test_the_last_of_two_writers_wins_and_a_reader_sees_one_of_them(checkpoint, tmp_path):
    twin = Checkpoint(Store(tmp_path / "store"), KEY, 10, Talk("job"))
    checkpoint.save({"a": np.zeros(3)}, {"epoch": 1})
    twin.save({"a": np.ones(3)}, {"epoch": 2})
    assert checkpoint.load()[1] == {"epoch": 2}
    checkpoint.remove()
    twin.remove()
    assert twin.load() is None
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert files == []


def test_a_checkpoint_that_cannot_be_written_is_a_warning(tmp_path):
    (tmp_path / "store").write_text("a file where the store should be")
    checkpoint = Checkpoint(Store(tmp_path / "store"), KEY, 10, Talk("job", tmp_path / "log"))
    checkpoint.save({"a": np.zeros(3)}, {})
    assert "WARNING job: no checkpoint:" in (tmp_path / "log").read_text()
