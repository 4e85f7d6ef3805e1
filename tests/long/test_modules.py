"""The workflow from yet other directories than in `tests/workflow/scenarios/test_module.py`."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from ledger.jobs.plan import PLANS
from ledger.store.roots import read_roots
from ledger.store.store import Store
from tests.project import ROOT, jobs
from tests.workflow.scenarios.scenario import SUBMISSION
from tests.workflow.scenarios.test_module import (
    CONFIG,
    MODULE,
    OWN,
    Away,
    copy_of_store,
    is_as,
)

DEPLOYED = """
from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


# declare SOURCE as a module
module emodag:
    snakefile:
        SNAKEFILE
    config:
        config


# use all rules from SOURCE
use rule * from emodag
"""
"""What `snakedeploy deploy-workflow` writes, but for the address."""


@pytest.fixture
def store(tiny, tmp_path) -> dict[str, str]:
    """A variable that names a copy of a store, in which all is known but the submission."""
    return copy_of_store(tiny, tmp_path / "store", "submission")


def test_a_module_of_which_rules_are_changed(tiny, tmp_path):
    store = copy_of_store(tiny, tmp_path / "store", "gen0/all", "gen1/fold0", "submission")
    more = """
use rule submission from emodag as submission with:
    priority: 7


use rule teacher from emodag as teacher with:
    threads: 2
"""
    away = Away.create(tmp_path / "away", Snakefile=MODULE + more)
    away.write("Snakefile", 'configfile: "own.yaml"\n\n' + away.read("Snakefile"))
    done = away.run(SUBMISSION, **store)
    assert len(jobs(done, "RUN")) == 3 and is_as(tiny, away)
    assert done.stderr.count("emodag: 9 jobs, 6 hits") == 1  # though the Snakefile is read thrice


def test_a_module_that_is_not_configured_has_the_directorys_configuration(tiny, store, tmp_path):
    module = MODULE.replace('    config:\n        config["emotions"]\n', "")
    away = Away.create(tmp_path / "away", Snakefile=module)
    away.write("config.yaml", yaml.safe_dump(CONFIG))
    assert jobs(away.run(SUBMISSION, **store), "RUN") == ["submission"] and is_as(tiny, away)


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_a_snakefile_elsewhere(tiny, store, tmp_path, snakefile):
    away = Away.create(tmp_path / "away", **{"config.yaml": yaml.safe_dump(CONFIG)})
    done = away.run("-s", ROOT / snakefile, SUBMISSION, **store)
    assert jobs(done, "RUN") == ["submission"] and is_as(tiny, away)
    assert "leaderboard" in away.run("-s", ROOT / snakefile, "-n").stderr  # by default, everything


def test_another_directory(tiny, store, tmp_path):
    away = Away.create(tmp_path / "away", **{"config.yaml": yaml.safe_dump(CONFIG)})
    done = away.run("--directory", away.path, SUBMISSION, cwd=ROOT, **store)
    assert jobs(done, "RUN") == ["submission"] and is_as(tiny, away)
    assert " hits; took " in done.stderr and "Made: results/submission.csv" in done.stderr
    roots = {root.path: root for root in read_roots(Store(Path(store["EMODAG_STORE"]))).values()}
    assert not roots[str(away.path / "results")].is_open, "it has ended in good order"
    assert str(ROOT / "results") not in roots


def test_a_link_to_the_snakefile(tiny, store, tmp_path):
    away = Away.create(tmp_path / "away", **{"config.yaml": yaml.safe_dump(CONFIG)})
    (away.path / "Snakefile").symlink_to(os.path.relpath(ROOT / "Snakefile", away.path))
    assert jobs(away.run(SUBMISSION, **store), "RUN") == ["submission"] and is_as(tiny, away)


def deploy(away: Away, source: str, snakefile: str) -> None:
    """What `snakedeploy deploy-workflow` does."""
    shutil.copytree(ROOT / "config", away.path / "config")
    assert (away.path / "config/config.yaml").read_text() == (ROOT / "config.yaml").read_text()
    text = DEPLOYED.replace("SNAKEFILE", snakefile).replace("SOURCE", source)
    away.write("workflow/Snakefile", text)
    away.write("config/config.yaml", yaml.safe_dump(CONFIG))  # a user edits it


@pytest.mark.skipif(shutil.which("git") is None, reason="Git is not installed")
def test_as_snakedeploy_lays_it_out(tiny, store, tmp_path):
    assert (ROOT / "config/README.md").is_file()  # without which the catalog takes no workflow
    repo = tmp_path / "emodag.git"
    repo.mkdir()
    for name in ("workflow", "config", "envs"):
        pycache = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, repo / name, symlinks=True, ignore=pycache)
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, repo / name)
    own = ["-c", "user.name=a test", "-c", "user.email=a@test"]
    for command in (["init", "-q"], ["add", "."], [*own, "commit", "-qm", "all"], ["tag", "v1"]):
        subprocess.run(["git", *command], cwd=repo, check=True)
    away = Away.create(tmp_path / "away")
    file = 'github("someone/emodag", path="workflow/Snakefile", tag="v1")'
    deploy(away, "https://github.com/someone/emodag", file)
    instead = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repo.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/someone/emodag",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    done = away.run(SUBMISSION, **instead, **store)
    assert jobs(done, "RUN") == ["submission"] and is_as(tiny, away)
    assert len(list((away.path / ".emodag/source").iterdir())) == 1


def test_a_module_waits_for_its_turn_whatever_snakemakes_reasons_are(tiny, store, tmp_path):
    away = Away.create(tmp_path / "away", Snakefile=OWN + MODULE)
    away.run(SUBMISSION, **store)
    with (away.path / PLANS / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = away.run("--force", SUBMISSION, check=False, **store)
        assert done.returncode == 1 and "is running this workflow" in done.stderr
        assert "Nothing to be done" in away.run(SUBMISSION, **store).stderr


def test_what_a_killed_run_has_left_of_rules_of_ones_own_does_not_count(tiny, store, tmp_path):
    # Snakemake notes down that a job has begun a moment after it has.
    kill = "[ -e mended ] || sleep 2; [ -e mended ] || kill -9 $RUN; "
    own = OWN.replace('"wc -l', f'"echo 2 >{{output}}; {kill}wc -l')
    away = Away.create(tmp_path / "away")
    away.write("Snakefile", f'import os\n\nos.environ["RUN"] = str(os.getpid())\n{own}{MODULE}')
    assert away.run(check=False, **store).returncode == -9
    away.write("mended", "")
    done = away.run(check=False, **store)
    assert done.returncode == 1 and "incomplete" in done.stderr and "lines.txt" in done.stderr
    assert not jobs(away.run("--rerun-incomplete", **store), "RUN")
    assert away.read("lines.txt").split() == ["25"] and is_as(tiny, away)
