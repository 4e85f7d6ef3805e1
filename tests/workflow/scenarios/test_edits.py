"""Scenarios 1 to 7: edits, reverts, deletions."""

import ast
import os
import shutil

from tests.workflow.scenarios.scenario import BOOST, CHAIN, FITTED, SUBMISSION, TINY


def test_01_nothing_changed(scenario, correct):
    assert scenario.started_nothing()
    correct(scenario)


def test_02_a_raw_file_touched_or_rewritten_with_the_same_bytes(scenario):
    """One of 500 MB among them, which is hashed again and no more."""
    train, test, truth = (scenario.path / f"{name}.csv" for name in ("train", "test", "truth"))
    os.truncate(truth, 500_000_000)
    assert scenario.started_nothing(), "the submission does not rest on the truth"
    content = test.read_bytes()
    for path in (test, truth):
        path.unlink()
    os.utime(train)
    test.write_bytes(content)
    truth.touch()
    os.truncate(truth, 500_000_000)
    assert scenario.started_nothing()


def test_03_comments_docstrings_and_formatting_of_every_module(scenario):
    package = scenario.path / "workflow/emodag"
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text())
        if ast.get_docstring(tree) is not None:
            tree.body[0].value.value = "Another docstring."
        path.write_text("# a comment\n" + ast.unparse(tree).replace("\n\n", "\n\n\n"))
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


def test_04_a_real_edit_of_an_imported_helper(scenario, correct):
    before = correct(scenario)
    edit_blending(scenario)
    done = scenario.run()
    assert (done.ran, done.hit) == ({"gen1/blend", "submission"}, set())
    assert correct(scenario)[SUBMISSION] != before[SUBMISSION]


def test_04_an_edit_that_neither_size_nor_time_betrays(scenario, correct):
    """Python would run the bytecode of before, and what that makes must not get the new key."""
    path = scenario.path / "workflow/emodag/science/blending.py"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    scenario.edit(
        path.relative_to(scenario.path), "np.zeros_like(members[0])", "np.ones_like( members[0])"
    )
    os.utime(path, ns=times)
    assert scenario.run().ran == {"gen1/blend", "submission"}
    correct(scenario)


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


def test_06_recomputed_with_an_identical_result(scenario, correct):
    """An edit of the scaler that moves no bit: everything after it is looked up, not computed."""
    scenario.edit("workflow/emodag/stages/scale.py", "COLUMNS_AT_ONCE = 64", "COLUMNS_AT_ONCE = 3")
    done = scenario.run()
    assert (done.ran, done.hit) == ({"scaled/all"}, FITTED | {"submission"})
    correct(scenario)


def test_07_intermediates_deleted(scenario, correct):
    shutil.rmtree(scenario.home("gen1/blend"))
    (scenario.home("scaled/all") / "train.parquet").unlink()
    done = scenario.run()
    assert done.ran == set() and done.hit <= CHAIN
    correct(scenario, artifacts=False)

    shutil.rmtree(scenario.home("gen1/blend"))
    shutil.rmtree(scenario.home("table"))
    scenario.configure(**{**TINY, "pseudo_labels": BOOST})
    done = scenario.run()
    assert done.ran == {"submission"}
    correct(scenario)


def test_07_an_intermediate_deleted_and_its_own_code_changed(scenario, correct):
    """The deletion must not hide the change, though the submission is as new as before."""
    shutil.rmtree(scenario.home("gen1/blend"))
    edit_blending(scenario)
    done = scenario.run()
    assert (done.ran, done.hit) == ({"gen1/blend", "submission"}, set())
    correct(scenario)
