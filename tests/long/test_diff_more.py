"""`diff` of what is rarer: other data, another build, two manifests, files that are gone."""

import re
from dataclasses import replace
from pathlib import Path

from ledger.disk.canonical import digest, file_sha256
from ledger.jobs.key import key_of
from ledger.jobs.manifest import Manifest, Output, Upstream
from ledger.kinds.digest import logical_digest
from tests.workflow.test_diff import RUN, diff, remake


def test_files_against_the_synthetic_tables(other):
    """Said before anything else, whether the job that makes the tables is compared or not."""
    path = Path("results/local/table/manifest.json")
    made = Manifest.read(path)
    origins = {
        role: Upstream(
            manifest="results/raw/manifest.json", file=f"{role}.parquet", plan=digest(role)
        )
        for role in made.inputs
    }
    inputs = {role: digest(role) for role in made.inputs}
    replace(made, origins=origins, inputs=inputs, key=key_of(made.ingredients, inputs)).write(path)
    for a, b in ((other.base, "results"), (f"{other.base}/local", "results/local")):
        found, text = diff(other, a, b)
        assert len(found["data_differ"]) == 2 and text.startswith("different data: A was made from")
        assert f"B from results/raw/train.parquet ({digest('train')[:12]})" in text
    assert diff(other, path, path)[0]["data_differ"] == []


def test_another_build_of_one_version(other):
    table, found = "results/local/table", Manifest.read(Path("results/local/table/manifest.json"))
    builds = {**found.ingredients["environment"]["builds"], "numpy": "0" * 64}
    remake("local/table", parts={"builds": builds, "edited": {"torch/serialization.py": "1" * 64}})
    text = diff(other, f"{other.base}/local/table", table)[1]
    assert re.search(r"  environment\.build of numpy \S+: [0-9a-f]{12} -> 0{12}\n", text)
    assert "  environment.torch/serialization.py, edited: absent -> 111111111111\n" in text
    assert text.count("  environment.") == 2


def test_two_manifests(other):
    home = Path("results/local/nested/seed1/gen1")
    paths = [home / fold / "manifest.json" for fold in ("fold0", "fold1")]
    found, text = diff(other, *paths)
    assert found["jobs"][0]["job"] == "" and "(stage student)" in text
    assert {"key": "params.fold", "a": 0, "b": 1} in found["jobs"][0]["key"]
    assert diff(other, paths[0], paths[0])[0]["jobs"] == []
    done = other.emodag("diff", str(home / "fold0/fit.json"), str(paths[0]))
    assert done.returncode == 2 and "is compared by the manifest beside it" in done.stderr


def test_the_same_key_with_other_values(other):
    path = Path("results/submission.csv")
    lines = path.read_text().splitlines()
    lines[5] = "4,9"
    path.write_text("\n".join(lines) + "\n")
    manifest = path.with_name("submission.manifest.json")
    made = Manifest.read(manifest)
    output = Output(
        logical=logical_digest(path), sha256=file_sha256(path), bytes=path.stat().st_size
    )
    replace(made, outputs={path.name: output}).write(manifest)
    found, text = diff(other, other.base)
    assert found["keys_differ"] == [] and found["values_differ"] == ["submission"]
    assert "the same key: the computation does not repeat its own bits" in text
    assert found["jobs"][0]["outputs"]["submission.csv"]["lines"]["differ"] == 1
    assert "submission.csv: 1 of 25 lines differ" in text and "line 6: '4," in text


def test_files_that_are_missing_or_damaged(other):
    home = Path("results", RUN, "gen1/fold0")
    (home / "weights.safetensors").unlink()
    with (home / "fit.json").open("a") as stream:
        stream.write(" ")
    found, text = diff(other, home, home.with_name("fold1"))
    outputs = found["jobs"][0]["outputs"]
    weights = outputs["weights.safetensors"]
    assert weights["unknown"] == f"{home}/weights.safetensors is missing"
    assert "classifier.1.bias" in weights["differ"] and weights["only_in_a"] == []
    assert "fit.json is damaged" in outputs["fit.json"]["unknown"]
    assert outputs["fit.json"].keys() == {"unknown"} and "fit.json: " in text
    assert re.search(r"weights\.safetensors: \d+ of \d+ parts differ by their digests: ", text)
    assert "whole" in outputs["test.parquet"]
