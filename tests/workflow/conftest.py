"""Projects to run Snakemake in: a fresh one, and finished ones."""

import os
import shutil
from pathlib import Path

import pytest

from tests.project import WHOLE, Project, jobs, once
from tests.words import ALL, Words


@pytest.fixture
def project(tmp_path) -> Project:
    return Project.create(tmp_path / "project")


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """The directory of what is made once for all workers of pytest-xdist; see `once`."""
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    place.mkdir(exist_ok=True)
    return place


@pytest.fixture(scope="session")
def finished(shared) -> Project:
    """Both protocols and two generations, run once; not to be changed."""
    return Project(once(shared / "finished", lambda p: Project.create(p, **WHOLE).snakemake()))


@pytest.fixture
def copy_of_finished(finished, tmp_path) -> Project:
    """A copy of the finished project, times included, to be changed at will."""
    shutil.copytree(finished.path, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def reported(finished, shared) -> Project:
    """The same with two run seeds, the report on both, and what was `said`; not to be changed."""

    def make(place: Path) -> None:
        shutil.copytree(finished.path, place, symlinks=True)
        project = Project(place)
        project.configure(**WHOLE, seeds=[1, 2])
        (place / "said").write_text(project.snakemake("all").stderr)

    return Project(once(shared / "reported", make))


@pytest.fixture(scope="session")
def finished_nested(shared) -> Project:
    """The leak-free protocol alone, run once; not to be changed."""
    return Project(once(shared / "nested", lambda p: Project.create(p).snakemake()))


@pytest.fixture
def nested(finished_nested, tmp_path) -> Project:
    """A copy of it, times included, to be changed at will."""
    shutil.copytree(finished_nested.path, tmp_path / "nested", symlinks=True)
    return Project(tmp_path / "nested")


@pytest.fixture(scope="session")
def finished_words(shared) -> Words:
    """`examples/words` run once; not to be changed."""

    def make(place: Path) -> None:
        done = Words.create(place).run()
        assert jobs(done, "RUN") == ALL and jobs(done, "HIT") == []
        assert "words: 3 jobs, 0 hits; took " in done.stderr

    return Words(once(shared / "words", make) / "words")


@pytest.fixture
def words(finished_words, tmp_path) -> Words:
    """A copy of it, times included, to be changed at will."""
    shutil.copytree(finished_words.path.parent, tmp_path / "copy", symlinks=True)
    return Words(tmp_path / "copy/words")
