"""Repeated folds, as a user runs them, and what the report says of these and of other folds."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from tests.project import Project, jobs
from tests.workflow.test_folds_runs import facts, held, rows, seen
from tests.workflow.test_report import REPORT, cells

BOTH = {"protocols": ["published", "nested"]}
LINEAR = "variants/linear/local/nested/seed1/gen1"


@pytest.fixture(scope="module")
def repeated(tmp_path_factory) -> Project:
    """Two folds, twice, with a variant and the report; not to be changed."""
    path = tmp_path_factory.mktemp("repeated") / "project"
    more = {"variants": {"linear": {"learner": "logistic_regression"}}}
    project = Project.create(path, **BOTH, **more, folds_repeats=2)
    project.snakemake("all", REPORT)
    return project


def test_every_repeat_holds_everybody_out_once(repeated):
    table = facts(repeated)
    for home in ("local/published/seed1/stage0", "local/nested/seed1/gen1", LINEAR):
        parts = [held(repeated, f"{home}/fold{fold}")["row"] for fold in range(4)]
        for repeat in range(2):
            both = pd.concat(parts[2 * repeat : 2 * repeat + 2])
            assert sorted(both) == list(range(72))
    company = set()
    for fold in range(4):
        rows_ = held(repeated, f"local/nested/seed1/gen1/fold{fold}")["row"]
        held_out = set(table["person"][rows_].astype(str))
        company.add(frozenset(held_out))
        assert seen(repeated, f"local/nested/seed1/gen1/fold{fold}") == set("012345") - held_out
    assert len(company) == 4, "in each repeat others are held out together"


def test_scores_have_a_row_for_every_fold_of_every_repeat(repeated):
    scores = rows(repeated, "scores")
    for protocol, stage in (("published", "stage0"), ("published", "gen1"), ("nested", "gen1")):
        found = [s for s in scores if (s["protocol"], s["stage"]) == (protocol, stage)]
        assert [int(row["fold"]) for row in found] == list(range(4))
    (_, linear) = rows(repeated, "variants")
    fits = [repeated.json(f"results/{LINEAR}/fold{fold}/fit.json") for fold in range(4)]
    assert float(linear["macro_f1"]) == pytest.approx(np.mean([f["macro_f1"] for f in fits]))


def test_the_blend_averages_all_fits(repeated):
    home = repeated.path / "results/local/nested/seed1/gen1"
    fits = [pd.read_parquet(home / f"fold{fold}/test.parquet").to_numpy() for fold in range(4)]
    blend = pd.read_parquet(home / "blend/test.parquet").to_numpy()
    np.testing.assert_allclose(blend, np.mean(fits, axis=0), rtol=1e-5)


def test_the_first_repeat_is_what_there_is_without_others(repeated, finished_nested):
    both, alone = repeated.digests(), finished_nested.digests()
    fits = [name for name in alone if re.search(r"nested/seed1/.*fold\d/", name)]
    assert len(fits) == 2 * (5 + 1 + 5) and all(both[name] == alone[name] for name in fits)


def test_people_count_once_in_the_report_however_often_they_are_held_out(repeated):
    text, table = repeated.read(REPORT), facts(repeated)
    everyone = cells(text, "Every person")
    for one in range(6):
        found = []
        for repeat in range(2):
            parts = [
                held(repeated, f"local/nested/seed1/gen1/fold{2 * repeat + k}") for k in (0, 1)
            ]
            taken = pd.concat(parts).set_index("row").sort_index().to_numpy().argmax(axis=1)
            mine = table["person"].to_numpy() == one
            found.append(f1_score(table["label"][mine], taken[mine], average="macro"))
        assert everyone[str(one)][-2] == f"{np.mean(found):.3f}"
        folds = everyone[str(one)][1].split(", ")
        assert [int(fold) // 2 for fold in folds] == [0, 1]
    by_class = cells(text, "Precision, recall and F1 by class")
    assert by_class["LVLA (nested, held out)"][-1] == "18", "a mean over the repeats"
    assert "2 folds, 2 times" in text and ">fold 3</th>" in text
    assert "Each 2 folds in a row hold everybody out once." in text
    settings = dict(re.findall(r'<th scope="row">(folds\w*)</th>\s*<td>(\w+)</td>', text))
    assert settings == {"folds": "2", "folds_repeats": "2"}


def test_a_second_run_has_nothing_to_do(repeated):
    done = repeated.snakemake("all", REPORT)
    assert jobs(done, "RUN") == jobs(done, "HIT") == []


def test_the_report_says_that_each_person_is_held_out(project):
    project.configure(folds="persons", generations=0)
    project.snakemake(REPORT)
    text = project.read(REPORT)
    assert [row[1] for row in cells(text, "Every person").values()] == list("012345")
    assert re.search(r'<th scope="row">folds</th>\s*<td>persons</td>', text)
    assert "fold_assignment" not in text
