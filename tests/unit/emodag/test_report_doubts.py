"""The report's words for doubts about a score, and for more classes or folds than it can name."""

from types import SimpleNamespace

import numpy as np
import pytest

from emodag.pages.report import answer, classes, training


def run(**facts):
    bare = {
        "submitted": None,
        "last": "gen1",
        "seeds": [1],
        "repeats": 1,
        "truth": None,
        "protocols": ["nested"],
    }
    return SimpleNamespace(**{"stages": lambda _: ["gen1"], **bare, **facts}, has_pool=True)


def test_doubts_stand_on_the_first_screen(monkeypatch):
    monkeypatch.setattr(answer, "verdict", lambda *_: ["the score", "whom it fails"])
    found = {"warnings": ["neighbouring rows are equal", "'S2' is in both tables"]}
    bare = {
        "leaderboard": {},
        "labels": [],
        "generations": [],
        "variants": [],
        "inputs": {},
        "json": {"table/quality.json": found}.get,
    }
    first, doubts, fails = answer.findings(run(**bare))
    assert (first, fails) == ("the score", "whom it fails")
    assert doubts.figure == "2 warnings" and doubts.is_warning
    assert doubts.text == "Neighbouring rows are equal. 'S2' is in both tables."
    found["warnings"] = []
    assert answer.findings(run(**bare)) == [first, fails]


@pytest.mark.parametrize("size", [10, 11, 250])
def test_as_many_classes_as_a_matrix_can_show(monkeypatch, size):
    monkeypatch.setattr(classes, "MOST_NAMED", 10)  # the usual number takes long to draw
    names = [f"sign{at}" for at in range(size)]
    counts = np.diag(np.full(size, 5))
    counts[3, 7], counts[9, 2] = 1, 4
    confusions = {"person_confusions": lambda *_: counts[None, None]}
    confusions |= {"counts": lambda *_: counts[None, None, None]}
    section = classes.section(run(classes=names, **confusions))
    if size <= 10:
        text, (figure,), table = section.blocks
        assert text.endswith("below it.") and figure.svg.startswith("<svg")
    else:
        _, text, table = section.blocks
        assert text == (
            "Nested, held out, most often taken for another: "
            "sign9 for sign2 (4 rows), sign3 for sign7 (1 row)."
        )
    assert len(table.rows) == size


@pytest.mark.parametrize("folds", [10, 11, 60])
def test_as_many_folds_as_curves_can_be_told_apart(folds):
    fit = {"epoch": np.arange(1, 4), "loss": np.ones(3), "macro_f1": np.linspace(0.1, 0.3, 3)}
    facts = {"folds": range(folds), "history": lambda *_: fit, "stages": lambda _: ["gen0", "gen1"]}
    facts["parts"] = lambda _: [f"fold{fold}" for fold in range(folds)]
    teacher, student = training.section(run(**facts)).blocks[1]
    for figure in (teacher, student):
        assert figure.svg.count("fold 4<") == (folds <= 10), "in the legend"
    assert student.caption.endswith("last loss 1.0, macro-F1 0.300; best epoch 3.")
