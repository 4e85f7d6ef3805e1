"""`results/report.html`: built by Snakemake, opened in a browser."""

import json
import re
from itertools import pairwise

import pytest

from emodag.provenance.canonical import file_sha256
from tests.workflow.browser import chromium, needs_chromium
from tests.workflow.conftest import WHOLE, Project

REPORT = "results/report.html"


@pytest.fixture(scope="module")
def reported(tmp_path_factory) -> Project:
    """Both protocols, two generations and two run seeds, with their report; not to be changed."""
    path = tmp_path_factory.mktemp("reported") / "project"
    project = Project.create(path, **WHOLE, seeds=[1, 2])
    project.snakemake(REPORT)
    return project


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


def test_it_is_one_file_and_says_what_the_scores_say(reported):
    text = reported.read(REPORT)
    assert not re.search(r'(src|href)="(?!#)|url\((?!#)|@import', text)
    fits = [
        reported.json(f"results/local/published/seed{seed}/gen2/fold{fold}/fit.json")
        for seed in (1, 2)
        for fold in (0, 1)
    ]
    mean = sum(fit["macro_f1"] for fit in fits) / 4
    table = text[text.index("Table I, published") : text.index("Table I, nested")]
    assert f"<td>{mean:.3f}</td>" in table[table.index("generation 2") :]


def test_its_bytes_depend_on_nothing_else(reported):
    before = file_sha256(reported.path / REPORT)
    store = str(reported.path / "another")
    reported.snakemake("--forcerun", "report", REPORT, EMODAG_STORE=store, TZ="Asia/Tokyo")
    assert file_sha256(reported.path / REPORT) == before


@needs_chromium
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_it(reported, tab, width, dark):
    path = reported.path / REPORT
    tab.open(path, width=width, dark=dark)
    told = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    assert not tab.of(*told)
    asked = [event["request"]["url"] for event in tab.of("Network.requestWillBeSent")]
    assert asked == [path.as_uri()]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    boxes = tab.evaluate(
        "[...document.querySelectorAll('figure svg')].map(s => s.getBoundingClientRect())"
        ".map(b => [b.left, b.right, b.height])"
    )
    assert len(boxes) >= 5
    for left, right, height in boxes:
        assert left >= 0 and left + 250 < right <= width and height > 80


@needs_chromium
def test_everybody_can_read_it(reported, tab):
    tab.open(reported.path / REPORT, width=1280)
    assert tab.evaluate("[...document.querySelectorAll('svg')].every(s => s.ariaLabel.length > 20)")
    levels = tab.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    missing = tab.evaluate(
        "[...document.querySelectorAll('a')].filter(a => !document.querySelector(a.hash)).length"
    )
    assert missing == 0
    ids = tab.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


@needs_chromium
def test_a_click_on_a_head_sorts_a_table(reported, tab):
    tab.open(reported.path / REPORT, width=1280)
    table = "[...document.querySelectorAll('#persons tbody tr')]"
    column = f"{table}.map(row => parseFloat(row.cells[3].textContent))"
    before = tab.evaluate(column)
    for way in ("ascending", "descending"):
        tab.evaluate("document.querySelectorAll('#persons th button')[3].click()")
        assert tab.evaluate(column) == sorted(before, reverse=way == "descending")
        assert tab.evaluate("document.querySelector('#persons [aria-sort]').ariaSort") == way


def test_the_cost_is_told_elsewhere(reported):
    stages = json.loads(reported.emodag("cost", "--json").stdout)
    assert stages["student"]["jobs"] == 16 and stages["report"]["jobs"] == 1
    total = reported.emodag("cost").stdout.splitlines()[-1].split()
    assert total[:2] == ["all", str(sum(facts["jobs"] for facts in stages.values()))]
    assert stages["student"]["seconds"] >= stages["student"]["longest"] > 0
    elsewhere = Project(reported.path / "envs")
    told = elsewhere.emodag("cost", PYTHONPATH=str(reported.path / "workflow"))
    assert told.returncode == 1 and "no results here" in told.stderr


def test_snakemake_s_own_report_holds_it(reported):
    tables = ["results/scores.csv", "results/leaderboard.csv", "results/submission.csv"]
    reported.snakemake("--report", "own.html", REPORT, *tables)
    text = reported.read("own.html")
    for path in (REPORT, *tables):
        assert f'"{path}"' in text
    for word in ("Reports", "Tables", "the whole run", "how far the published protocol flatters"):
        assert word in text
