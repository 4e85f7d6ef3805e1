"""The drawing of the chain on the index page."""

import re
from itertools import combinations

from emodag.pages.index.graph import drawn
from emodag.pages.index.page import Made, Step


def step(name, title, score=None):
    facts = {"step": name, "protocol": "", "env": "local", "variant": "", "seed": 1, "key": "0"}
    facts |= {"hit": False, "started": "", "seconds": 12.0, "peak_bytes": 1, "score": score}
    return Step(name, title, [Made(name=name, needs=(), seen=(), **facts)])


def boxes(svg):
    """Left, top, right and bottom of each box, by the step that it leads to."""
    found = {}
    for name, path in re.findall(r'data-to="([\w-]+)">.*?<path d="(.*?)"', svg, re.DOTALL):
        numbers = [float(text) for text in re.findall(r"-?\d+\.?\d*", path)]
        xs, ys = numbers[::2], numbers[1::2]
        found[name] = (min(xs), min(ys), max(xs), max(ys))
    return found


def test_no_box_covers_another_or_leaves_the_page():
    steps = [step("table", "Table"), step("gen1-nested", "Generation 1, nested", 0.5)]
    for protocol in ("published", "nested"):
        for name in ("pseudo_labels", "blend"):
            title = f"{name.capitalize().replace('_', '-')} of generation 1, {protocol}"
            steps.append(step(f"gen1-{name}-{protocol}", title))
    lasts = ("Submission", "Leaderboard", "Held out", "Contrast")
    steps += [step(title.split()[0].lower(), title) for title in lasts]
    needs = {"table": set(), "gen1-nested": {"table"}}
    needs |= {s.name: {"gen1-nested"} for s in steps[2:6]}
    needs |= {s.name: {"gen1-blend-nested"} for s in steps[6:]}
    svg = drawn(steps, needs).svg
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    found = boxes(svg)
    assert set(found) == {s.name for s in steps}
    for left, top, right, bottom in found.values():
        assert left >= 0 and top >= 0 and right <= width and bottom <= height
    for (name, a), (other, b) in combinations(found.items(), 2):
        is_apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert is_apart, f"{name} covers {other}"


def test_a_step_has_the_score_of_the_configuration_itself():
    own, other = step("gen1", "", 0.5).jobs + step("gen1", "", 0.9).jobs
    both = Step("gen1", "Generation 1", [own, other._replace(variant="linear")])
    assert both.score == 0.5
