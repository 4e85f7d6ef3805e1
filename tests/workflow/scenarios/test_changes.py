"""Scenarios 11, 12 and 19: another clone, another environment, other raw files.

`tests/long/test_changed_environment.py` has the rest of scenario 12.
"""

from ledger.machine.fingerprint import steering
from tests.workflow.scenarios.scenario import CHAIN, SUBMISSION, TINY, Scenario


def test_11_a_fresh_clone_sharing_the_store(tiny, tmp_path, correct):
    clone = Scenario.create(tmp_path / "elsewhere", **TINY, store=str(tiny.store))
    done = clone.run()
    assert (done.ran, done.hit) == (set(), CHAIN)
    assert not clone.store.exists()
    correct(clone)


def test_12_threads_and_variables_of_the_configuration_are_part_of_it(scenario):
    local = {"locks": [], "threads": 2, "variables": {"MKL_CBWR": "COMPATIBLE"}}
    scenario.configure(**TINY, environments={"local": local})
    assert scenario.run("results/local/folds/manifest.json").ran == {"table", "folds"}
    environment = scenario.json("results/local/folds/manifest.json")["ingredients"]["environment"]
    assert environment["threads"] == 2
    assert environment["variables"] == {**steering(), **local["variables"]}


def test_19_a_value_changes_in_the_training_table(scenario, correct):
    before = correct(scenario)
    lines = scenario.read("train.csv").splitlines()
    cells = lines[30].split(",")
    cells[1] = "9.75"
    lines[30] = ",".join(cells)
    (scenario.path / "train.csv").write_text("\n".join(lines) + "\n")
    done = scenario.run()
    assert done.hit == {"folds"}, "labels and persons are as they were"
    assert {"table", "scaled/all", "gen0/all", "gen1/fold0", "gen1/blend"} <= done.ran
    after = correct(scenario)
    fit = "results/local/published/seed1/gen0/all/weights.safetensors"
    assert after[fit] != before[fit]


def test_19_a_row_more(scenario, correct):
    lines = scenario.read("train.csv").splitlines()
    last = lines[-1].partition(",")[2]
    (scenario.path / "train.csv").write_text("\n".join([*lines, f"{len(lines) - 1},{last}"]) + "\n")
    folds = "results/local/folds/manifest.json"
    assert scenario.run(folds).ran == {"table", "folds"}
    correct(scenario, "local/folds")


def test_19_the_truth_reaches_the_leaderboard_only(scenario, correct):
    leaderboard = "results/leaderboard.csv"
    assert scenario.run(SUBMISSION, leaderboard).ran == {"leaderboard"}
    text = scenario.read("truth.csv")
    (scenario.path / "truth.csv").write_text(text.replace("1,0\n", "1,3\n"))
    done = scenario.run(SUBMISSION, leaderboard)
    assert (done.ran, done.hit) == ({"leaderboard"}, set())
    correct(scenario, "leaderboard")
