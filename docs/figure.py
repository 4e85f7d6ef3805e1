"""docs/scores.svg: the figure that a report opens with, as a file of its own.

    python docs/figure.py results/report.html docs/scores.svg

Its colours are the report's, light or dark as the reader's system is, on a ground of their own.
"""

import re
import sys
from pathlib import Path

from emodag.pages.page_parts import HERE

COLOURS = (HERE / "style.css").read_text().partition("*")[0]
MARGIN = 12


def alone(page: str) -> str:
    """The first figure of a report, with what it takes from the page."""
    label, size, drawing = re.search(
        r'<svg role="img" (aria-label="[^"]*") viewBox="0 0 ([\d. ]+)">(.*?</svg>)', page, re.DOTALL
    ).groups()
    width, height = (float(side) + 2 * MARGIN for side in size.split())
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img"
 {label} viewBox="{-MARGIN} {-MARGIN} {width} {height}">
<style>{COLOURS}</style>
<rect x="{-MARGIN}" y="{-MARGIN}" width="100%" height="100%" rx="8" style="fill: var(--paper)"/>
{drawing}
"""


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(alone(source.read_text()))
