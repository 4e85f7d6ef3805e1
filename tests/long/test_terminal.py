"""What verbs print: names from the data steer no terminal; a closed stream is no traceback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.project import Project

EVIL = "\x1b]0;owned\x07\x1b[31m\u202e"
TEACHER = "local/nested/seed1/gen0/fold0"
CLASSES = [f"{letter}{EVIL}\r" for letter in "ABCD"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A chain up to a teacher, of tables in which every name steers a terminal."""
    project = Project.create(tmp_path_factory.mktemp("terminal") / "project")
    names = {f"f{n}": f"f{n}{EVIL}" for n in range(8)} | {"label": f"label{EVIL}"}
    for file in ("train", "test"):
        frame = pd.read_csv(project.path / f"{file}.csv", index_col=0).rename(columns=names)
        if "person" in frame:
            frame["person"] = [f"p{number}{EVIL}" for number in frame["person"]]
        frame.to_csv(project.path / f"{file}{EVIL}\n\r.csv", index_label="id")
    data = {name: f"{name}{EVIL}\n\r.csv" for name in ("train", "test")}
    data |= {"truth": None, "id": "id", "label": f"label{EVIL}", "group": "person"}
    project.configure(data={**data, "classes": CLASSES})
    project.snakemake(f"results/{TEACHER}/manifest.json")
    return project


def safe(text):
    return all(line.isprintable() for line in text.split("\n"))


def test_every_verb_spells_out_what_steers_a_terminal(project, tmp_path, monkeypatch):
    other = Project(tmp_path / "project")
    shutil.copytree(project.path, other.path, symlinks=True)
    monkeypatch.chdir(other.path)
    raw = Path(f"train{EVIL}\n\r.csv")
    raw.write_text(raw.read_text().replace("p0", "p9"))
    other.snakemake(f"results/{TEACHER}/manifest.json")
    raw.write_text("damaged")
    Path(f"test{EVIL}\n\r.csv").unlink()
    config = ("--configfile", "small.yaml", "--config", "folds=3")
    asked = {
        ("verify",): "DAMAGED train\\x1b]0;owned",
        ("verify", "--store", f"store{EVIL}"): r"store\x1b]0;owned",
        ("gc", "--store", f"store{EVIL}"): r"store\x1b]0;owned",
        ("diff", str(project.path / "results"), "results"): r"train\x1b]0;owned\x07",
        ("diff", "--all", str(project.path / "results"), "results"): "cells differ",
        ("lineage", TEACHER): r"\x1b]0;owned\x07\x1b[31m\u202e, p",
        ("lineage", f"no{EVIL}\n"): r"no\x1b]0;owned",
        ("cost",): "teacher",
        ("pack", f"pack{EVIL}\n.zip"): r"pack\x1b]0;owned",
        ("why", TEACHER, *config): r"test\x1b]0;owned",
        ("why", "submission", "--config", f"a{EVIL}=1"): r"a\x1b]0;owned",
        ("why", "submission", "--configfile", f"no{EVIL}\n"): r"no\x1b]0;owned",
        ("run", f"no{EVIL}\n"): r"no\x1b]0;owned",
        ("config",): "folds",
    }
    for arguments, expected in asked.items():
        done = other.emodag(*arguments)
        said = done.stdout + done.stderr
        assert expected in said, (arguments, said)
        assert safe(said), (arguments, ascii(said))
        assert "Traceback" not in said
    told = other.snakemake("--detailed-summary", f"results/{TEACHER}/manifest.json", check=False)
    assert safe(told.stdout.replace("\t", " ")), ascii(told.stdout)
    logs = list(Path("results").rglob("*.log"))
    assert logs and all(safe(log.read_text()) for log in logs)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-", ">/dev/full", "2>/dev/full"])
def test_a_stream_that_is_closed_or_full(project, closed):
    """The exit status tells whether the answer was lost; what is said beside it may be."""
    answer_is_lost = closed.startswith(">")
    for verb, normal, failure in (
        ("verify", 0, 1),
        ("gc", 0, 1),
        ("diff results results", 0, 2),
        ("lineage " + TEACHER, 0, 1),
        ("cost", 0, 1),
        ("pack said.zip", 0, 1),
        ("pack --help", 0, 1),
        ("config", 0, 1),
        ("why nothing", 1, 1),
    ):
        log = project.path / "said"
        command = f'"{sys.executable}" -m emodag {verb} {closed}'
        with log.open("w") as said:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=project.path,
                env={**os.environ, "PYTHONPATH": str(project.path / "workflow")},
                stdout=said,
                stderr=said,
            )
        words = log.read_text()
        assert done.returncode == (failure if answer_is_lost else normal), (verb, words)
        assert "Traceback" not in words and "Exception ignored" not in words, words
        if answer_is_lost and "2>" not in closed:
            assert "emodag: error: " in words, (verb, words)
