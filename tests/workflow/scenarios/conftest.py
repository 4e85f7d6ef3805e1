"""The finished chain of `scenario.py`, and what it must come to."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.kinds.digest import logical_digest
from tests.project import Project, once
from tests.workflow.scenarios.oracle import Oracle
from tests.workflow.scenarios.scenario import CHAIN, SUBMISSION, TINY, Scenario


@pytest.fixture(scope="session")
def tiny(shared) -> Scenario:
    """The finished chain, computed by Snakemake in a fresh directory; not to be changed."""
    return Scenario(once(shared / "tiny", _make_tiny))


def _make_tiny(place: Path) -> None:
    scenario = Scenario.create(place, **TINY)
    assert scenario.run().ran == CHAIN
    predicted = {line.partition(",")[2] for line in scenario.read(SUBMISSION).splitlines()[1:]}
    assert len(predicted) > 2, "a submission of one class alone would hide differences"


@pytest.fixture
def scenario(tiny, tmp_path) -> Scenario:
    """A copy of the finished chain, store and times included, to be changed at will."""
    shutil.copytree(tiny.path, tmp_path / "project")
    return Scenario(tmp_path / "project")


@pytest.fixture(scope="session")
def correct(shared) -> Iterator[Callable[..., dict[str, str]]]:
    """Assert that results are what a clean computation of the present state makes.

    Called with a project; returns the clean digests by path. `artifacts` says whether to compare
    all that the submission stands on, or the submission alone. `variables` are those that the
    clean computation shall have besides.
    """
    known = shared / "clean"
    known.mkdir(exist_ok=True)
    oracle = Oracle(known)

    def check(project: Project, target="submission", *, artifacts=True, **variables):
        clean = oracle(project, variables, target)
        for path, digest in clean.items():
            if artifacts or path == SUBMISSION:
                assert logical_digest(project.path / path) == digest, path
        return clean

    yield check
    oracle.close()
