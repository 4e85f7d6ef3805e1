"""A replay gives what a plain script gives, byte for byte: its submission, scores, everything."""

import csv
import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from tests.project import ROOT, Project, jobs

PLAIN = ROOT / "tests/workflow/plain_script.py"
SHARED = ROOT.parent / "shared/tools/monolith.py"
PEOPLE, ROWS, WIDTH = 23, 40, 12
LABELLED = 19 * ROWS  # of equally many rows each, so that scikit-learn's folds are its own affair
EPOCHS = ["--epochs", "6", "--stage0-epochs", "2"]
CONFIGFILES = ("workflow/config/replay.yaml", "small.yaml")


def tables(directory):
    """Decimals of 17 digits, and effects strong enough that some test rows earn a label."""
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(PEOPLE), ROWS)
    label = np.tile(np.repeat(np.arange(4), ROWS // 4), PEOPLE)
    x = rng.normal(size=(PEOPLE * ROWS, WIDTH)) + rng.normal(size=(PEOPLE, WIDTH))[person]
    x = 100.0 + 10.0 * x + 12.0 * rng.normal(size=(4, WIDTH))[label]
    frame = pd.DataFrame(x).add_prefix("f").assign(label=label, person=person)
    frame[:LABELLED].to_csv(directory / "train.csv")
    test = frame[LABELLED:].reset_index(drop=True).drop(columns=["label", "person"])
    test.to_csv(directory / "test.csv")


def script(path, directory, *arguments):
    """Run a script on the tables; returns what it printed and the submission's bytes."""
    command = [sys.executable, "-W", "ignore", path, "train.csv", "test.csv", "answer.csv"]
    done = subprocess.run(
        [*command, *arguments, *EPOCHS], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout, (directory / "answer.csv").read_bytes()


def facts(directory):
    return json.loads((directory / "facts.json").read_text())


@pytest.fixture(scope="module")
def replay(tmp_path_factory) -> Project:
    """The chain on such tables, with two folds and two generations; not to be changed."""
    project = Project.create(tmp_path_factory.mktemp("replay") / "project")
    tables(project.path)
    values = {
        "data": {"source": "files", "train": "train.csv", "test": "test.csv"},
        "folds": 2,
        "training": {"epochs": 6, "stage0_epochs": 2},
    }
    (project.path / "small.yaml").write_text(yaml.safe_dump(values))
    project.snakemake(configfiles=CONFIGFILES)
    return project


def test_a_replay_equals_the_plain_script(replay):
    _, submission = script(PLAIN, replay.path, "facts.json", "--folds", "2")
    assert (replay.path / "results/submission.csv").read_bytes() == submission
    expected = facts(replay.path)
    rows = list(csv.DictReader(replay.read("results/scores.csv").splitlines()))
    scores = {f"{row['stage']} {row['fold']}": float(row["macro_f1"]) for row in rows}
    assert scores == expected["scores"]
    chosen = {row["stage"]: int(row["n_pseudo"]) for row in rows if row["stage"] != "stage0"}
    assert chosen == expected["pseudo_labels"]
    assert all(0 < count < 160 for count in chosen.values())
    home = "results/local/published/seed1/gen2"
    found = pq.read_table(replay.path / home / "blend/test.parquet").to_pandas().to_numpy()
    assert found.tolist() == expected["probabilities"]
    last = replay.json(f"{home}/fold1/randomness.json")
    assert last == expected["randomness"]


@pytest.mark.skipif(not SHARED.is_file(), reason=f"no script at {SHARED}")
def test_the_plain_script_equals_the_one_it_stands_for(tmp_path):
    tables(tmp_path)
    printed, submission = script(SHARED, tmp_path, "--threads", "1")
    _, own = script(PLAIN, tmp_path, "facts.json")
    assert own == submission
    lines = printed.splitlines()
    for fit, score in facts(tmp_path)["scores"].items():
        stage, fold = fit.split()
        assert f"{stage} fold {fold} macro-F1 {score:.4f}" in lines
    for stage, count in facts(tmp_path)["pseudo_labels"].items():
        assert any(line.startswith(f"{stage} pseudo-labels {count} ") for line in lines)


def test_a_replays_fits_come_back_from_the_store(replay, tmp_path):
    shutil.copytree(replay.path, tmp_path / "project", symlinks=True)
    copy = Project(tmp_path / "project")
    home = copy.path / "results/local/published/seed1"
    shutil.rmtree(home / "gen2")
    (home / "gen1/fold1/randomness.json").unlink()
    done = copy.snakemake(configfiles=CONFIGFILES)
    assert not jobs(done, "RUN")
    assert {f"local/published/seed1/gen2/fold{fold}" for fold in (0, 1)} <= set(jobs(done, "HIT"))
    assert copy.digests() == replay.digests()
