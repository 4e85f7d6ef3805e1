"""What lies where people read it is of the configuration that was run last."""

import shutil

from tests.project import WHOLE, Project
from tests.workflow.scenarios.scenario import SUBMISSION, TINY

LEADERBOARD = "results/leaderboard.csv"
INDEX = "results/index.html"
ROWS = {"submission": {"id": "Row"}}


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


def test_the_index_goes_with_what_it_lists(reported, tmp_path):
    shutil.copytree(reported.path, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    assert "Nothing to be done" in project.snakemake(SUBMISSION).stderr
    assert (project.path / INDEX).exists()
    project.configure(**WHOLE, seeds=[1, 2], data={"truth": None})
    assert "Nothing to be done" in project.snakemake(SUBMISSION).stderr
    assert not (project.path / INDEX).exists()


def test_the_locale_is_in_no_result(scenario, correct):
    """One without most letters, as a job under cron or in a container may have."""
    bare = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    scenario.configure(**TINY, submission={"id": "M\u00fcde"})
    scenario.run(**bare)
    assert "M\u00fcde" in (scenario.path / SUBMISSION).read_text(encoding="utf-8")
    correct(scenario)
    scenario.configure(**TINY, data={"classes": ["M\u00fcde", "Wach", "Gl\u00fcck", "\u00c4rger"]})
    assert scenario.run("results/local/table/manifest.json", **bare).ran == {"table"}
    correct(scenario, "local/table")


def test_a_run_that_changes_nothing_leaves_the_store_that_results_are_of(scenario):
    assert "Nothing to be done" in scenario.run(SUBMISSION, "--config", "store=another").said
    assert scenario.emodag("verify").returncode == 0
