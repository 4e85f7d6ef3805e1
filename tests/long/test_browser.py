"""The pages in a browser: as people see them, come to them by the keyboard, and print them."""

import csv
import importlib.util
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.long.browser import chromium, needs_chromium

AXE = importlib.util.find_spec("axe_core_python")
UNFOLD = "document.querySelectorAll('details').forEach(folded => folded.open = true)"
PAGES = ("report", "index")
WIDTHS = (390, 768, 1280, 1920)

pytestmark = needs_chromium


@pytest.fixture
def home(reported):
    """The results of both protocols, two generations and two run seeds."""
    return reported.path / "results"


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


def boxes(tab, selector: str) -> list[dict[str, float]]:
    """Where elements are."""
    return tab.evaluate(
        f"[...document.querySelectorAll({selector!r})].map(e => e.getBoundingClientRect().toJSON())"
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", PAGES)
def test_a_browser_shows_it(home, tab, page, width, dark):
    path = home / f"{page}.html"
    tab.open(path, width=width, dark=dark)
    told = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    assert not tab.of(*told)
    asked = [event["request"]["url"] for event in tab.of("Network.requestWillBeSent")]
    assert asked == [path.as_uri()]
    tab.evaluate(UNFOLD)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    drawn = boxes(tab, "figure svg")
    assert len(drawn) >= (15 if page == "report" else 1)
    for box in drawn:
        assert box["left"] >= 0 and box["left"] + 250 < box["right"] <= width
        assert box["height"] > 80
    ends = [box["right"] for box in boxes(tab, "thead th:nth-child(2)")]
    assert len(ends) >= 8 and max(ends) <= width, "names hide every figure"
    spilt = (
        "[...document.querySelectorAll('td, th, li')].filter(e => e.scrollWidth > e.clientWidth)"
    )
    assert tab.evaluate(f"{spilt}.map(e => e.textContent)") == []
    side = "cell => getComputedStyle(cell).textAlign"
    head = "cell => cell.closest('table').tHead.rows[0].cells[cell.cellIndex]"
    apart = (
        f"[...document.querySelectorAll('td')].filter(c => ({side})(c) != ({side})(({head})(c)))"
    )
    assert tab.evaluate(f"{apart}.map(e => e.textContent)") == [], "a head is elsewhere"
    tab.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    (contents,) = boxes(tab, "nav")
    assert contents["top"] >= 0 and contents["left"] >= 0, "the contents stay in view"
    assert contents["bottom"] <= 900 and contents["right"] <= width


@pytest.mark.skipif(AXE is None, reason="axe-core-python is not installed")
@pytest.mark.parametrize(
    ("page", "width", "dark", "media"),
    [
        *(("report", 390, False, "screen"), ("report", 768, True, "screen")),
        *(("report", 1280, False, "screen"), ("report", 1920, True, "screen")),
        *(("report", 794, False, "print"), ("index", 390, True, "screen")),
        ("index", 1280, False, "screen"),
    ],
)
def test_axe_finds_no_violation(home, tab, page, width, dark, media):
    tab.open(home / f"{page}.html", width=width, dark=dark, media=media)
    tab.evaluate(UNFOLD)
    tab.evaluate(Path(AXE.origin).with_name("axe.min.js").read_text() + ";0")
    found = "r => r.violations.map(v => v.id + ': ' + v.nodes[0].html)"
    # Of texts within drawings it cannot tell the ground; a unit test has their contrast.
    assert tab.evaluate(f"axe.run({{exclude: ['svg > *']}}).then({found})") == []


@pytest.mark.parametrize("page", PAGES)
def test_everybody_can_read_it(home, tab, page):
    tab.open(home / f"{page}.html", width=1280)
    assert tab.evaluate("[...document.querySelectorAll('svg')].every(s => s.ariaLabel.length > 20)")
    levels = tab.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    places = "[...document.querySelectorAll('a[href^=\"#\"]')]"
    missing = tab.evaluate(f"{places}.filter(a => !document.querySelector(a.hash)).length")
    assert missing == 0
    ids = tab.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_a_figure_tells_its_values_to_the_mouse_and_to_the_keyboard(home, tab):
    tab.open(home / "report.html", width=1280)
    tab.evaluate(UNFOLD)
    figures = tab.evaluate(
        "[...document.querySelectorAll('figure')].map(f => f.querySelectorAll('.mark').length)"
    )
    assert min(figures) >= 1
    told = "document.querySelector('#persons output')"
    drawing = "document.querySelector('#persons svg')"
    marks = tab.evaluate(f"[...{drawing}.querySelectorAll('.mark')].map(m => m.dataset.told)")
    assert len(marks) == 6 and all(mark.startswith("person ") for mark in marks)
    assert "; macro-F1 0." in marks[0]
    tab.evaluate(f"{drawing}.scrollIntoView()")
    for at in (4, 1):
        box = boxes(tab, "#persons figure:first-child .mark")[at]
        tab.point(box["left"] + box["width"] / 2, box["top"] + box["height"] / 2)
        assert tab.evaluate(f"{told}.hidden ? null : {told}.textContent") == marks[at]
        (frame,) = boxes(tab, "#persons figure:first-child")
        shown = boxes(tab, "#persons output")[0]
        assert shown["left"] >= frame["left"] and shown["right"] <= frame["right"]
    tab.point(1, 1)
    assert tab.evaluate(f"{told}.hidden")
    tab.evaluate(f"{drawing}.focus()")
    for key, at in [("ArrowRight", 0), ("ArrowRight", 1), ("End", 5), ("ArrowUp", 4), ("Home", 0)]:
        tab.press(key)
        assert tab.evaluate(f"{told}.textContent") == marks[at]
    tab.press("Escape")
    assert tab.evaluate(f"{told}.hidden")


def test_what_is_folded_opens_for_who_goes_there_and_for_the_printer(home, tab):
    tab.open(home / "report.html", width=1280)
    folded = "[...document.querySelectorAll('section:has(> details)')].map(s => s.id)"
    opened = "[...document.querySelectorAll('section:has(> details[open])')].map(s => s.id)"
    names = tab.evaluate(folded)
    assert names[0] == "classes" and "scores" not in names and tab.evaluate(opened) == []
    tab.evaluate("document.querySelector('nav a[href=\"#data\"]').click()")
    assert tab.evaluate(f"new Promise(done => setTimeout(() => done({opened}), 50))") == ["data"]
    assert -1 < boxes(tab, "#data")[0]["top"] < 100
    tab.call("Page.printToPDF")
    assert tab.evaluate(opened) == names


def test_a_step_of_the_drawing_leads_to_its_jobs(home, tab):
    opened = "[...document.querySelectorAll('section:has(> details[open])')].map(s => s.id)"
    tab.open(home / "index.html", width=1280)
    tab.evaluate("document.querySelector('svg').focus()")
    tab.press("ArrowRight")
    name = tab.evaluate("document.querySelector('.now').dataset.to")
    tab.press("Enter")
    soon = f"new Promise(done => setTimeout(() => done({opened}), 50))"
    assert tab.evaluate(soon) == [name]
    click = "dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    tab.evaluate(f"document.querySelector('[data-to=gen1-nested] path').{click}")
    assert tab.evaluate(soon) == [name, "gen1-nested"]


def test_headings_stay_with_what_they_are_of_on_paper(home, tab):
    tab.open(home / "report.html", width=794, media="print")
    for selector, rule, value in [
        ("h2, h3, section > p, details > p:not(.file)", "breakAfter", "avoid"),
        ("figure, tr", "breakInside", "avoid"),
        ("nav, .file, output", "display", "none"),
    ]:
        style = f"[...document.querySelectorAll({selector!r})].map(e => getComputedStyle(e).{rule})"
        assert set(tab.evaluate(style)) == {value}, selector


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_and_table_is_saved_as_a_file(home, tab, page):
    tab.open(home / f"{page}.html", width=1280)
    files = tab.evaluate(
        "[...document.querySelectorAll('a[download]')].map(a => [a.download, a.href])"
    )
    names = [name for name, _ in files]
    shown = tab.evaluate("document.querySelectorAll('figure, table').length")
    assert len(set(names)) == len(names) >= shown
    for name, address in files:
        kind, _, content = address.partition(",")
        assert (kind, name[-4:]) == ("data:text/csv;charset=utf-8", ".csv")
        heads, *rows = csv.reader(unquote(content).splitlines())
        assert rows and all(len(row) == len(heads) for row in rows), name


def test_a_click_on_a_head_sorts_a_table(home, tab):
    tab.open(home / "report.html", width=1280)
    table = "[...document.querySelectorAll('#persons tbody tr')]"
    column = f"{table}.map(row => parseFloat(row.cells[3].textContent))"
    before = tab.evaluate(column)
    for way in ("ascending", "descending"):
        tab.evaluate("document.querySelectorAll('#persons th button')[3].click()")
        assert tab.evaluate(column) == sorted(before, reverse=way == "descending")
        assert tab.evaluate("document.querySelector('#persons [aria-sort]').ariaSort") == way
