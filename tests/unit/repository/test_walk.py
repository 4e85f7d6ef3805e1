"""The random walk edits what is there: a walk comes to each of its edits only now and then."""

from pathlib import Path

from tests.workflow.scenarios.walk.edits import CODE, MODULES

WORKFLOW = Path(__file__).resolve().parents[3] / "workflow"


def test_every_edit_finds_its_text_once_and_leaves_the_size():
    for name, old, new in CODE.values():
        assert (WORKFLOW / name).read_text().count(old) == 1, (name, old)
        assert len(old) == len(new)


def test_every_module_that_gets_a_comment_is_there():
    assert [name for name in MODULES if not (WORKFLOW / name).is_file()] == []
