"""Two machines compared by what `pack` makes on each: `diff` of the two zip files."""

import json
import re
import shutil
from pathlib import Path

import pytest

from ledger.disk.canonical import digest
from tests.project import Project, jobs

SCALED = "local/published/scaled/all"


@pytest.fixture(scope="module")
def machines(finished, tmp_path_factory):
    """Two that ran the same project: at home, and with other variables and other ulps away."""
    home = tmp_path_factory.mktemp("machines") / "home"
    shutil.copytree(finished.path, home)
    away = Project.create(home.parent / "away")
    away.configure(
        protocols=["published", "nested"],
        generations=2,
        environments={"local": {"locks": [], "variables": {"NPY_DISABLE_CPU_FEATURES": ""}}},
    )
    module = away.path / "workflow/emodag/stages/scale.py"
    text = module.read_text()
    assert text.count(PLACE) == 1
    module.write_text(text.replace(PLACE, PLACE + MOVED))
    away.snakemake(f"results/{SCALED}/manifest.json", "results/local/folds/manifest.json")
    return Project(home), away


PLACE = '    _write(output / "quantiles.parquet", quantiles)\n'

MOVED = """\
    for name in ("f1", "f2"):
        scaled_train[name][::3] = np.nextafter(scaled_train[name][::3], np.float32(9))
"""
"""Moves every third of 72 cells of two of eight columns by one ulp."""


def packed(project, name, results="results"):
    out = project.path / name
    done = project.emodag("pack", str(out), results)
    assert done.returncode == 0, done.stderr
    what = r"\S+ \d+ manifests and \d+ small outputs of \S+ \S+ MB\.\n"
    assert re.fullmatch(what, done.stdout)
    return out


def test_of_what_a_pack_does_not_hold_the_columns_that_differ(machines):
    home, away = machines
    table = away.path / f"results/{SCALED}/train.parquet"
    content = table.read_bytes()
    table.unlink()
    right = packed(away, "lacking.zip")
    table.write_bytes(content)
    done = home.emodag("diff", "results", str(right), "--json")
    (apart,) = json.loads(done.stdout)["jobs"][-1]["outputs"].values()
    nothing = {"only_in_a": [], "only_in_b": []}
    why = {"unknown": f"{right} does not hold it"}
    assert apart == {**why, "in_both": 8, "differ": ["f1", "f2"], **nothing}
    text = home.emodag("diff", "results", str(right)).stdout
    assert "train.parquet: 2 of 8 parts differ by their digests: f1, f2\n" in text


def test_a_part_of_a_pack(machines):
    """Another variable that changes nothing: another key, and the same values."""
    left, right = (packed(project, "part.zip", "results/local") for project in machines)
    for job in ("table", "folds"):
        done = machines[0].emodag("diff", f"{left}/{job}", f"{right}/{job}", "--json")
        found = json.loads(done.stdout)
        assert found["keys_differ"] == [""] and found["values_differ"] == []
        changed = [change["key"] for change in found["jobs"][0]["key"]]
        assert changed[-1] == "environment.variables.NPY_DISABLE_CPU_FEATURES"
        assert all(key.startswith("environment.variables") for key in changed)


def test_different_raw_files_are_named(machines):
    home, away = machines
    other = away.path.with_name("other")
    shutil.copytree(away.path, other)
    table = other / "train.csv"
    table.write_text(table.read_text().replace("\n0,", "\n0,1", 1))
    other = Project(other)
    other.snakemake("results/local/table/manifest.json")
    left, right = packed(home, "home.zip"), packed(other, "other.zip")
    done = home.emodag("diff", str(left), str(right))
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("different data: ")]
    assert re.fullmatch(
        r"different data: A was made from train\.csv \([0-9a-f]{12}\), B from train\.csv "
        r"\([0-9a-f]{12}\)\. These runs need not agree\.",
        line,
    )
    assert "first to differ in key and values: local/table (stage ingest)" in done.stdout


def test_a_hit_has_the_same_digests_of_parts(machines):
    home, _ = machines
    path = home.path / f"results/{SCALED}/manifest.json"
    before = path.read_bytes()
    parts = [output["parts"] for output in json.loads(before)["outputs"].values()]
    assert len(parts) == 3 and all(parts)
    path.unlink()
    done = home.snakemake(str(path.relative_to(home.path)))
    assert jobs(done, "HIT") == [SCALED] and path.read_bytes() == before


def test_manifests_and_records_of_an_older_version(machines):
    """They are made anew by the next run; `diff` says so."""
    home, _ = machines
    path = home.path / "results/local/folds/manifest.json"
    old = path.with_name("old.json")

    def as_version_2(file: Path) -> None:
        body = json.loads(file.read_bytes())
        del body["digest"]
        body["schema"] = 2
        for output in body["outputs"].values():
            output["sketch"] = output.pop("parts") and None
        file.chmod(0o644)
        file.write_text(json.dumps({**body, "digest": digest(body)}))

    before = path.read_bytes()
    key = json.loads(before)["key"]
    as_version_2(path)
    as_version_2(home.path / f".emodag/store/actions/{key[:2]}/{key[2:]}.json")
    shutil.copy(path, old)
    done = home.emodag("diff", str(old), str(path))
    assert done.returncode == 2 and "another schema version" in done.stderr
    assert "Run `snakemake`; it makes the manifest anew" in done.stderr
    old.unlink()
    done = home.snakemake(str(path.relative_to(home.path)))
    assert jobs(done, "RUN") == ["local/folds"] and path.read_bytes() == before


def test_errors(machines):
    home, _ = machines
    (home.path / "bad.zip").write_bytes(b"no zip file")
    for arguments, message in (
        (["diff", "bad.zip", "results"], "bad.zip: not a pack as it was made"),
        (["diff", "no.zip", "results"], "no.zip: no such directory of results"),
        (["pack", "out.tar"], "out.tar: a pack is a zip file"),
        (["pack", "out.zip", "nowhere"], "nowhere: no such directory of results"),
    ):
        done = home.emodag(*arguments)
        assert done.returncode and done.stdout == "" and "Traceback" not in done.stderr
        assert done.stderr.startswith("emodag: error: ") and message in done.stderr
