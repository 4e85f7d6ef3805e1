"""What lies where people read it is of the configuration that was run last."""

import os
import shutil

from tests.workflow.scenarios.scenario import SUBMISSION, TINY, Scenario

LEADERBOARD = "results/leaderboard.csv"
INDEX = "results/index.html"
ROWS = {"submission": {"id": "Row"}}
NAMED = {"data": {"classes": ["M\u00fcde", "Wach", "Gl\u00fcck", "\u00c4rger"]}}


def test_a_table_of_the_store_in_the_place_of_another(tiny, scenario, correct):
    """Whichever table is asked for: one is put right, the other, which it cannot be, set aside."""
    scenario.configure(**TINY, **ROWS)
    assert scenario.run(SUBMISSION, LEADERBOARD).ran == {"submission", "leaderboard"}
    shutil.copy(tiny.path / SUBMISSION, scenario.path / SUBMISSION)
    assert scenario.run(LEADERBOARD).ran == set()
    assert scenario.read(SUBMISSION).startswith("Row,")
    scenario.forget_computing("submission")
    shutil.copy(tiny.path / SUBMISSION, scenario.path / SUBMISSION)
    assert f"{SUBMISSION} is not of this configuration" in scenario.run(LEADERBOARD).said
    assert not (scenario.path / SUBMISSION).exists()
    assert scenario.run().ran == {"submission"}
    correct(scenario)


def test_the_index_goes_with_what_it_lists(scenario):
    scenario.run(INDEX)
    assert scenario.started_nothing() and (scenario.path / INDEX).exists()
    scenario.configure(**TINY, data={"truth": None})
    assert scenario.started_nothing() and not (scenario.path / INDEX).exists()


def test_snakemakes_own_report_holds_this_configurations_tables_only(scenario):
    scenario.run("--report", "own.html", SUBMISSION)
    (scenario.path / "own.html").unlink()
    scenario.configure(**TINY, **ROWS)
    done = scenario.run("--report", "own.html", SUBMISSION, check=False)
    assert done.status == 1 and "without `--report` first" in done.said
    assert not (scenario.path / "own.html").exists()
    scenario.run("--report-after-run", "--report", "own.html", SUBMISSION)
    assert (scenario.path / "own.html").exists()


def test_the_locale_is_in_no_result(scenario, correct):
    """One without most letters, as a job under cron or in a container may have."""
    bare = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    scenario.configure(**TINY, submission={"values": "names"}, **NAMED)
    scenario.run(SUBMISSION, LEADERBOARD, **bare)
    assert "M\u00fcde" in (scenario.path / SUBMISSION).read_text(encoding="utf-8")
    correct(scenario)


def test_a_run_that_changes_nothing_leaves_the_store_that_results_are_of(scenario):
    assert "Nothing to be done" in scenario.run(SUBMISSION, "--config", "store=another").said
    assert scenario.emodag("verify").returncode == 0


def test_names_that_are_not_utf8_are_refused(scenario, tmp_path):
    (scenario.path / "folder").mkdir()
    odd = os.fsdecode(b"S\xff.csv")
    (scenario.path / "train.csv").rename(scenario.path / "folder" / odd)
    scenario.configure(**TINY, data={"train": "folder"})
    said = [
        scenario.run(check=False),
        scenario.run(check=False, EMODAG_STORE=odd),
        Scenario(scenario.path.rename(tmp_path / odd)).run(check=False),
    ]
    for done in said:
        assert done.status == 1 and "not UTF-8" in done.said
