"""`verify`: whatever is damaged is found, and what a sound copy can restore is restored."""

import json
import os
import pty
import shutil
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.jobs.manifest import Manifest, Output
from tests.project import jobs

STORE = Path(".emodag/store")


@pytest.fixture
def project(nested, monkeypatch):
    """A finished project to damage, as the working directory."""
    monkeypatch.chdir(nested.path)
    monkeypatch.delenv("EMODAG_STORE", raising=False)
    return nested


def verify(project, *arguments):
    done = project.emodag("verify", "--json", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    found = json.loads(done.stdout)
    damages = {damage["path"]: damage for damage in found["damages"]}
    assert done.returncode == (not all(d["restored"] for d in damages.values()))
    return damages


def flip(path):
    """Change one byte in the middle; size, times and permissions stay."""
    status = path.stat()
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    path.chmod(status.st_mode)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def manifest(job):
    return Manifest.read(Path("results", job, "manifest.json"))


def object_of(job, file):
    sha256 = manifest(job).outputs[file].sha256
    return Path(STORE, "objects", sha256[:2], sha256[2:])


def record_of(job):
    key = manifest(job).key
    return Path(STORE, "actions", key[:2], f"{key[2:]}.json")


def everything(*roots):
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes())
        for root in roots
        for path in sorted(Path(root).rglob("*"))
        if path.is_file()
    }


def test_sound_results(project):
    before = everything("results", STORE)
    done = project.emodag("verify")
    count = len(list(Path("results").rglob("*manifest.json")))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{count} manifests, ")
    assert done.stdout.endswith(" files: everything is as recorded.\n")
    assert everything("results", STORE) == before


def test_every_kind_of_damage_is_found_and_restored(project):
    run = "local/nested/seed1"
    table, fold = "local/table", f"{run}/gen1/fold0"
    flip(Path("results", table, "train.parquet"))
    Path("results", fold, "weights.safetensors").unlink()
    with Path("results/submission.csv").open("a") as stream:
        stream.write("\n")
    damaged = ["results/submission.csv"]
    damaged += [f"results/{table}/train.parquet", f"results/{fold}/weights.safetensors"]
    objects = [object_of(table, "test.parquet"), object_of(fold, "fit.json")]
    flip(objects[0])
    objects[1].unlink()
    records = [record_of(f"{run}/gen0/fold0"), record_of(f"{run}/gen1/fold1")]
    flip(records[0])
    lost = json.loads(records[1].read_text())
    records[1].unlink()
    damaged += [str(path) for path in (*map(Path.absolute, objects), *map(Path.absolute, records))]

    before = everything("results", STORE)
    found = verify(project)
    assert sorted(found) == sorted(damaged)
    assert everything("results", STORE) == before, "verify alone must only read"
    sha256 = manifest(table).outputs["train.parquet"].sha256
    assert sha256 in found[damaged[1]]["expected"] and sha256 not in found[damaged[1]]["found"]
    assert found[damaged[2]]["found"] == "no such file"

    assert sorted(verify(project, "--repair")) == sorted(damaged)
    assert verify(project) == {}
    again = json.loads(records[1].read_text())
    assert {name: again[name] for name in ("cost", "outputs", "labels_seen")} == {
        name: lost[name] for name in ("cost", "outputs", "labels_seen")
    }
    assert again["made"]["command"] == lost["made"]["command"]
    assert not any(path.stat().st_mode & 0o222 for path in objects)
    assert "Nothing to be done" in project.snakemake().stderr


def test_what_no_copy_restores_is_told_and_the_advice_helps(project):
    job = "local/folds"
    path, thing = Path("results", job, "folds.parquet"), object_of(job, "folds.parquet")
    flip(path)
    thing.unlink()
    bad = Path("results/local/nested/seed1/gen1/blend/manifest.json")
    bad.write_text(bad.read_text().replace("blend", "blent"))
    raw = Path("train.csv").read_bytes()
    Path("train.csv").write_bytes(raw.replace(b"1", b"2", 1))
    found = verify(project, "--repair")
    assert set(found) == {str(path), str(thing.absolute()), str(bad), "train.csv"}
    assert "does not match its own digest" in found[str(bad)]["found"]
    assert "a copy of your own" in found["train.csv"]["todo"]
    Path("train.csv").write_bytes(raw)
    manifests = [place.with_name("manifest.json") for place in (path, bad)]
    for place, made in zip((path, bad), manifests, strict=True):
        advice = f"delete {made} and give the `snakemake` command again"
        assert found[str(place)]["todo"].startswith(advice)
        made.unlink()
    done = project.snakemake(*map(str, manifests))
    assert jobs(done, "RUN") == [job] and verify(project) == {}
    assert jobs(project.snakemake(), "RUN") == []


def test_a_lost_store_is_filled_from_the_results(project):
    shutil.rmtree(STORE)
    found = verify(project, "--repair")
    assert found and all(damage["restored"] for damage in found.values())
    assert verify(project) == {}
    shutil.rmtree("results/local/table")
    done = project.snakemake("results/local/table/manifest.json")
    assert jobs(done, "RUN") == [] and jobs(done, "HIT") == ["local/table"]


def test_manifests_that_do_not_fit_together(project):
    run = Path("results/local/nested/seed1")
    # A manifest with a sound digest of its own, of which the next job's inputs know nothing.
    scaled = Path("results/local/nested/scaled/fold0/manifest.json")
    made = Manifest.read(scaled)
    other = replace(made.outputs["train.parquet"], logical="0" * 64)
    replace(made, outputs={**made.outputs, "train.parquet": other}).write(scaled)
    # One whose ingredients were edited, and one in the place of another.
    teacher, student = run / "gen0/fold0/manifest.json", run / "gen1/fold0/manifest.json"
    made = Manifest.read(teacher)
    replace(made, ingredients={**made.ingredients, "stage": "student"}).write(teacher)
    shutil.copy(run / "gen1/fold1/manifest.json", student)
    Path("results/local/folds/manifest.json").unlink()
    found = project.emodag("verify").stdout
    assert "input 'train' with digest 0000" in found
    assert f"DAMAGED {teacher}\n  expected: key " in found
    assert "expected: the manifest of job 'local/nested/seed1/gen1/fold0'" in found
    assert "DAMAGED results/local/folds/manifest.json" in found
    assert found.count("DAMAGED results/local/folds/") == 1, "once, however many jobs read from it"


def test_raw_files_that_stayed_elsewhere_are_noted_but_no_damage(project):
    Path("truth.csv").unlink()
    done = project.emodag("verify")
    assert done.returncode == 0 and "NOTE truth.csv: this raw file is not here" in done.stdout


def test_crafted_manifests_are_refused_by_name(project):
    victim = Path("results/local/folds/manifest.json")
    output = Output(logical="0" * 64, sha256="0" * 64, bytes=1)
    for outputs in ({"../../../train.csv": output}, {"/etc/passwd": output}):
        replace(Manifest.read(victim), outputs={}).write(victim)
        made = Manifest.read(victim)
        replace(made, outputs=outputs).write(victim)
        found = verify(project, "--repair")
        assert "not a plain file name" in found[str(victim)]["found"]
        replace(made, outputs={}).write(victim)
    victim.write_text("[1, 2")
    assert "not a manifest" in verify(project)[str(victim)]["found"]


def test_clear_errors(project):
    for where, message in (("nowhere", "no such directory"), ("workflow", "holds no manifest")):
        done = project.emodag("verify", where)
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.startswith(f"emodag: error: {where}: {message}")


def test_a_bar_on_a_terminal(project):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    command = [sys.executable, "-m", "emodag", "verify"]
    environment = {**os.environ, "PYTHONPATH": "workflow"}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    os.set_blocking(ours, False)
    assert b"verify:   0%" in os.read(ours, 1 << 16)
