"""`export` writes models that predict without emodag what they predict within it."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from emodag.verbs import exported
from tests.workflow.test_predict import predict


def test_the_loader_predicts_as_the_run_does(nested):
    the_loader_predicts_as_the_run_does(nested)


def the_loader_predicts_as_the_run_does(project):
    later = pd.read_csv(project.path / "test.csv", index_col=0)
    later.iloc[3, 2], later.iloc[4, 1] = np.nan, np.inf
    later.to_csv(project.path / "later.csv", sep=";", decimal=",")
    predict(project, "later.csv", "--out", "mine.csv")
    done = project.emodag("export", "model")
    assert done.returncode == 0, done.stderr
    away = project.path.with_name("away")
    (project.path / "model").rename(away)
    table = str(project.path / "later.csv")
    told = subprocess.run(
        [sys.executable, "-I", away / "load.py", table], text=True, capture_output=True, check=True
    )
    lines = [line.split(",") for line in told.stdout.splitlines()]
    model = json.loads((away / "model.json").read_text())
    assert lines[0] == ["row", "predicted", *model["classes"]]
    mine = pd.read_csv(project.path / "mine.csv")
    assert [line[1] for line in lines[1:]] == [model["classes"][at] for at in mine["Predicted"]]
    found = np.array([line[2:] for line in lines[1:]], np.float64)
    expected = mine.filter(like="probability of ").to_numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    frame = pd.read_csv(table, sep=";", decimal=",")
    (away / "model.json").write_text(json.dumps(model | {"missing": ["", "-999"]}))
    coded = frame.fillna(dict.fromkeys(model["features"], -999.0))
    pd.testing.assert_frame_equal(exported.predict(coded, away), exported.predict(frame, away))
    assert coded.isin([-999.0]).any(axis=None)
    card = (away / "README.md").read_text()
    assert "6 training persons, 72 labelled rows, 8 features" in card
    assert re.search(r"- macro-F1 0\.\d+ on the hidden people", card)
    assert "macro-F1 0." in card and "torch | 2." in card


def test_what_the_loader_cannot_predict_is_refused_in_a_line(nested):
    run = nested
    assert run.emodag("export", "model").returncode == 0
    loader, table = run.path / "model/load.py", run.path / "test.csv"

    def said(command):
        return subprocess.run(command, shell=True, cwd=run.path, text=True, capture_output=True)

    load = f"{sys.executable} -I {loader}"
    assert said(f"{load} absent.csv").stderr.count("\n") == 1
    assert said(load).stderr == "usage: python load.py TABLE.csv\n"
    pd.read_csv(table).to_parquet(run.path / "test.parquet")
    told = "load.py: test.parquet: is not UTF-8; give a table of text, such as CSV\n"
    assert said(f"{load} test.parquet").stderr == told
    model = json.loads((run.path / "model/model.json").read_text())
    wide = pd.read_csv(table).sample(5000, replace=True)  # more than a pipe takes at once
    wide.to_csv(run.path / "wide.csv", index=False)
    for file in (table, "wide.csv"):
        seen = said(f"{load} {file} | head -n 1")
        assert (seen.stdout, seen.stderr) == (
            ",".join(["row", "predicted", *model["classes"]]) + "\n",
            "",
        )
    changed = {"classes": ["predicted", *model["classes"][1:]]}
    (run.path / "model/model.json").write_text(json.dumps(model | changed))
    found = exported.predict(pd.read_csv(table), run.path / "model")
    assert found.columns.tolist() == ["predicted", *changed["classes"]]
    (run.path / "model/model.json").write_text(json.dumps(model | {"person": "z", "group": "file"}))
    with pytest.raises(ValueError, match="no column 'file', which must say whose each row is"):
        exported.predict(pd.read_csv(table), run.path / "model")


def test_without_scores_the_card_and_the_command_say_so(nested):
    (nested.path / "results/scores.manifest.json").unlink(missing_ok=True)
    (nested.path / "results/leaderboard.manifest.json").rename(nested.path / "kept")
    done = nested.emodag("export", "bare")
    again = "results/scores.csv --configfile results/configuration.yaml` makes"
    assert "NOTE README.md has no score on held-out" in done.stdout and again in done.stdout
    assert "- not scored on held-out persons\n" in (nested.path / "bare/README.md").read_text()
    (nested.path / "kept").rename(nested.path / "results/leaderboard.manifest.json")
    assert nested.emodag("export", "model").returncode == 0
    card = (nested.path / "model/README.md").read_text()
    assert "not scored on held-out" in card and "on the hidden people" in card


def test_nothing_is_written_over_and_nothing_stale_is_exported(nested):
    run = nested
    (run.path / "model").mkdir()
    (run.path / "model/mine.txt").touch()
    assert "model: is not empty" in run.emodag("export", "model").stderr
    weights = next((run.path / "results/local").glob("nested/seed1/gen1/fold1/weights.*"))
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1])
    said = run.emodag("export", "new").stderr
    assert "gen1/fold1" in said and "Traceback" not in said
    assert not (run.path / "new").exists()
