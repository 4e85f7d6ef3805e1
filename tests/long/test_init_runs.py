"""What `init` writes passes `check`, and runs; the unit tests of `init` have the other kinds."""

import pytest
import yaml

from tests.project import SMALL, Project
from tests.unit.emodag.test_init import KINDS
from tests.workflow.test_chain_runs import rows

QUICK = {name: SMALL[name] for name in ("folds", "generations", "protocols", "scaling", "model")}
QUICK |= {"training": {"epochs": 2}, "pseudo_labels": SMALL["pseudo_labels"]}


RUN = ("competition's layout", "an id", "rows without a label")


@pytest.mark.parametrize("name", RUN)
def test_what_is_written_runs(tmp_path, name):
    project, kind = Project.create(tmp_path / "project"), KINDS[name]
    kind.write(project.path)
    (project.path / "quick.yaml").write_text(yaml.safe_dump(QUICK))
    done = project.emodag("init", *kind.asked)
    assert done.returncode == 0, done.stderr
    done = project.emodag("check", "mine.yaml", "quick.yaml")
    assert done.returncode == 0, done.stderr
    files = ("mine.yaml", "quick.yaml")
    project.snakemake(configfiles=files)
    scores = rows(project.read("results/scores.csv"))
    assert [row["fold"] for row in scores if row["stage"] == "gen1"] == ["0", "1"]
    if "test" not in kind.data:
        return
    submission = rows(project.read("results/submission.csv"))
    test = kind.files[kind.data["test"]]
    classes = len(kind.data.get("classes", "four"))
    assert len(submission) == len(test)
    assert {row["Predicted"] for row in submission} <= {*map(str, range(classes))}
    if "row_id" in test:
        assert [row["ID"] for row in submission] == test["row_id"].tolist()
