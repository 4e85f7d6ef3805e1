"""`diff`: the first job that differs, which ingredient, and how far its values are apart."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.disk.canonical import file_sha256
from ledger.jobs.key import key_of
from ledger.jobs.manifest import Manifest, Output
from ledger.kinds.digest import logical_digest
from tests.project import jobs

RUN = "local/published/seed1"


@pytest.fixture
def other(finished, copy_of_finished, monkeypatch):
    """A copy to change, as the working directory; `base` is what to compare it with."""
    monkeypatch.chdir(copy_of_finished.path)
    copy_of_finished.base = str(finished.path / "results")
    return copy_of_finished


def diff(project, a, b="results", *arguments):
    """The facts, which must go with the exit status, and the same as text."""
    done = project.emodag("diff", str(a), str(b), "--json", *arguments)
    text = project.emodag("diff", str(a), str(b), *arguments)
    assert "Traceback" not in done.stderr + text.stderr, done.stderr
    found = json.loads(done.stdout)
    parts = ("only_in_a", "only_in_b", "keys_differ", "values_differ")
    assert done.returncode == text.returncode == any(found[part] for part in parts)
    return found, text.stdout


def remake(job, environment=None, parts=None, **files):
    """Make a job's manifest anew for changed files, as a run in another environment would."""
    path = Path("results", job, "manifest.json")
    made = Manifest.read(path)
    outputs = dict(made.outputs)
    for name in files.get("names", ()):
        file = path.parent / name
        sizes = {"sha256": file_sha256(file), "bytes": file.stat().st_size}
        outputs[name] = Output(logical=logical_digest(file), **sizes)
    ingredients = json.loads(json.dumps(made.ingredients))
    ingredients["environment"]["distributions"] |= environment or {}
    ingredients["environment"] |= parts or {}
    key = key_of(ingredients, made.inputs)
    replace(made, ingredients=ingredients, key=key, outputs=outputs).write(path)


def test_a_copy_is_identical(other):
    found, text = diff(other, other.base)
    assert found["in_both"] == len(list(Path("results").rglob("*manifest.json")))
    assert text.endswith(": the same keys, the same values.\n") and found["jobs"] == []


def test_a_job_by_the_beginning_of_its_key(other):
    key = other.json("results/local/folds/manifest.json")["key"]
    found, text = diff(other, key[:8], f"{other.base}/local/folds/manifest.json")
    assert found["in_both"] == 1 and text.endswith("the same values.\n")


def test_one_changed_cell_of_the_raw_table(other):
    lines = other.read("train.csv").splitlines()
    cells = lines[9].split(",")
    cells[3] = repr(float(cells[3]) + 0.25)
    lines[9] = ",".join(cells)
    Path("train.csv").write_text("\n".join(lines) + "\n")
    done = other.snakemake("results/local/published/scaled/all/manifest.json")
    assert jobs(done, "RUN") == ["local/published/scaled/all", "local/table"]
    found, text = diff(other, other.base)
    assert found["keys_differ"] == ["local/table", "local/published/scaled/all"]
    (job,) = found["jobs"]
    assert job["job"] == "local/table"
    assert [change["key"] for change in job["key"]] == ["inputs.train"]
    whole = job["outputs"]["train.parquet"]["whole"]
    assert (whole["differing"], whole["cells"], whole["absolute"]) == (1, 72 * 8, 0.25)
    assert list(job["outputs"]["train.parquet"]["parts"]) == ["f2"]
    assert "first to differ in key and values: local/table (stage ingest)\n  inputs.train:" in text
    assert "  train.parquet: 1 of 576 cells differ (0.174%), at most by 0.25" in text
    every, _ = diff(other, other.base, "results", "--all")
    assert [job["job"] for job in every["jobs"]] == found["keys_differ"]
    assert every["jobs"][1]["outputs"]["train.parquet"]["parts"].keys() == {"f2"}


def test_another_environment_that_moves_the_last_bit_of_one_fit(other):
    """Keys differ from the first job on, values from the teacher on: both are told."""
    teacher = f"{RUN}/gen0/all"
    path = Path("results", teacher, "test.parquet")
    table = pq.read_table(path)
    moved = table["p0"].to_numpy().copy()
    moved[:6] = np.nextafter(moved[:6], np.float32(1))
    pq.write_table(table.set_column(0, "p0", pa.array(moved)), path, compression="zstd")
    for manifest in Path("results").rglob("manifest.json"):
        job = manifest.parent.relative_to("results").as_posix()
        remake(job, {"numpy": "2.0.2"}, names=["test.parquet"] if job == teacher else [])
    Path("results/local").rename("results/numpy2")
    found, text = diff(other, f"{other.base}/local", "results/numpy2")
    assert [job["job"] for job in found["jobs"]] == ["table", "published/seed1/gen0/all"]
    assert found["values_differ"] == ["published/seed1/gen0/all"]
    for job in found["jobs"]:
        (change,) = job["key"]
        assert change["key"] == "environment.distributions.numpy" and change["b"] == "2.0.2"
    whole = found["jobs"][1]["outputs"]["test.parquet"]["whole"]
    assert (whole["differing"], whole["ulps"], whole["cells"]) == (6, 1, 96)
    assert whole["share"] == 6 / 96 and 0 < whole["absolute"] < 1e-7
    assert "first to differ in key: table" in text and found["data_differ"] == []
    assert "first to differ in values: published/seed1/gen0/all" in text
    assert "6 of 96 cells differ (6.250%)" in text and "1 ulp (all in p0)" in text


def test_parameters_and_jobs_of_one_side(other):
    """Two protocols of one run are compared by the jobs they share."""
    found, text = diff(other, "results/local/nested", "results/local/published")
    assert "seed1/gen0/all" in found["only_in_b"] and "scaled/fold0" in found["only_in_a"]
    assert "only in results/local/published: seed1/stage0/fold1\n" in text
    (job,) = found["jobs"]
    keys = [change["key"] for change in job["key"]]
    assert job["job"] == "seed1/gen1/fold0" and "params.training.schedule.end" in keys
    assert {"key": "params.training.schedule.patience", "b": 8} in job["key"]
    assert "  params.training.schedule.patience: absent -> 8\n" in text


def test_errors_have_a_status_of_their_own(other):
    manifest = Path("results", RUN, "gen1/blend/manifest.json")
    bad = shutil.copy(manifest, "bad.json")
    Path(bad).write_text('{"schema": 1}')
    cases = {
        ("nowhere", "results"): "nowhere: no such directory of results, and no such manifest",
        ("workflow", "results"): "workflow: holds no manifest",
        ("results", str(manifest)): "compare two directories of results, or two manifests",
        (bad, str(manifest)): "bad.json: not a manifest",
    }
    for sides, message in cases.items():
        done = other.emodag("diff", *sides)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("emodag: error: ") and message in done.stderr
        assert "Traceback" not in done.stderr
