"""Files of other jobs, other checkouts and other stores where this directory's own should be."""

import shutil

import pytest

from tests.workflow.scenarios.conftest import BOOST, CHAIN, SUBMISSION, TINY, Scenario

LEADERBOARD = "results/leaderboard.csv"
OTHER = {**TINY, "pseudo_labels": BOOST}


def is_verified(scenario) -> bool:
    done = scenario.emodag("verify")
    assert done.returncode == 0, done.stdout
    return True


@pytest.mark.parametrize("what", ["manifest", "data", "everything"])
def test_files_of_another_fold(scenario, correct, what):
    """Their shapes, sizes and digests are in order; they are of another job."""
    one, other = scenario.home("gen1/fold0"), scenario.home("gen1/fold1")
    for file in list(one.iterdir()):
        if what in ("everything", "manifest" if file.name == "manifest.json" else "data"):
            shutil.copy2(other / file.name, file)
    scenario.forget(SUBMISSION, str(scenario.manifest("gen1/blend")))
    scenario.run()
    correct(scenario, artifacts=what != "data")
    scenario.emodag("verify", "--repair")
    assert is_verified(scenario)
    correct(scenario)


@pytest.mark.parametrize("kind", ["actions", "objects"])
def test_everything_in_the_store_in_the_place_of_something_else(scenario, correct, kind):
    paths = [path for path in sorted((scenario.store / kind).glob("*/*")) if path.is_file()]
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, [*contents[1:], contents[0]], strict=True):
        path.chmod(0o644)
        path.write_bytes(content)
    scenario.forget("results")
    assert scenario.run().ran == CHAIN
    correct(scenario)
    assert is_verified(scenario)


def test_notes_of_snakemake_copied_from_another_checkout(scenario, tmp_path, correct):
    """It was run later, with other settings and other raw files."""
    shutil.copytree(scenario.path, tmp_path / "other")
    other = Scenario(tmp_path / "other")
    other.configure(**TINY, scaling={"n_quantiles": 19})
    other.edit("truth.csv", "\n1,0\n", "\n1,3\n")
    other.run(SUBMISSION, LEADERBOARD)
    scenario.forget(".snakemake")
    shutil.copytree(other.path / ".snakemake", scenario.path / ".snakemake")
    scenario.run(SUBMISSION, LEADERBOARD)
    correct(scenario)
    correct(scenario, "leaderboard")
    assert is_verified(scenario) and scenario.started_nothing()


def test_two_stores_in_turn_and_a_renamed_raw_file(scenario, tmp_path, correct):
    first, store = scenario.read(SUBMISSION), str(tmp_path / "store")
    (scenario.path / "train.csv").rename(scenario.path / "people.csv")
    scenario.configure(**TINY, data={"train": "people.csv"})
    assert scenario.run(EMODAG_STORE=store).ran == CHAIN
    assert scenario.read(SUBMISSION) == first and is_verified(scenario)
    (scenario.path / "people.csv").rename(scenario.path / "train.csv")
    scenario.configure(**TINY)
    assert scenario.started_nothing()
    correct(scenario)
    scenario.configure(**OTHER)
    assert scenario.run(EMODAG_STORE=store).ran == {"submission"}
    correct(scenario)
    scenario.configure(**TINY)
    assert scenario.started_nothing()
    correct(scenario)


def test_on_a_file_system_of_its_own(scenario, tmp_path, mount, correct):
    """Behind a link, and in memory, where times are coarse and no blocks can be shared."""
    memory = tmp_path / "memory"
    memory.mkdir()
    mount("-t", "ramfs", "ramfs", at=str(memory))
    for name, path in (("store", scenario.store), ("results", scenario.path / "results")):
        shutil.copytree(path, memory / name)
        shutil.rmtree(path)
        path.symlink_to(memory / name)
    assert scenario.started_nothing()
    for settings in (OTHER, TINY, OTHER):
        scenario.configure(**settings)
        done = scenario.run()
        correct(scenario)
        assert is_verified(scenario)
    assert not done.ran and done.hit == {"submission"}
    scenario.forget(".snakemake")
    assert scenario.started_nothing()
