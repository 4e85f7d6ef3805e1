"""The drift report: its sentences, and a page that needs nothing but itself."""

import json
import re
from html.parser import HTMLParser

import pytest

from emodag.chain.jobs import jobs
from emodag.config.sections import load
from emodag.pages.drift.verdicts import matter
from emodag.pages.words import brief, number, percent, probability, score, title
from emodag.stages import drift
from ledger.compare.distance import Distance

SIDES = [("drift/local-avx2", 0), ("drift/local-avx2", 1), ("drift/seeds", 1)]
"""Contrasts, and the first or second run of each of their pairs."""

LOCAL = {"name": "local", "requires": {"numpy": "1.26.4"}, "variables": {}, "threads": 1}
OTHER = {**LOCAL, "name": "other", "requires": {"numpy": "2.0.2"}, "variables": {"X": "<b>&"}}
APART = Distance(cells=100, differing=10, absolute=0.1, relative=0.2, ulps=3, squares=0.04)


def entry(step, figures, amplification=None, differs=None):
    identical = not (figures.differing if figures else differs)
    return {
        "step": step,
        "identical": identical,
        "jobs": [] if identical else [f"local/{step}"],
        "files": {},
        "carried": figures and figures.figures(),
        "amplification": amplification,
    }


def pair(a, b, scores, *, differs, folds=1):
    same = Distance(cells=100)
    compared = {"a": scores[0], "b": scores[1], "difference": scores[1] - scores[0]}
    values = dict.fromkeys(("macro_f1", "macro_f1_last_epoch", "hidden"), compared)
    return {
        "a": {"environment": a[0], "seed": a[1]},
        "b": {"environment": b[0], "seed": b[1]},
        "first": "folds" if differs else None,
        "steps": [
            entry("table", same),
            entry("folds", None, differs=differs),
            entry("scaled", same),
            entry("gen1", APART if differs else same),
            entry("gen1/blend", APART if differs else same, 1.0 if differs else None),
        ],
        "folds": {
            "persons": 9,
            "moved": [{"person": "<i>P1", "a": 0, "b": 1}] if differs else [],
            "rows": 90,
            "rows_moved": 0,
        },
        "pseudo_labels": [],
        "generations": [
            {
                "step": "gen1",
                "folds": {name: [compared] * folds for name in ("macro_f1", "macro_f1_last_epoch")},
                "scores": values,
                "predictions": {"rows": 20, "flipped": 2 if differs else 0},
            }
        ],
    }


def reported(place, *, differs, other=OTHER, folds=1):
    """The report on the seeds and two environments, which differ or do not: facts and page."""
    f1 = 0.43 if differs else 0.4
    contrasts = {
        "local-other": [
            pair(("local", s), ("other", s), (0.4, f1), differs=differs, folds=folds)
            for s in (1, 2)
        ],
        "seeds": [
            pair(("local", 1), ("local", s), (0.4, f1), differs=True)
            for s, f1 in ((2, 0.44), (3, 0.42))
        ],
    }
    inputs = {}
    for name, pairs in contrasts.items():
        inputs[name] = place / f"{name}.json"
        facts = {"environments": {"local": LOCAL, "other": other}, "pairs": pairs}
        inputs[name].write_text(json.dumps(facts))
    output = place / "out"
    output.mkdir()
    params = {"contrasts": list(contrasts), "yardstick": "seeds"}
    drift.run(inputs, params, output, None)
    return json.loads((output / "drift.json").read_text()), (output / "drift.html").read_text()


@pytest.fixture(scope="module")
def differing(tmp_path_factory):
    """The report on environments that differ."""
    return reported(tmp_path_factory.mktemp("differing"), differs=True)


class Page(HTMLParser):
    """Everything a browser would fetch, every id, every reference to one, and what stays open."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.open, self.headings, self.images = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [found[n] for n in ("src", "href", "xlink:href", "srcset") if n in found]
        self.ids += [found["id"]] if "id" in found else []
        if tag in {"h1", "h2", "h3"}:
            self.headings.append(int(tag[1]))
        if tag == "svg":
            self.images.append(found)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_verdicts_when_something_differs(differing):
    facts, _ = differing
    found, seeds = facts["contrasts"]
    assert [factor["name"] for factor in found["factors"]] == ["NumPy", "the variable X"]
    assert found["first"] == "folds" and found["effects"]["gen1"]["macro_f1"]["n"] == 2
    assert found["verdict"].startswith(
        "The two differ, and it matters: scores move in one direction, or further than by another "
        "run seed. First differs in the folds (1 of 9 persons change fold); the effect of NumPy "
        "and the variable X together on the cross-validated macro-F1 is +0.0300, 1.5 of a seed "
        "standard deviation (95 % interval "
    )
    assert "n = 3 seeds" in found["verdict"]
    assert seeds["effects"] == {} and "standard deviation of 0.0200" in seeds["verdict"]
    assert facts["yardstick"]["gen1"]["hidden"]["values"] == [0.4, 0.44, 0.42]


def test_verdict_when_nothing_differs(tmp_path):
    other = {**LOCAL, "name": "other", "threads": 2}
    facts, text = reported(tmp_path, differs=False, other=other)
    verdict = facts["contrasts"][0]["verdict"]
    assert verdict == (
        "The two do not differ. Identical to the last bit at every step, in 2 pairs of runs: the "
        "thread count made no difference to these runs."
    )
    assert text.index(verdict) < text.index("<main>"), "the page opens with the verdicts"
    (first,) = re.findall("<p>(.*?)</p>", text[: text.index("<ul class=")])[:1]
    assert first.startswith("The two environments do not differ, to the last bit: it does not")
    assert "cannot tell which" not in text


def test_every_environment_is_run_with_every_seed_of_the_yardstick():
    chain = jobs(load({"drift": {"contrasts": [["local", "avx2"]], "seeds": [3, 7]}}))
    runs = [[pair[side] for pair in chain[name].params["pairs"]] for name, side in SIDES]
    assert runs == [["local/seed3", "local/seed7"], ["avx2/seed3", "avx2/seed7"], ["local/seed7"]]


@pytest.mark.parametrize(
    ("effect", "matters"),
    [
        ({"mean": 0.01, "interval": [-0.01, 0.03]}, False),
        ({"mean": 0.01, "interval": [0.002, 0.018]}, True),  # surely in one direction
        ({"mean": -0.05, "interval": None}, True),  # further than two seeds are apart
        ({"mean": -0.03, "interval": None}, False),
    ],
)
def test_whether_a_difference_matters(effect, matters):
    yardstick = {"gen1": {"macro_f1": {"two_runs": 0.04}}}
    assert matter({"gen1": {"macro_f1": effect}}, yardstick) is matters


def test_the_page_needs_nothing_but_itself(differing):
    _, text = differing
    page = Page(text)
    assert page.open == [] and page.links
    links = [link for link in page.links if not link.startswith("data:text/csv;charset=utf-8,")]
    assert all(link[0] == "#" and link[1:] in page.ids for link in links)
    assert len(set(page.ids)) == len(page.ids)
    assert not re.search(r"https?:|@import|url\((?!#)|<script |<link", text)
    references = re.findall(r"url\(#([^)]+)\)", text)
    assert set(references) <= set(page.ids)


def test_the_page_is_for_everybody(differing):
    _, text = differing
    page = Page(text)
    assert page.headings[:2] == [1, 2] and page.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    assert len(page.images) == 6
    assert all(i["role"] == "img" and i["aria-label"] and "width" not in i for i in page.images)
    assert '<html lang="en">' in text and 'content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text and "@media print" in text
    drawn = "".join(re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL))
    assert not re.search(
        r"#[0-9a-f]{6}\b(?!\")", re.sub(r'(href|id)="[^"]*"|url\(#\w+\)', "", drawn)
    )


def test_many_folds_are_told_of_by_their_ends(tmp_path, differing):
    _, text = reported(tmp_path, differs=True, folds=12)
    assert ">lowest</th>" in text and "fold 0" in differing[1]
    assert "fold 11" not in text


def test_the_page_says_who_moves_and_that_two_factors_are_one_too_many(differing):
    _, text = differing
    assert "&lt;i&gt;P1" in text and "<i>P1" not in text and "&lt;b&gt;&amp;" in text
    assert "cannot tell which of them does what" in text
    assert "\N{NOT EQUAL TO} 1 person" in text


def test_the_same_facts_give_the_same_bytes_whatever_matplotlib_is_told(differing, tmp_path):
    import matplotlib

    with matplotlib.rc_context({"font.size": 20, "axes.grid": True, "svg.fonttype": "path"}):
        assert reported(tmp_path, differs=True) == differing


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (12345, "12,345"),
        (137751, "1.4\N{MULTIPLICATION SIGN}10\N{SUPERSCRIPT FIVE}"),
        (-0.0249, "\N{MINUS SIGN}0.025"),
        (63.2, "63"),
        (0.999, "1.0"),
        (1234.5, "1,200"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_other_words():
    assert [score(x, signed=True) for x in (0.03, -0.03, 1e-6, -1e-6)] == [
        "+0.0300",
        "\N{MINUS SIGN}0.0300",
        "0.0000",
        "0.0000",
    ]
    assert [brief(x, signed=True) for x in (0.0004, 0.0006, -0.0)] == ["0.000", "+0.001", "0.000"]
    assert [probability(x) for x in (1, 0.0123, 0.000488)] == ["1.000", "0.012", "< 0.001"]
    assert [percent(x) for x in (0, 1e-6, 0.0012, 0.0123, 0.5, 0.9996, 0.99999, 1)] == [
        "0 %",
        "< 0.01 %",
        "0.12 %",
        "1.2 %",
        "50.0 %",
        "99.96 %",
        "> 99.99 %",
        "100 %",
    ]
    told = {"gen10": "generation 10", "stage0": "stage 0", "by_person": "features by person"}
    told |= {"gen2/pseudo_labels": "pseudo-labels of generation 2", "held_out": "held out"}
    assert {step: title(step) for step in told} == told
