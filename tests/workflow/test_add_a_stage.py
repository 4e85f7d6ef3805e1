"""docs/add-a-stage.md, carried out on a copy of the project."""

import re

from tests.project import ROOT, jobs

PAGE = (ROOT / "docs/add-a-stage.md").read_text()
NEW = re.compile(r"```python\n# (\S+)\n(.*?)```", re.DOTALL)
EDIT = re.compile(r"(?:In `([^`]+)`|and), before `([^`]+)`:\n\n```\n(.*?)```", re.DOTALL)


def test_the_page_adds_a_stage_in_four_files(nested):
    changed = []
    for name, text in NEW.findall(PAGE):
        (nested.path / name).write_text(text)
        changed.append(name)
    for name, before, text in EDIT.findall(PAGE):
        changed.append(name or changed[-1])
        path = nested.path / changed[-1]
        assert path.read_text().count(before) == 1, before
        path.write_text(path.read_text().replace(before, text + before))
    assert len(set(changed)) == 4
    (nested.path / "workflow/report/counts.rst").write_text("Rows of each class by person.\n")

    done = nested.snakemake("results/counts.csv")
    assert jobs(done, "RUN") == ["counts"]  # and nothing else, as no other stage's code changed
    lines = nested.read("results/counts.csv").splitlines()
    assert lines[0].startswith("person,") and len(lines) == 1 + 6
    assert jobs(nested.snakemake("results/counts.csv"), "RUN") == []
    assert (
        "counts: up to date" in nested.emodag("why", "counts", "--configfile", "small.yaml").stdout
    )
    assert nested.emodag("verify").returncode == 0
