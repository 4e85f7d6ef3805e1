"""`emodag kaggle`: its notebook runs without a network on what it wrote; `compare` at home."""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import Project

HERE = f"3.{sys.version_info.minor}"
OFFLINE = ("unshare", "-rn")
IMAGE = f"gcr.io/kaggle-images/python@sha256:{'0' * 64}"


def notebook(directory: Path, kaggle: Path, without: str = ""):
    """The cells, one after another, with no network, and no package but the image's numbers."""
    cells = json.loads((directory / "notebook/emodag.ipynb").read_text())["cells"]
    code = "\n\n".join(cell["source"] for cell in cells).replace("/kaggle", str(kaggle))
    (kaggle / "working").mkdir(exist_ok=True)
    return subprocess.run(
        [*OFFLINE, "env", "-i", "PATH=/usr/bin:/bin", sys.executable, "-c", code],
        cwd=kaggle / "working",
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Project:
    """A project with tables in a folder elsewhere, of which only names are in the dataset."""
    project = Project.create(tmp_path_factory.mktemp("kaggle") / "project")
    tables = project.path.with_name("tables")
    tables.mkdir()
    for name in ("train.csv", "test.csv", "truth.csv"):
        (project.path / name).rename(tables / name)
    data = {name: f"../tables/{name}.csv" for name in ("train", "test", "truth")}
    project.configure(data=data)
    options = ["--as", "me/my-run", "--configfile", "small.yaml", "--python", HERE]
    for name, more in (("mine", []), ("theirs", ["--competition", "faces", "--image", IMAGE])):
        done = project.emodag("kaggle", name, *options, *more)
        if "cannot be installed" in done.stderr:
            pytest.skip("the packages of envs/kaggle.lock cannot be had here")
        assert done.returncode == 0, done.stderr
        assert f"emodag compare {name}/output/kaggle.zip" in done.stdout
    return project


@pytest.mark.skipif(platform.system() != "Linux" or not shutil.which("unshare"), reason="unshare")
@pytest.mark.parametrize("name", ["mine", "theirs"])
def test_the_notebook_runs_offline_and_compares_at_home(written, name, tmp_path):
    made = written.path / name
    given = tmp_path / "kaggle/input"
    shutil.copytree(made / "dataset", given / "datasets/me/my-run")
    if name == "theirs":
        done = notebook(made, tmp_path / "kaggle")
        assert done.returncode and "train.csv: found 0 times" in done.stdout
        shutil.rmtree(tmp_path / "kaggle/temp")
        shutil.copytree(written.path.with_name("tables"), given / "competitions/faces")
    done = notebook(made, tmp_path / "kaggle")
    assert done.returncode == 0, done.stdout
    kept = tmp_path / "kaggle/working"
    names = {"kaggle.zip", "leaderboard.csv", "scores.csv", "submission.csv"}
    assert {file.name for file in kept.iterdir()} == names
    written.snakemake()
    done = written.emodag("compare", str(kept / "kaggle.zip"))
    assert done.returncode == 0, done.stderr
    assert "No stage differs: the values of 12 jobs are equal, to the last bit." in done.stdout
    assert "here and there." in done.stdout and "emodag diff results/local" in done.stdout


@pytest.mark.skipif(platform.system() != "Linux" or not shutil.which("unshare"), reason="unshare")
def test_a_learner_with_packages_of_its_own_runs_offline(written, tmp_path):
    options = ["--as", "me/my-run", "--configfile", "small.yaml", "--python", HERE]
    trees = "variants={trees: {learner: lightgbm, generations: 0}}"
    done = written.emodag("kaggle", "trees", *options, "--config", trees)
    assert done.returncode == 0, done.stderr
    shutil.copytree(written.path / "trees/dataset", tmp_path / "kaggle/input/datasets/me/my-run")
    done = notebook(written.path / "trees", tmp_path / "kaggle")
    assert done.returncode == 0, done.stdout
    assert "trees" in (tmp_path / "kaggle/working/variants.csv").read_text()


def test_what_kaggle_is_told(written):
    for name, competitions in (("mine", []), ("theirs", ["faces"])):
        told = json.loads((written.path / name / "notebook/kernel-metadata.json").read_text())
        assert told["id"] == "me/my-run" and told["dataset_sources"] == ["me/my-run"]
        assert told["competition_sources"] == competitions and not told["enable_internet"]
        assert told["is_private"] and told.get("docker_image") == ((competitions and IMAGE) or None)
    sizes = [
        (written.path / n / "dataset/emodag.bundle").stat().st_size for n in ("mine", "theirs")
    ]
    assert sizes[0] > sizes[1]
