"""`check` of rarer tables, and of what would end a run late."""

import pytest

from tests.project import Project


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"truth": "truth.csv"}}, "truth.csv, column 'label', data row 3"),
        ({"data": {"truth": "nowhere.csv"}}, "nowhere.csv: there is no such file"),
        (
            {"data": {"truth": None}, "training": {"batch": 60}},
            "a fold leaves 36 training rows, which make no batch of 60",
        ),
    ],
)
def test_what_would_end_a_run_late_is_told(tmp_path, changes, message):
    project = Project.create(tmp_path / "project", **changes)
    rows = ["label", *(["LVLA"] * 2), "LVLO", *(["LVLA"] * 21)]
    (project.path / "truth.csv").write_text("\n".join([*rows, ""]))
    done = project.emodag("check", "small.yaml")
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith(f"emodag: error: {message}")


def test_many_files_and_many_classes(tmp_path):
    classes = [f"sign{number:03}" for number in range(200)]
    project = Project.create(
        tmp_path / "project",
        data={"train": ["a.csv", "b.csv"], "label": "sign", "group": "who", "classes": classes}
        | {"truth": None},
    )
    for name in "ab":
        rows = [
            f"{number},{sign},{name}{at}" for at in (1, 2) for number, sign in enumerate(classes)
        ]
        (project.path / f"{name}.csv").write_text("\n".join(["f,sign,who", *rows, ""]))
    (project.path / "test.csv").write_text("f\n1\n2\n")
    done = project.emodag("check", "small.yaml")
    assert done.returncode == 0, done.stderr
    assert "a.csv, b.csv: 800 rows" in done.stdout
    assert "\nnote            a.csv: with 1 more file\n" in done.stdout
    assert "sign000 4, sign001 4" in done.stdout and "and 192 more" in done.stdout
