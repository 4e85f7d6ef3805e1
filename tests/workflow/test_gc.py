"""`gc`: what no manifest reaches goes, what any result or running job needs stays."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.disk import owner
from ledger.jobs.manifest import Manifest

STORE = Path(".emodag/store")


@pytest.fixture
def project(nested, monkeypatch):
    """A finished project, as the working directory; its store's files are of last week."""
    monkeypatch.chdir(nested.path)
    monkeypatch.delenv("EMODAG_STORE", raising=False)
    shutil.rmtree(STORE / "roots")  # which is that of the original
    for path in STORE.rglob("*"):
        age(path)
    return nested


def age(path, days=7):
    then = path.stat().st_mtime - days * 86400
    os.utime(path, (then, then))


def gc(project, *arguments):
    done = project.emodag("gc", "--json", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def names(found):
    return sorted(Path(entry["path"]).name for entry in found["entries"])


def files():
    return {path for path in STORE.rglob("*") if path.is_file()}


def test_nothing_is_garbage_while_everything_is_reachable(project):
    before = files()
    found = gc(project, "--delete", "--older-than", "0")
    assert found["entries"] == [] and found["kept"]["entries"] == 0
    assert found["reachable"]["entries"] == len(before)
    assert found["reachable"]["bytes"] == sum(path.stat().st_size for path in before)
    assert files() == before


def test_what_other_results_need_is_found_told_and_removed(project, finished_nested):
    shutil.rmtree("results/local/nested")
    for path in Path("results").glob("*.manifest.json"):
        path.unlink()
    before = files()
    assert gc(project, "results", str(finished_nested.path / "results"))["entries"] == []

    found = gc(project)
    assert {entry["kind"] for entry in found["entries"]} == {"actions", "objects"}
    assert not any(entry["removed"] for entry in found["entries"]) and files() == before
    text = project.emodag("gc").stdout
    assert f"not needed: {found['garbage']['entries']} entries, " in text
    assert "Nothing was removed; --delete removes" in text and files() == before

    found = gc(project, "--delete")
    gone = {Path(entry["path"]) for entry in found["entries"]}
    assert {path.absolute() for path in before - files()} == gone
    reached = {
        output.sha256
        for path in Path("results").rglob("manifest.json")
        for output in Manifest.read(path).outputs.values()
    }
    left = {path.parent.name + path.name for path in (STORE / "objects").rglob("*/*")}
    assert left == reached
    assert project.emodag("verify").returncode == 0
    assert gc(project)["entries"] == []


def test_the_young_are_spared_and_their_objects(project):
    """A job's objects are young until its manifest is written, and so is its record."""
    made = Manifest.read(Path("results/submission.manifest.json"))
    Path("results/submission.manifest.json").unlink()
    record = STORE / "actions" / made.key[:2] / f"{made.key[2:]}.json"
    assert record.name in names(gc(project)) and len(names(gc(project))) == 2
    os.utime(record)
    found = gc(project, "--delete")
    assert found["entries"] == [] and found["kept"]["entries"] == 1
    assert len(gc(project, "--delete", "--older-than", "0")["entries"]) == 2
    assert not record.exists()


def test_scratch_goes_with_its_process(project):
    ended = subprocess.Popen([sys.executable], stdin=subprocess.PIPE)
    dead = f"{owner.name(ended.pid)}-abc"
    ended.communicate()
    mine = f"{owner.name()}-abc"
    places = {name: STORE / "scratch" / name for name in (mine, dead, dead.replace(":", "x:", 1))}
    for place in places.values():
        place.mkdir(parents=True)
        (place / "weights.safetensors").write_bytes(bytes(1000))
    found = gc(project)
    assert names(found) == [dead] and found["garbage"]["bytes"] == 1000
    assert found["kept"]["entries"] == 2
    for place in places.values():
        age(place / "weights.safetensors")
        age(place)
    assert names(gc(project, "--older-than", "8d")) == [dead]
    assert names(gc(project, "--delete")) == sorted(places.keys() - {mine})
    assert [path.name for path in (STORE / "scratch").iterdir()] == [mine]
    assert gc(project, "--delete", "--older-than", "0")["entries"] == []


def test_while_jobs_run_a_day_is_spared(project):
    """Whatever age is asked for: a job's objects lie there before its manifest does."""
    (STORE / "scratch" / f"{owner.name()}-abc").mkdir(parents=True)
    young, old = (STORE / "objects/ab" / (digit * 62) for digit in "cd")
    for path in (young, old):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"1")
    age(old)
    done = project.emodag("gc", "--delete", "--older-than", "0")
    assert "jobs are running on this store; what is younger than a day is spared" in done.stderr
    assert young.exists() and not old.exists()
    shutil.rmtree(STORE / "scratch")
    assert names(gc(project, "--delete", "--older-than", "0")) == [young.name]


def test_what_a_killed_job_left_is_garbage_when_old(project):
    key = "ab" * 32
    left = [
        STORE / "checkpoints" / key[:2] / f"{key[2:]}.safetensors",
        STORE / "actions" / key[:2] / f".{key[2:]}.json.x1y2",
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    assert gc(project)["entries"] == [] and gc(project)["kept"]["entries"] == 2
    for path in left:
        age(path)
    assert names(gc(project, "--delete")) == sorted(path.name for path in left)


def test_what_is_not_the_stores_is_left_alone(project):
    outside = Path("outside")
    (outside / ("cd" * 31)).mkdir(parents=True)
    victim = outside / ("ef" * 31)
    victim.write_text("not yours")
    objects = ("objects/ab/notes.txt", "objects/note", "objects/ab/.notes.swp")
    ours = [STORE / name for name in ("README", *objects, "scratch/data-2024/table.csv")]
    for path in ours:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        age(path)
    age(STORE / "scratch/data-2024")
    links = [STORE / "objects/cd", STORE / "objects/ab" / ("ef" * 31), STORE / "scratch/1-y"]
    for link, target in zip(links, (outside, victim, outside), strict=True):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True) if not link.is_dir() else shutil.rmtree(link)
        link.symlink_to(target.absolute())
    shutil.rmtree("results/local/nested")
    found = gc(project, "--delete", "--older-than", "0")
    assert found["failed"] == {}
    assert all(path.exists() for path in (*ours, *links, victim))


def test_results_that_cannot_be_read_stop_it(project):
    before = files()
    damaged = Path("results/local/folds/manifest.json")
    damaged.write_text(damaged.read_text().replace("folds", "fold5"))
    for arguments, message in {
        ("results",): "folds/manifest.json: not a manifest",
        ("nowhere",): "nowhere: no such directory",
        ("workflow",): "workflow: holds no manifest",
    }.items():
        done = project.emodag("gc", "--delete", *arguments)
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.startswith("emodag: error: ") and message in done.stderr
    assert files() == before
    done = project.emodag("gc", "--older-than", "soon")
    assert done.returncode == 2 and "expected 30m, 12h, 7d or the like" in done.stderr


def test_a_store_that_is_not_there_is_known_to_nobody(project):
    done = project.emodag("gc", "--store", "nowhere")
    assert done.returncode == 1 and "no results are known that need this store" in done.stderr
    assert not Path("nowhere").exists()


def test_the_store_is_the_one_that_the_results_were_made_with(project, tmp_path):
    """Wherever the command is given, and whatever config.yaml there says of another store."""
    STORE.rename("elsewhere")
    project.configure(store="elsewhere", pseudo_labels={"boost": {"HVHA": 2.0}})
    project.snakemake("results/submission.csv")
    shutil.rmtree("elsewhere/objects")  # which only who looks there can miss
    for where, results in ((".", "results"), (tmp_path, str(project.path / "results"))):
        for verb in ("gc", "verify"):
            done = subprocess.run(
                [sys.executable, "-m", "emodag", verb, "--json", results],
                cwd=where,
                env={**os.environ, "PYTHONPATH": str(project.path / "workflow")},
                text=True,
                capture_output=True,
            )
            found = json.loads(done.stdout)
            assert found["reachable"]["entries"] > 0 if verb == "gc" else found["damages"] != []
