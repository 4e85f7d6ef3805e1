"""Tables and files of another configuration, or under other names, where this one's should be."""

import ast
import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest

from tests.workflow.scenarios.scenario import BOOST, CHAIN, SUBMISSION, TINY, Scenario

LEADERBOARD = "results/leaderboard.csv"


class TestTablesOfAnotherConfiguration:
    """What lies in the results is of the configuration that was run last."""

    def test_they_are_set_aside(self, scenario):
        scenario.run(SUBMISSION, LEADERBOARD)
        before = {name: scenario.read(name) for name in (SUBMISSION, LEADERBOARD)}
        configuration = scenario.read("results/configuration.yaml")
        scenario.configure(**{**TINY, "pseudo_labels": BOOST})
        done = scenario.run(SUBMISSION)
        assert f"{LEADERBOARD} is not of this configuration" in done.said
        assert not (scenario.path / LEADERBOARD).exists()
        kept = [path.read_text() for path in (scenario.path / "results/earlier").iterdir()]
        assert sorted(kept) == sorted([*before.values(), configuration])
        verify = scenario.emodag("verify")
        assert verify.returncode == 0, verify.stdout
        # That configuration, from the file beside its results.
        (kept,) = (scenario.path / "results/earlier").glob("configuration-*.yaml")
        done = scenario.snakemake(
            SUBMISSION, LEADERBOARD, configfiles=(str(kept.relative_to(scenario.path)),)
        )
        assert {name: scenario.read(name) for name in before} == before
        assert "RUN " not in done.stderr
        assert scenario.read("results/configuration.yaml") == configuration

    def test_what_the_store_has_is_made_anew(self, scenario):
        scenario.run(SUBMISSION, LEADERBOARD)
        scenario.configure(**{**TINY, "pseudo_labels": BOOST})
        scenario.run(SUBMISSION, LEADERBOARD)
        boosted = scenario.read(LEADERBOARD)
        scenario.configure(**TINY)
        done = scenario.run(SUBMISSION)
        assert done.ran == set() and done.hit == {"submission", "leaderboard"}
        assert "leaderboard.csv is not of" not in done.said
        assert scenario.read(LEADERBOARD) != boosted

    def test_an_edited_one_is_not_lost(self, scenario):
        (scenario.path / SUBMISSION).write_text("mine")
        scenario.configure(**{**TINY, "pseudo_labels": BOOST})
        scenario.run(SUBMISSION)
        kept = (scenario.path / "results/earlier").glob("submission-*.csv")
        assert [path.read_text() for path in kept] == ["mine"]

    def test_one_that_only_the_old_store_has_is_not_overwritten(self, scenario, tmp_path):
        """The new store has the result that takes its place."""
        scenario.run(LEADERBOARD)
        first = scenario.read(LEADERBOARD)
        settings = {**TINY, "pseudo_labels": BOOST}
        scenario.configure(**settings)
        scenario.run(LEADERBOARD)
        scenario.store.rename(tmp_path / "store")
        (scenario.path / LEADERBOARD).unlink()
        scenario.configure(**TINY)
        scenario.run(LEADERBOARD)
        assert scenario.read(LEADERBOARD) == first
        shutil.rmtree(scenario.store)
        scenario.configure(**settings)
        scenario.run(LEADERBOARD, EMODAG_STORE=str(tmp_path / "store"))
        kept = (scenario.path / "results/earlier").glob("leaderboard-*.csv")
        assert first in [path.read_text() for path in kept]

    @pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("{}")])
    def test_one_without_its_manifest(self, scenario, damage):
        """As a killed job leaves it: nobody can tell what it is of."""
        scenario.run(LEADERBOARD)
        damage(scenario.path / "results/leaderboard.manifest.json")
        text = scenario.read("truth.csv")
        (scenario.path / "truth.csv").write_text(text.replace("1,0\n", "1,3\n"))
        first = scenario.read(LEADERBOARD)
        assert "results/leaderboard.csv is not of this" in scenario.run(SUBMISSION).said
        assert not (scenario.path / LEADERBOARD).exists()
        scenario.run(LEADERBOARD)
        assert scenario.read(LEADERBOARD) != first

    def test_a_table_that_the_configuration_does_not_have(self, scenario):
        scenario.run(LEADERBOARD)
        settings = {**TINY, "data": {"truth": None}}
        scenario.configure(**settings)
        scenario.run(SUBMISSION)
        assert not (scenario.path / LEADERBOARD).exists()


@pytest.mark.parametrize("job", sorted(CHAIN - {"submission"}))
def test_a_manifest_is_gone_and_nobody_asks_for_it(tiny, tmp_path, job):
    """Another output of its job is asked for, with other settings: nothing old passes for new."""
    shutil.copytree(tiny.path, tmp_path / "project")
    scenario = Scenario(tmp_path / "project")
    first = scenario.json(scenario.manifest(job))
    scenario.forget(str(scenario.manifest(job)))
    target = str(scenario.manifest(job).with_name(sorted(first["outputs"])[0]))
    data = {"classes": ["3", "2", "1", "0"]}
    scenario.configure(**TINY, data=data)
    planned = scenario.snakemake("-n", target).stderr
    assert "Nothing to be done" not in planned


def test_snakemakes_own_report_holds_this_configurations_tables_only(scenario):
    scenario.run("--report", "own.html", SUBMISSION)
    (scenario.path / "own.html").unlink()
    scenario.configure(**TINY, submission={"id": "Row"})
    done = scenario.run("--report", "own.html", SUBMISSION, check=False)
    assert done.status == 1 and "without `--report` first" in done.said
    assert not (scenario.path / "own.html").exists()
    scenario.run("--report-after-run", "--report", "own.html", SUBMISSION)
    assert (scenario.path / "own.html").exists()


def test_several_tables_are_restored_at_once(scenario):
    """No job is started for any of them, though Snakemake has looked into the directory before."""
    targets = (SUBMISSION, LEADERBOARD, "results/scores.csv")
    scenario.run(*targets)
    scenario.forget("results", ".snakemake")
    done = scenario.run(*targets)
    assert "Nothing to be done" in done.said and done.ran == set()
    assert f"emodag: {len(done.hit)} jobs, {len(done.hit)} hits;" in done.said


def test_a_raw_file_is_renamed(scenario, correct):
    """The same bytes elsewhere, and back: no job is started, and each hit is counted once."""
    (scenario.path / "train.csv").rename(scenario.path / "people.csv")
    for data in ({"train": "people.csv"}, {"train": ".//people.csv"}):
        scenario.configure(**TINY, data=data)
        done = scenario.run()
        assert "Nothing to be done" in done.said and done.hit == CHAIN
        assert "emodag: 9 jobs, 9 hits;" in done.said
    (scenario.path / "people.csv").rename(scenario.path / "a{b}c.csv")
    scenario.configure(**TINY, data={"train": "a{b}c.csv"})
    assert "Nothing to be done" in scenario.run().said
    (scenario.path / "a{b}c.csv").rename(scenario.path / "train.csv")
    scenario.configure(**TINY)
    assert "Nothing to be done" in scenario.run().said
    correct(scenario)


def test_how_a_file_is_read_is_part_of_the_key(scenario):
    """The bytes of train.csv are no Parquet file, though they have been read before."""
    (scenario.path / "train.csv").rename(scenario.path / "train.parquet")
    scenario.configure(**TINY, data={"train": "train.parquet"})
    done = scenario.run(check=False)
    assert done.status != 0 and "train.parquet: is not a Parquet file" in done.said


def test_what_a_run_decides_does_not_depend_on_the_time(scenario, correct):
    """Every file gets the same time, or one of another clock; plain Snakemake knows only times."""
    scenario.configure(**{**TINY, "pseudo_labels": BOOST})
    for number, moment in enumerate([0, time.time() - 86400, time.time() + 86400]):
        for path in scenario.path.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (moment, moment))
        assert scenario.run().ran == ({"submission"} if number == 0 else set())
        correct(scenario)


def test_03_comments_docstrings_and_formatting_of_every_module(scenario):
    package = scenario.path / "workflow/emodag"
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text())
        if ast.get_docstring(tree) is not None:
            tree.body[0].value.value = "Another docstring."
        path.write_text("# a comment\n" + ast.unparse(tree).replace("\n\n", "\n\n\n"))
    assert scenario.started_nothing()
