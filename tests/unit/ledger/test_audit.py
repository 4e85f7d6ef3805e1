"""What `audit` says of the circumstances of two computations; real ones are in tests/workflow."""

from ledger.ask.audit import around
from ledger.ask.lineage import Step
from ledger.store.sidecar import COST, write_record
from tests.unit.ledger.test_store import KEY, manifest


def step(place, libraries):
    place.mkdir()
    told = {"key": KEY, "started": "2026-01-01T00:00:00+00:00", "libraries": libraries}
    cost = dict.fromkeys(COST, 1)
    write_record(place / "provenance.json", {**told, "hit": False, "cost": cost, "cores": 2})
    return Step(str(place / "manifest.json"), manifest())


def test_libraries_are_the_same_in_whichever_order_they_were_found(tmp_path):
    one, other = ({"internal_api": "openblas", "version": version} for version in ("1", "2"))
    then, now = step(tmp_path / "a", [one, other]), step(tmp_path / "b", [other, one])
    assert around(then, now) == []
    (change,) = around(then, step(tmp_path / "c", [one, {**other, "version": "3"}]))
    assert (change["key"], change["a"], change["b"]) == ("libraries.openblas.0.version", "2", "3")


def test_only_libraries_that_both_had_loaded_are_compared(tmp_path):
    blas, torch, openmp = (
        {"internal_api": name, "version": "1"} for name in ("openblas", "torch", "openmp")
    )
    then, now = step(tmp_path / "a", [blas, torch]), step(tmp_path / "b", [openmp, blas])
    assert around(then, now) == [] == around(now, then)
