"""Scenario 12: another environment, whose jobs start Python for themselves."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from ledger.machine.fingerprint import steering
from tests.workflow.scenarios.scenario import CHAIN, TINY

SLOWER = {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"}
"""Instructions that NumPy is told not to use: other code paths, so another environment."""


def test_12_a_change_of_environment_and_back(scenario, correct):
    done = scenario.run(**SLOWER)
    assert (done.ran, done.hit) == (CHAIN, set())
    correct(scenario, **SLOWER)
    done = scenario.run()
    assert (done.ran, done.hit) == (set(), CHAIN)
    correct(scenario)


@pytest.fixture
def overlay(tmp_path) -> Path:
    """A virtual environment with links to the packages of the running one, and one real copy."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    site = next((tmp_path / "venv").glob("lib/python3*/site-packages"))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name == "safetensors":
            shutil.copytree(entry, site / entry.name)
        else:
            (site / entry.name).symlink_to(entry)
    return tmp_path / "venv"


def test_12_a_file_of_a_package_is_edited_and_restored(scenario, overlay):
    python = overlay / "bin/python"
    (edited,) = overlay.glob("lib/python3*/site-packages/safetensors/numpy.py")
    content = edited.read_bytes()
    scenario.forget("results")
    done = scenario.run(python=python)
    assert (done.ran, done.hit) == (set(), CHAIN), "the same builds in another place"
    assert "not as installed" not in done.said

    edited.write_bytes(content + b"# edited\n")
    scenario.forget("results")
    done = scenario.run(python=python)
    assert (done.ran, done.hit) == (CHAIN, set())
    assert done.said.count(f"emodag: {python}: not as installed: safetensors/numpy.py. ") == 1
    why = ("why", "submission", "--configfile", "small.yaml")
    there = scenario.emodag(*why, python=python)
    assert "up to date" in there.stdout and "environment" not in there.stdout
    assert "safetensors/numpy.py" in there.stderr
    here = scenario.emodag(*why).stdout
    assert "made in another environment" in here
    assert "  environment: safetensors/numpy.py, edited: " in here
    scenario.forget("results/local/folds/folds.parquet")
    missing = scenario.emodag("why", "local/folds", *why[2:]).stdout
    assert "folds.parquet does not exist" in missing and "made in another environment" in missing

    edited.write_bytes(content)
    scenario.forget("results")
    done = scenario.run(python=python)
    assert (done.ran, done.hit) == (set(), CHAIN), "restoring the bytes restores the keys"


def test_12_a_forced_job_sees_the_package_as_it_is(scenario, overlay):
    """Nothing asks for keys before such a job, so it looks for itself."""
    python, target = overlay / "bin/python", "results/local/folds/manifest.json"
    (edited,) = overlay.glob("lib/python3*/site-packages/safetensors/numpy.py")
    assert scenario.run(target, "--forceall", python=python).hit == {"table", "folds"}
    with edited.open("a") as stream:
        stream.write("# edited\n")
    assert scenario.run(target, "--forceall", python=python).ran == {"table", "folds"}


def test_12_what_the_loader_is_told_is_part_of_it(scenario):
    """Main process and jobs find the same, so what was computed is found again."""
    target = "results/local/folds/manifest.json"
    told = {"LD_LIBRARY_PATH": str(scenario.path), "GLIBC_TUNABLES": "glibc.malloc.check=0"}
    assert scenario.run(target, **told).ran == {"table", "folds"}
    variables = scenario.json(target)["ingredients"]["environment"]["variables"]
    assert told.items() <= variables.items()
    assert scenario.run(target).hit == {"table", "folds"}
    assert scenario.run(target, **told).hit == {"table", "folds"}


def test_12_threads_and_variables_of_the_configuration_are_part_of_it(scenario):
    local = {"locks": [], "threads": 2, "variables": {"MKL_CBWR": "COMPATIBLE"}}
    scenario.configure(**TINY, environments={"local": local})
    assert scenario.run("results/local/folds/manifest.json").ran == {"table", "folds"}
    environment = scenario.json("results/local/folds/manifest.json")["ingredients"]["environment"]
    assert environment["threads"] == 2
    assert environment["variables"] == {**steering(), **local["variables"]}
