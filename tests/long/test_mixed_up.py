"""Files of other jobs, other checkouts and other stores where this directory's own should be."""

import shutil

import pytest

from tests.workflow.scenarios.scenario import BOOST, CHAIN, SUBMISSION, TINY

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
