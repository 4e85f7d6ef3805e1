"""`audit` finds records of the store that were forged or lost."""

import pytest

from tests.workflow.test_audit import audit, forge, record


def test_a_record_that_tells_the_right_values_of_another_object(words):
    path, body = record(words, "count/moby")
    theirs = record(words, "count/alice")[1]["outputs"]["counts.json"]
    body["outputs"]["counts.json"] |= {"sha256": theirs["sha256"], "bytes": theirs["bytes"]}
    forge(path, body)
    (one,) = audit(words)["wrong"]
    assert one["wrong"] == {str(path): "it names objects that do not have the values it tells of"}


@pytest.mark.parametrize(
    ("edit", "wrong"),
    [
        (lambda text: text.replace('"bytes": 3', '"bytes": 4'), "does not match its own digest"),
        (lambda text: text[: len(text) // 2], "a damaged record"),
    ],
)
def test_a_record_with_changed_contents(words, edit, wrong):
    path, _ = record(words, "count/moby")
    text = path.read_text()
    path.unlink()
    path.write_text(edit(text))
    assert path.read_text() != text
    (one,) = audit(words)["wrong"]
    assert wrong in one["wrong"][str(path)] and one["outputs"] == {}
    assert path.exists()


def test_a_record_that_forgets_whose_labels_were_seen(words):
    path, body = record(words, "count/moby")
    forge(path, {**body, "labels_seen": ["Ishmael"]})
    (one,) = audit(words)["wrong"]
    assert one["wrong"] == {str(path): "it says that other labels were seen"}


def test_lost_and_damaged_objects(words):
    """An input is taken from the results where the store has lost it, and else is missed."""
    for path in (words.path / ".words/store/objects").rglob("*/*"):
        path.unlink()
    assert audit(words, "ranking")["wrong"] == []
    counts = words.path / "results/count/moby/counts.json"
    size = counts.stat().st_size
    counts.write_text(" " * size)
    found = {one["job"]: one["wrong"] for one in audit(words, "ranking")["wrong"]}
    assert list(found) == ["ranking"]
    assert (
        "moby/counts.json: neither the store nor"
        in found["ranking"]["results/ranking.manifest.json"]
    )
    assert counts.read_text() == " " * size
