"""The README's figure stands alone, and in both of its colour schemes."""

import importlib.util
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def figure():
    """The script that takes the figure out of a report."""
    spec = importlib.util.spec_from_file_location("figure", DOCS / "figure.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(text: str) -> ElementTree.Element:
    """The root of an SVG file that defines every colour it uses, and needs no other file."""
    root = ElementTree.fromstring(text)
    style = root.find(f"{SVG}style").text
    light, dark = style.split("(prefers-color-scheme: dark)")
    for name in ("--ink", "--paper", "--main", "--accent", "--faint"):
        assert f"{name}:" in light and f"{name}:" in dark
    assert all("#" in e.get(k) for e in root.iter() for k in e.attrib if k.endswith("href"))
    assert "url(" not in style and root.get("aria-label")
    return root


def test_the_committed_figure(figure):
    text = (DOCS / "scores.svg").read_text()
    assert len(text) < 40_000
    assert f"<style>{figure.COLOURS}</style>" in text, "the report has other colours now"
    texts = {"".join(e.itertext()).strip() for e in check(text).iter(f"{SVG}text")}
    assert {"macro-F1", "published, stage 0", "nested, generation 2"} <= texts


def test_it_is_the_first_figure_of_a_report(figure):
    drawing = '<svg role="img" aria-label="a" viewBox="0 0 100 50.5"><g id="{}"/></svg>'
    page = f"<html><svg></svg>{drawing.format('first')}{drawing.format('second')}</html>"
    root = check(figure.alone(page))
    assert [g.get("id") for g in root.iter(f"{SVG}g")] == ["first"]
    assert root.get("viewBox") == "-12 -12 124.0 74.5"
