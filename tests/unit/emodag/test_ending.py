"""The last lines of a run."""

import json
import shlex

import pytest

from emodag.chain.chain import Chain
from emodag.config.sections import load
from emodag.terminal import ending
from emodag.terminal.command import command
from ledger.run import tally, turn
from ledger.snakemake import screen as failing
from ledger.snakemake.screen import Failure
from tests.project import ROOT

CONFIG = load({"folds": 2})
SCORES = """env,protocol,seed,stage,fold,macro_f1,macro_f1_last_epoch
local,published,1,gen2,0,0.9,0.8
local,nested,1,gen1,0,0.1,0.1
local,nested,1,gen2,0,0.5,0.5
local,nested,1,gen2,1,0.6,0.6
numpy2,nested,1,gen2,1,0.9,0.9
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run in a directory of its own; its chain."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(turn.VARIABLE, "20260101T000000-00000000")
    (tmp_path / "results/local/table").mkdir(parents=True)
    quality = {"warnings": [f"doubt {number}" for number in range(4)]}
    (tmp_path / "results/local/table/quality.json").write_text(json.dumps(quality))
    (tmp_path / "results/scores.csv").write_text(SCORES)
    names = ("submission", "scores", "report")
    chain = Chain(CONFIG, "local")
    return {name: chain.job(name, name, {}) for name in names}


def said(chain, rules, targets=(), arguments=()):
    return list(ending.of_success(CONFIG, chain, rules, targets, list(arguments)))


def test_the_score_each_warning_once_files_and_the_next_command(run):
    for job in ("scores", "submission"):
        tally.add(job, hit=True, seconds=1.0)
    for message in ("doubt 1", "doubt 1"):
        tally.warn("local/table", message)
    target = "results/scores.csv"
    arguments = ["-c8", target, "-F", "--configfile", "my file.yaml"]
    assert said(run, {"local/table", "scores"}, {target}, arguments) == [
        "Score to expect of new people: 0.550. The report has its interval.",
        "WARNING local/table: doubt 1",
        "WARNING local/table: doubt 0",
        "WARNING local/table: doubt 2",
        "and 1 more warning, in the logs beside the results",
        "Made: results/submission.csv, results/scores.csv",
        "Next: snakemake results/report.html -c8 --configfile 'my file.yaml'"
        "    (all of it drawn, on one page)",
    ]


def test_the_score_is_the_leak_free_one_in_any_order_of_protocols(run):
    asked = load({"protocols": ["nested", "published"], "folds": 2})
    first, *_ = ending.of_success(asked, run, {"scores"}, set(), [])
    assert first == "Score to expect of new people: 0.550. The report has its interval."


def test_a_warning_of_several_jobs_is_one(run):
    for job, message in (("scores", "late"), ("local/table", "doubt 0"), ("other", "late")):
        tally.warn(job, message)
    found = [line for line in said(run, {"local/table"}) if "WARNING" in line]
    assert found[:2] == ["WARNING scores: late", "WARNING local/table: doubt 0"]


def test_without_scores_submission_or_tables_nothing_is_made_up(run):
    tally.add("local/folds", hit=True, seconds=1.0)
    assert said(run, {"folds"}) == []
    assert said({}, {"scores", "folds"})[0].startswith("Score to expect of new people")
    ending.Path("results/scores.csv").unlink()
    assert said({}, {"scores", "leaderboard", "folds"}) == []


def test_what_is_submitted_and_its_score_where_it_is_asked_for(run):
    asked = load({"variants": {"alone": {"generations": 0}}, "submit": "alone"})

    def said(*needed):
        return [*ending.of_success(asked, run, needed, [], [])][-2]

    assert said("submission", "report") == (
        "The submission is of alone; ask for results/variants.csv to have its score"
    )
    first, *_ = ending.of_success(asked, run, ["scores"], [], [])
    assert first.startswith("Score to expect of new people: 0.550")
    board = "local,nested,1,gen2,0.9\nlocal,nested,1,submission,0.7\n"
    ending.Path("results/leaderboard.csv").write_text(f"env,protocol,seed,stage,macro_f1\n{board}")
    (hidden,) = ending.of_success(asked, {}, ["leaderboard"], [], [])
    told = "Macro-F1 of the submission, which is of alone."
    assert hidden == f"Score on the hidden people: 0.700. {told}"
    header, row = "variant,changes,macro_f1,low,high,difference", "alone,a=1,0.5,{},{},0.1"
    for ends, told in (((0.4, 0.6), " (95 % interval 0.400 to 0.600)"), (("", ""), "")):
        ending.Path("results/variants.csv").write_text(f"{header}\n{row.format(*ends)}\n")
        found = said("submission", "variants")
        assert found == f"The submission is of alone: macro-F1 0.500{told}"


def test_an_interval_that_cannot_be_had(run):
    """Computed in a process of its own, which finds no inputs here."""
    tally.add("scores", hit=False, seconds=1.0)
    (score, *_) = said(run, {"scores"})
    assert score.endswith("The report has its interval.")


def test_every_page_that_was_made_is_named(run):
    for job in ("report", "index"):
        tally.add(job, hit=False, seconds=1.0)
    assert said(run, {"report"})[-2:] == [
        "Made: results/report.html, results/index.html",
        "Next: open results/report.html, results/index.html",
    ]


def test_failed_jobs_each_once_with_what_to_do():
    lines = ["ERROR a: first", *map(str, range(30))]
    failures = [
        Failure("a", ["a.log"], lines),
        Failure("b", [], []),
        Failure("a", ["a.log"], lines),
    ]
    found = list(failing.of_failures(failures))
    assert found[0] == "emodag: 2 jobs failed" and found[-1] == failing.MEND
    assert found.count("ERROR a: first") == 1 and len(found) == 1 + failing.LINES + 1 + 1 + 1
    assert found[-2] == "ERROR b: what it said is above, and in its log"


def test_a_job_that_was_restored_and_then_started_is_one(run):
    tally.add("scores", hit=True, seconds=2.0)
    tally.add("scores", hit=True, seconds=2.0)
    assert tally.summary().startswith("emodag: 1 job, 1 hit; ")
    tally.add("scores", hit=False, seconds=3.0)
    tally.add("scores", hit=True, seconds=3.0)
    told = tally.summary()
    assert told.startswith("emodag: 1 job, 0 hits; ")
    assert told.endswith("computed 3.0 s summed over jobs, saved 0.0 s")


@pytest.mark.parametrize("own", ["Snakefile", "workflow/Snakefile", None])
def test_a_command_names_the_snakefile_where_the_directory_has_none(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if own:
        (tmp_path / own).parent.mkdir(exist_ok=True)
        (tmp_path / own).touch()
    said = command("results/scores.csv", "--configfile", "my file.yaml")
    first, cores, *rest = shlex.split(said.strip("`").replace(f"-s {ROOT / 'Snakefile'} ", "", 1))
    assert (f"-s {shlex.quote(str(ROOT / 'Snakefile'))} " in said) == (own is None)
    assert first == "snakemake" and cores.startswith("-c")
    assert rest == ["results/scores.csv", "--configfile", "my file.yaml"]
