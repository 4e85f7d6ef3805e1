"""What every page shares: colours that can be told apart and read, values of figures, files."""

import re
from html import unescape
from itertools import combinations
from urllib.parse import unquote

import numpy as np
import pytest

from emodag.pages.drawing import SERIES, SHADE, Values, axes_of, settings
from emodag.pages.page_parts import HERE, NONE, Table

DEFICIENCIES = {
    "normal": np.eye(3),
    "protan": [
        *([0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216]),
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        *([0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413]),
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        *([1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602]),
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Linear RGB as people see it who lack a kind of cone (Machado et al. 2009)."""


def schemes() -> list[dict[str, np.ndarray]]:
    """The colours of the style sheet by name: light, then dark; as RGB from 0 to 1."""
    blocks = re.findall(r":root \{(.*?)\}", (HERE / "style.css").read_text(), re.DOTALL)
    assert len(blocks) == 2
    return [
        {
            name: np.frombuffer(bytes.fromhex(digits), np.uint8) / 255
            for name, digits in re.findall(r"--(\w+): #([0-9a-f]{6});", block)
        }
        for block in blocks
    ]


both = pytest.mark.parametrize("colours", schemes(), ids=["light", "dark"])


def linear(colour: np.ndarray) -> np.ndarray:
    """Linear RGB of an sRGB colour."""
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def contrast(a: np.ndarray, b: np.ndarray) -> float:
    """The contrast of WCAG 2."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05 for c in (a, b))
    return high / low


def lab(colour: np.ndarray) -> np.ndarray:
    """CIE Lab of linear RGB."""
    to_xyz = [[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]
    x, y, z = np.cbrt(to_xyz @ np.clip(colour, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@both
@pytest.mark.parametrize("kind", DEFICIENCIES)
def test_things_of_equal_rank_can_be_told_apart(colours, kind):
    series = [colours[f"series{at}"] for at in range(len(SERIES))]
    seen = [lab(DEFICIENCIES[kind] @ linear(colour)) for colour in series]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15
    assert all(contrast(colour, colours["paper"]) >= 3 for colour in series)


@both
def test_every_text_can_be_read(colours):
    shade = SHADE * colours["main"] + (1 - SHADE) * colours["paper"]
    grounds = {"paper": colours["paper"], "panel": colours["panel"]}
    for text in ("ink", "soft", "main", "accent"):
        for name, ground in grounds.items():
            assert contrast(colours[text], ground) >= 4.5, f"{text} on {name}"
    assert contrast(colours["faint"], colours["paper"]) >= 4.5
    assert contrast(colours["ink"], shade) >= 4.5


def test_a_figure_tells_the_values_of_its_marks_and_holds_them_as_a_file():
    values = Values("a <name>", "who", "score", "rows")
    with settings("test"):
        drawing, axes = axes_of(1)
        values.row(axes, 0, 'S"1" & <b>', 0.123456789, 1200)
        axes.bar(0, 1, **values.mark("S2", float("nan"), np.int64(3).item()))
        figure = values.figure(drawing, "A figure", "what it shows")
    told = re.findall(r'<g class="mark"><title>(.*?)</title>', figure.svg)
    assert [unescape(text) for text in told] == [
        'who S"1" & <b>; score 0.123; rows 1,200',
        "who S2; rows 3",
    ]
    assert 'download="a-name.csv"' in figure.values
    content = unquote(re.search('utf-8,([^"]*)', figure.values)[1])
    assert content == 'who,score,rows\n"S""1"" & <b>",0.123456789,1200\nS2,,3\n'


def test_a_table_is_a_file_too():
    table = Table("Every person", ["who", "gain"], [["S1", "\N{MINUS SIGN}0.1"], ["S2", NONE]])
    assert unquote(table.file).count("who,gain\nS1,-0.1\nS2,\n") == 1
