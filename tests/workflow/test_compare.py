"""`compare` says where another run parts from this one, and what its score is worth."""

import re
import shutil

import pytest

from tests.project import Project


@pytest.fixture(scope="module")
def elsewhere(finished_nested, tmp_path_factory) -> Project:
    """The same people on a machine that trains for longer, with two run seeds."""
    away = Project(tmp_path_factory.mktemp("compare") / "away")
    shutil.copytree(finished_nested.path, away.path, symlinks=True)
    away.configure(seeds=[1, 2], training={"epochs": 6})
    away.snakemake("results/scores.csv")
    assert away.emodag("pack", "away.zip").returncode == 0
    return away


def test_a_run_elsewhere_in_words(elsewhere, nested):
    shutil.copy(elsewhere.path / "away.zip", nested.path)
    done = nested.emodag("compare", "away.zip")
    assert done.returncode == 0, done.stderr
    first, same, *_ = done.stdout.splitlines()
    assert "params.training.epochs (3, 6)" in first
    assert "of one run alone: the configurations differ." in same
    assert re.search(
        r"First to differ: the stage `teacher` \(nested/seed1/gen0/fold0\)", done.stdout
    )
    score = re.search(r"run seed 1: (\S+) here, (\S+) there, (\S+)\.\n", done.stdout)
    a, b, difference = (float(text.replace("\N{MINUS SIGN}", "-")) for text in score.groups())
    assert difference == pytest.approx(b - a, abs=0.0011)
    assert re.search(
        r"That is (no )?more than another run seed does: .* by 2 run seeds", done.stdout
    )
    # Beside itself, as a directory.
    done = nested.emodag("compare", "results")
    assert done.stdout.startswith("No stage differs: the values of ")
    assert re.search(r"run seed 1: \S+ here and there\.\n", done.stdout)


def test_what_cannot_be_compared(elsewhere, nested):
    (nested.path / "bad.zip").write_bytes(b"no zip file")
    (nested.path / "results/submission.manifest.json").unlink()
    assert nested.emodag("pack", "part.zip", "results/local").returncode == 0
    for name, message in (
        ("bad.zip", "bad.zip: not a pack as it was made"),
        ("part.zip", "part.zip: holds no scores, so its run is not finished"),
        ("no.zip", "no.zip: no such pack"),
        ("results/local", "results/local: a part of results; did you mean results?"),
    ):
        done = nested.emodag("compare", name)
        assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr
    (nested.path / "results/scores.csv").unlink()
    done = nested.emodag("compare", str(elsewhere.path / "away.zip"))
    assert "results: holds no scores, so its run is not finished; run `snakemake`" in done.stderr


def test_what_kaggle_would_refuse(nested):
    lost = (nested.path / "small.yaml").read_text().replace("train.csv", "lost.csv")
    (nested.path / "lost.yaml").write_text(lost)
    mine = ["--as", "me/my-run"]
    for options, message in (
        (["--as", "Me/my-run"], "'Me' of USER/NAME is no name at Kaggle"),
        (["--as", "me/My Run"], "did you mean 'my-run'?"),
        (["--as", "me"], "--as: expected USER/NAME, such as me/my-run, found 'me'"),
        (["--as", "me/short"], "takes names of 6 to 50 characters for a dataset, and 'short' has"),
        ([*mine, "--image", "kaggle/python"], "has no digest"),
        ([*mine, "--python", "311"], "expected a version such as 3.12, from 3.11 on"),
        ([*mine, "--python", "3.9"], "expected a version such as 3.12, from 3.11 on"),
        ([*mine, "--competition", "Faces!"], "did you mean 'faces'?"),
        ([*mine, "--configfile", "lost.yaml"], "lost.csv: No such file or directory"),
        ([*mine, "--competition", "faces"], "names no tables"),
    ):
        done = nested.emodag("kaggle", "out", *options)
        assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr
        assert not (nested.path / "out").exists()
    (nested.path / "out").mkdir()
    (nested.path / "out/mine.txt").touch()
    assert "out: is not empty" in nested.emodag("kaggle", "out", *mine).stderr
