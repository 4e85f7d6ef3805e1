"""`training.adapt`: each person's own means and variances, and nobody else's."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from emodag.chain.chain import Chain
from emodag.config.sections import load
from emodag.science.fit.training import probabilities
from emodag.science.person_scaling import rows_by_person
from emodag.science.tables.matrices import write_columns
from emodag.stages.fitting import groups_of
from emodag.verbs import export
from emodag.verbs.last_run import LastRun
from ledger.errors import ConfigError, InputError
from tests.unit.emodag.test_training import table, train

__all__ = ["table"]  # a fixture

PERSONS = np.repeat([3, 1, 2], 30)


@pytest.fixture
def network(table):
    return train(table)[0]


def predicted(network, x, rows, persons=PERSONS):
    groups = None if persons is None else rows_by_person(persons)
    return probabilities(network, x, np.asarray(rows), at_once=2048, groups=groups)


def test_whatever_is_usual_for_a_person_moves_no_prediction(network, table):
    """Each feature of a person is moved, by a shift that the first normalisation takes out."""
    x, _ = table
    with torch.no_grad():
        network.gate.excite.weight.zero_()  # an even gate, as it is no part of normalisation
    usual = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 12)).astype(np.float32))
    moved = x + 5 * usual.repeat_interleave(30, 0)
    before, after = (predicted(network, each, range(90)) for each in (x, moved))
    np.testing.assert_allclose(before, after, atol=1e-3)
    plain = [predicted(network, each, range(90), None) for each in (x, moved)]
    assert np.abs(plain[0] - plain[1]).max() > 0.1


def test_rows_of_others_move_nothing_and_the_network_stays_as_it_is(network, table):
    x, _ = table
    state = {name: value.clone() for name, value in network.state_dict().items()}
    before = predicted(network, x, [40, 31, 5])
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert not any(module.training for module in network.modules())
    np.testing.assert_array_equal(before[:2], predicted(network, x, [40, 31]))
    others = x.clone()
    others[60:] = 7
    np.testing.assert_array_equal(before, predicted(network, others, [40, 31, 5]))
    others = x.clone()
    others[30] = 7
    after = predicted(network, others, [40, 31, 5])
    assert not np.array_equal(before[:2], after[:2]) and np.array_equal(before[2], after[2])
    alone = predicted(network, x[30:60], [10, 1], np.zeros(30))
    np.testing.assert_array_equal(before[:2], alone)


def test_whose_the_rows_are(tmp_path):
    write_columns(tmp_path / "rows", {"person": np.repeat([4, 2], 5)})
    write_columns(tmp_path / "test", {"person": np.zeros(6, np.int64)})
    write_columns(tmp_path / "more", {"person": np.full(2, 4)})
    inputs = {"rows": tmp_path / "rows", "test_rows": tmp_path / "test"}
    inputs["unlabelled"] = tmp_path / "more"
    found = [group.tolist() for group in groups_of(inputs, {"adapt": True})]
    assert found == [[*range(5), 16, 17], [*range(5, 10)], [*range(10, 16)]]
    assert groups_of(inputs, {}) is None


ADAPT = {"protocols": ["nested"], "training": {"adapt": "persons"}}


def test_fits_and_later_predictions_are_told():
    jobs = {job.name: job for job in Chain(load(ADAPT), "local").jobs()}
    for name in ("gen0/fold1", "gen2/fold1"):
        job = jobs[f"local/nested/seed1/{name}"]
        assert job.params["adapt"] and "test_rows" in job.inputs
    assert jobs["local/table"].params["needs_persons"]
    assert Chain(load(ADAPT), "local").predict("new", ["a.csv"]).params["adapt"]
    plain = Chain(load({"protocols": ["nested"]}), "local")
    for job in [*plain.jobs(), plain.predict("new", ["a.csv"])]:
        assert "adapt" not in job.params
    variants = load({"variants": {"own": {"training": {"adapt": "persons"}}}})
    assert Chain(variants, "local").ingest().params["needs_persons"]


def test_what_cannot_be_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"`training\.adapt: persons` is nothing that the publi"):
        load({"training": ADAPT["training"]})
    last = SimpleNamespace(config=load(ADAPT))
    monkeypatch.setattr(LastRun, "read", lambda of: last)
    options = SimpleNamespace(directory=Path(tmp_path), of=None)
    with pytest.raises(InputError, match="use `emodag predict`"):
        export._export(options)
