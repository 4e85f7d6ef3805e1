"""`results/report.html` in a browser."""

from itertools import pairwise

import pytest

from tests.long.browser import chromium, needs_chromium


@pytest.fixture
def report(reported):
    """The report on both protocols, two generations and two run seeds."""
    return reported.path / "results/report.html"


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@needs_chromium
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_it(report, tab, width, dark):
    tab.open(report, width=width, dark=dark)
    told = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    assert not tab.of(*told)
    asked = [event["request"]["url"] for event in tab.of("Network.requestWillBeSent")]
    assert asked == [report.as_uri()]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    boxes = tab.evaluate(
        "[...document.querySelectorAll('figure svg')].map(s => s.getBoundingClientRect())"
        ".map(b => [b.left, b.right, b.height])"
    )
    assert len(boxes) >= 5
    for left, right, height in boxes:
        assert left >= 0 and left + 250 < right <= width and height > 80
    ends = tab.evaluate(
        "[...document.querySelectorAll('thead th:nth-child(2)')]"
        ".map(head => head.getBoundingClientRect().right)"
    )
    assert len(ends) >= 8 and max(ends) <= width, "names hide every figure"


@needs_chromium
def test_everybody_can_read_it(report, tab):
    tab.open(report, width=1280)
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
def test_a_click_on_a_head_sorts_a_table(report, tab):
    tab.open(report, width=1280)
    table = "[...document.querySelectorAll('#persons tbody tr')]"
    column = f"{table}.map(row => parseFloat(row.cells[3].textContent))"
    before = tab.evaluate(column)
    for way in ("ascending", "descending"):
        tab.evaluate("document.querySelectorAll('#persons th button')[3].click()")
        assert tab.evaluate(column) == sorted(before, reverse=way == "descending")
        assert tab.evaluate("document.querySelector('#persons [aria-sort]').ariaSort") == way
