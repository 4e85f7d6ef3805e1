"""Scenarios 1, 2, 4, 5, 7 and 19: edits, reverts, deletions, other raw files.

On a chain of emodag; `tests/workflow/test_ledger.py` has more of it on `examples/words`, and
`tests/long/test_other_settings.py` edits of every module that change nothing.
"""

import os
import shutil

from tests.workflow.scenarios.scenario import BOOST, SUBMISSION, TINY


def test_01_nothing_changed(scenario, correct):
    assert scenario.started_nothing()
    correct(scenario)


def test_02_a_raw_file_touched_or_rewritten_with_the_same_bytes(scenario):
    train, test, truth = (scenario.path / f"{name}.csv" for name in ("train", "test", "truth"))
    truth.write_text("another")
    assert scenario.started_nothing(), "the submission does not rest on the truth"
    content = test.read_bytes()
    test.unlink()
    os.utime(train)
    test.write_bytes(content)
    assert scenario.started_nothing()


def edit_blending(scenario):
    scenario.edit(
        "workflow/emodag/science/blending.py",
        "def mean_probabilities(",
        """\
def mean_probabilities(members):
    return np.asarray(members[0])[:, ::-1].copy()


def _unused(""",
    )


def test_04_an_edit_that_neither_size_nor_time_betrays(scenario, correct):
    """Python would run the bytecode of before, and what that makes must not get the new key."""
    before = correct(scenario)
    path = scenario.path / "workflow/emodag/science/blending.py"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    scenario.edit(
        path.relative_to(scenario.path), "np.zeros_like(members[0])", "np.ones_like( members[0])"
    )
    os.utime(path, ns=times)
    done = scenario.run()
    assert (done.ran, done.hit) == ({"gen1/blend", "submission"}, set())
    blend = "results/local/published/seed1/gen1/blend/test.parquet"
    assert correct(scenario)[blend] != before[blend]


def test_05_a_parameter_of_the_last_stage_changes_and_is_reverted(scenario, correct):
    before = correct(scenario)
    scenario.configure(**{**TINY, "pseudo_labels": BOOST})
    done = scenario.run()
    assert (done.ran, done.hit) == ({"submission"}, set())
    assert correct(scenario)[SUBMISSION] != before[SUBMISSION]
    scenario.configure(**TINY)
    done = scenario.run()
    assert (done.ran, done.hit) == (set(), {"submission"})
    correct(scenario)


def test_07_intermediates_deleted_and_the_code_of_one_changed(scenario, correct):
    """The deletion must not hide the change, though the submission is as new as before."""
    shutil.rmtree(scenario.home("gen1/blend"))
    shutil.rmtree(scenario.home("table"))
    before = correct(scenario, artifacts=False)
    edit_blending(scenario)
    done = scenario.run()
    assert done.ran == {"gen1/blend", "submission"}
    assert correct(scenario)[SUBMISSION] != before[SUBMISSION]


def test_19_a_value_changes_in_the_training_table(scenario, correct):
    before = correct(scenario)
    lines = scenario.read("train.csv").splitlines()
    cells = lines[30].split(",")
    cells[1] = "9.75"
    lines[30] = ",".join(cells)
    (scenario.path / "train.csv").write_text("\n".join(lines) + "\n")
    done = scenario.run("results/local/folds/manifest.json", str(scenario.manifest("gen0/all")))
    assert done.hit == {"folds"}, "labels and persons are as they were"
    assert done.ran == {"table", "scaled/all", "gen0/all"}
    fit = "results/local/published/seed1/gen0/all/weights.safetensors"
    assert correct(scenario, "local/published/seed1/gen0/all")[fit] != before[fit]


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
