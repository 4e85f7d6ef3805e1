"""`results/report.html` and `index.html`, built by Snakemake; a browser opens them elsewhere."""

import json
import re
import shutil

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, precision_recall_fscore_support

from emodag.pages.page_parts import NONE
from tests.project import Project, jobs

REPORT, INDEX = "results/report.html", "results/index.html"


def test_it_is_one_file_and_says_what_the_scores_say(reported):
    text = reported.read(REPORT)
    assert not re.search(r'(src|href)="(?!#|data:text/csv;)|url\((?!#)|@import', text)
    fits = [
        reported.json(f"results/local/published/seed{seed}/gen2/fold{fold}/fit.json")
        for seed in (1, 2)
        for fold in (0, 1)
    ]
    mean = sum(fit["macro_f1"] for fit in fits) / 4
    table = text[text.index("Every stage, published") : text.index("Every stage, nested")]
    assert f"<td>{mean:.3f}</td>" in table[table.index("Generation 2") :]


def cells(text: str, title: str) -> dict[str, list[str]]:
    """The cells of a table of the page by the heading of their row."""
    table = text[text.index(f"<h3>{title}</h3>") :]
    rows = re.findall(
        r'<tr><th scope="row">(.*?)</tr>', table[: table.index("</table>")], re.DOTALL
    )
    heads = (row.partition("</th>")[0] for row in rows)
    return dict(zip(heads, (re.findall("<td>(.*?)</td>", row) for row in rows), strict=True))


def held_out(project: Project, home: str) -> tuple[np.ndarray, np.ndarray]:
    """Confidence and predicted class of every training row, by the model that did not see it."""
    parts = [
        pd.read_parquet(project.path / home / f"fold{fold}/validation.parquet") for fold in (0, 1)
    ]
    found = pd.concat(parts).set_index("row").sort_index()
    return found.max(axis=1).to_numpy(), found.to_numpy().argmax(axis=1)


def test_people_and_classes_are_scored_as_scikit_learn_does(reported):
    text = reported.read(REPORT)
    rows = pd.read_parquet(reported.path / "results/local/table/train_rows.parquet")
    label, person = rows["label"].to_numpy(), rows["person"].to_numpy()
    homes = [f"results/local/nested/seed{seed}/gen2" for seed in (1, 2)]
    predicted = [held_out(reported, home)[1] for home in homes]
    everyone = cells(text, "Every person")
    assert set(everyone) == {str(one) for one in person}
    drawn = re.search(r"<svg[^>]*Rows by person.*?</svg>", text, re.DOTALL)[0]
    assert all(f">{one}</text>" in drawn for one in person)
    for one in np.unique(person):
        mine = person == one
        f1 = np.mean([f1_score(label[mine], each[mine], average="macro") for each in predicted])
        accuracy = np.mean([label[mine] == each[mine] for each in predicted])
        assert everyone[str(one)][-2:] == [f"{f1:.3f}", f"{100 * accuracy:.1f} %"]
    both = np.tile(label, 2), np.concatenate(predicted)
    scores = precision_recall_fscore_support(*both, zero_division=np.nan)
    by_class = cells(text, "Precision, recall and F1 by class")
    for name, *expected in zip(("LVLA", "HVLA", "LVHA", "HVHA"), *scores[:3], strict=True):
        shown = by_class[f"{name} (nested, held out)"]
        assert shown[:3] == [NONE if np.isnan(x) else f"{x:.3f}" for x in expected]


def test_confidence_is_judged_by_the_truth(reported):
    text = reported.read(REPORT)
    label = pd.read_parquet(reported.path / "results/local/table/train_rows.parquet")["label"]
    found = [held_out(reported, f"results/local/nested/seed{seed}/gen2") for seed in (1, 2)]
    confidence = np.concatenate([each[0] for each in found])
    right = np.concatenate([each[1] == label for each in found])
    error = sum(
        abs((confidence - right)[chosen].sum())
        for low in np.arange(10) / 10
        if (chosen := (confidence > low) & (confidence <= low + 0.1)).any()
    )
    assert f"Nested, held-out rows: mean confidence {confidence.mean():.3f}" in text
    assert re.search(
        rf"accuracy {right.mean():.3f} \(\S+ to \S+\), ECE {error / len(right):.3f}\.", text
    )
    truth = pd.read_csv(reported.path / "truth.csv")["label"].to_numpy()
    files = reported.path.glob("results/local/nested/seed*/gen2/pseudo_labels/*/*.parquet")
    chosen = pd.concat([pd.read_parquet(file) for file in files])
    accuracy = (truth[chosen["row"]] == chosen["label"]).mean()
    rows = text[text.index("<h3>Pseudo-labels of the test rows</h3>") :]
    told = re.findall(r"Generation 2</th><td>nested</td><td>(\S+?)</td>(?:<td>(.*?)</td>){2}", rows)
    assert told == [(f"{len(chosen) / 4:,.0f}", f"{100 * accuracy:.1f} %")]


def test_the_cost_is_told_elsewhere(reported):
    stages = json.loads(reported.emodag("cost", "--json").stdout)
    assert stages["student"]["jobs"] == 16 and stages["report"]["jobs"] == 1
    total = reported.emodag("cost").stdout.splitlines()[-1].split()
    assert total[:2] == ["all", str(sum(facts["jobs"] for facts in stages.values()))]
    assert stages["student"]["seconds"] >= stages["student"]["longest"] > 0
    elsewhere = Project(reported.path / "envs")
    told = elsewhere.emodag("cost", PYTHONPATH=str(reported.path / "workflow"))
    assert told.returncode == 1 and "results: no such directory of results" in told.stderr


def test_the_index_tells_of_every_run_file_and_job(reported):
    text = reported.read(INDEX)
    fits = [
        reported.json(f"results/local/nested/seed{seed}/gen2/fold{fold}/fit.json")
        for seed in (1, 2)
        for fold in (0, 1)
    ]
    mean = sum(fit["macro_f1_last_epoch"] for fit in fits) / 4
    runs = text[text.index("<h3>Every run</h3>") :]
    told = re.search(r"Generation 2</th>((?:<td>.*?</td>)+)", runs)[1]
    cells = re.findall("<td>(.*?)</td>", told)
    assert cells[:1] + cells[2:] == [f"{mean:.3f}", "nested", "local", "base", "4", "1, 2"]
    for file in ("report.html", "scores.csv", "configuration.yaml"):
        assert f'<a href="{file}">{file}</a>' in text and reported.path.joinpath("results", file)
    student = text[text.index('id="gen2-nested"') :]
    job = re.search(r">local/nested/seed1/gen2/fold0</th>(.*?)</tr>", student, re.DOTALL)[1]
    made = reported.json("results/local/nested/seed1/gen2/fold0/manifest.json")
    assert made["key"][:12] in job and '<a href="#gen2-pseudo_labels-nested">' in job
    seen = ", ".join(made["labels_seen"])
    assert f"<td>{seen}</td>" in job
    assert set(re.findall('href="#([^"]+)"', text)) <= set(re.findall('id="([^"]+)"', text))


def test_the_index_is_of_the_results_as_they_are(reported, tmp_path):
    project = Project(tmp_path / "project")
    shutil.copytree(reported.path, project.path, symlinks=True)
    assert "Nothing to be done" in project.snakemake("all").stderr
    (project.path / "results/scores.csv").unlink()
    assert jobs(project.snakemake("results/scores.csv"), "HIT") == ["scores"]
    assert not (project.path / INDEX).exists(), "it said when the scores were made"
    project.snakemake("all")
    text = project.read(INDEX)
    row = re.search(r">scores</th>(.*?)</tr>", text, re.DOTALL)[1]
    assert "<td>from the store</td>" in row


def test_the_index_counts_what_would_run_again_and_does_not_list_it(reported, tmp_path):
    project = Project(tmp_path / "project")
    shutil.copytree(reported.path, project.path, symlinks=True)
    module = project.path / "workflow/emodag/stages/leaderboard.py"
    code = module.read_text()
    module.write_text(code.replace("share = accuracy(", "share = 1.0 * accuracy("))
    later = project.path / "results/predictions/later/predictions.csv"
    later.parent.mkdir(parents=True)
    later.touch()
    assert project.emodag("index").returncode == 0
    text = project.read(INDEX)
    assert 'href="predictions/later/predictions.csv"' in text
    assert "Not listed: 2 jobs that would run again." in text
    assert 'id="scores"' in text and 'id="leaderboard"' not in text
