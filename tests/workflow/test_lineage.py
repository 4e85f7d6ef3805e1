"""`lineage` leads back to the raw files, and its RO-Crate is one; sidecars say how it was."""

import hashlib
import json
import re
import subprocess
import sys

FOLD = "local/nested/seed1/gen2/fold0"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lineage(project, *arguments):
    done = project.emodag("lineage", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tree(finished):
    text = lineage(finished)
    assert text.startswith("submission  key ")
    assert lineage(finished, "results/submission.csv") == text
    assert lineage(finished, finished.json("results/submission.manifest.json")["key"][:12]) == text
    for name in ("train.csv", "test.csv"):
        assert f"{name} {sha256(finished.path / name)[:12]}  (raw file)" in text
    assert re.search(r"labels seen: 0, 1, 2, 3, 4, 5\n", text)
    assert "numpy " in text and "python 3." in text and "threads 1" in text
    assert "truth" not in text, "the submission must not rest on the truth"
    fold = lineage(finished, f"results/{FOLD}/weights.safetensors")
    seen = finished.json(f"results/{FOLD}/manifest.json")["labels_seen"]
    assert len(seen) == 3 and f"labels seen: {', '.join(seen)}\n" in fold
    first, *others = (line for line in fold.splitlines() if ": local/folds  " in line)
    assert "(see above)" not in first
    assert others and all(line.endswith("  (see above)") for line in others)


def test_the_table(finished):
    facts = json.loads(lineage(finished, "leaderboard", "--json"))
    assert facts["target"] == "leaderboard"
    jobs = facts["jobs"]
    assert {job["stage"] for job in jobs.values()} >= {"ingest", "scale", "teacher", "student"}
    for name, job in jobs.items():
        manifest = finished.json(job["manifest"])
        assert manifest["job"] == name and manifest["key"] == job["key"]
        assert job["labels_seen"] == manifest["labels_seen"]
        assert job["execution"]["cost"]["seconds"] > 0
        for read in job["inputs"].values():
            assert read["doubt"] is None
            if read["job"] is None:
                assert read["digest"] == sha256(finished.path / read["file"])
            else:
                file = read["file"].rsplit("/", 1)[1]
                assert jobs[read["job"]]["outputs"][file]["digest"] == read["digest"]
    assert jobs["leaderboard"]["inputs"]["truth"]["file"] == "truth.csv"


def test_what_is_on_disk_is_not_always_what_was_read(copy_of_finished, tmp_path):
    project = copy_of_finished
    before = lineage(project, FOLD)
    project.snakemake("results/local/table/manifest.json", "--config", "data={constant: drop}")
    assert lineage(project, FOLD) == before, "made anew with the same content"
    scaled = "results/local/nested/scaled/fold0/manifest.json"
    project.snakemake(scaled, "--config", "scaling={n_quantiles: 9}")
    text = lineage(project, FOLD)
    assert "local/nested/scaled/fold0" in text
    assert text.count("(made anew since, with another content!)") >= 2
    done = project.emodag("lineage", FOLD, "--ro-crate", str(tmp_path / "crate"))
    assert done.returncode == 1 and "made anew since" in done.stderr
    assert not (tmp_path / "crate").exists()
    (project.path / "results/local/folds/manifest.json").write_text("{}")
    assert "(its manifest is missing or damaged!)" in lineage(project, FOLD)
    done = project.emodag("lineage", "local/folds")
    assert done.returncode == 1 and "folds/manifest.json: not a manifest" in done.stderr


def test_mistakes_and_closed_pipes(finished):
    done = finished.emodag("lineage", "submision")
    assert done.returncode == 1 and "did you mean 'submission'?" in done.stderr
    command = f"{sys.executable} -m emodag lineage scores --json | head -1"
    environment = {"PYTHONPATH": str(finished.path / "workflow"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, shell=True, cwd=finished.path, env=environment, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_the_crate_comes_back(finished, tmp_path):
    from rocrate.rocrate import ROCrate

    out = tmp_path / "crate"
    for _ in range(2):
        assert str(out) in lineage(finished, "--ro-crate", str(out))
    crate = ROCrate(out)
    manifests = [finished.json(p) for p in _manifests(json.loads(lineage(finished, "--json")))]
    assert crate.mainEntity.id == "Snakefile"
    assert crate.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    profiles = {profile.id for profile in crate.root_dataset["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles
    actions = {action["name"]: action for action in crate.root_dataset["mentions"]}
    assert actions.keys() == {"Make submission"} | {manifest["job"] for manifest in manifests}
    run = actions["Make submission"]
    assert run["instrument"] == crate.mainEntity
    assert {file["name"]: file["sha256"] for file in run["object"]} == {
        name: sha256(finished.path / name) for name in ("train.csv", "test.csv")
    }
    result = run["result"]
    assert result.id == "results/submission.csv"
    assert result["sha256"] == sha256(out / result.id) == sha256(finished.path / result.id)
    assert run["startTime"] <= min(a["startTime"] for a in actions.values())
    for manifest in manifests:
        action = actions[manifest["job"]]
        outputs = {o["sha256"]: str(o["bytes"]) for o in manifest["outputs"].values()}
        made = {file["sha256"]: file.get("contentSize") for file in action["result"]}
        assert outputs.items() <= made.items()
        needs = {app["name"] for app in action["instrument"]["softwareRequirements"]}
        assert needs >= {"python", "numpy", "torch"}
        if seen := ", ".join(manifest["labels_seen"]):
            assert action["additionalProperty"]["value"] == seen
    _check_references(json.loads((out / "ro-crate-metadata.json").read_text()), out)


def _manifests(facts):
    return [job["manifest"] for job in facts["jobs"].values()]


def _check_references(document, out):
    """Every reference inside the crate leads somewhere, and every relative file is there."""
    entities = {entity["@id"]: entity for entity in document["@graph"]}
    assert len(entities) == len(document["@graph"])
    for entity in entities.values():
        for value in entity.values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict) and not item["@id"].startswith(("http:", "https:")):
                    assert item["@id"] in entities
        if "File" in entity["@type"] and not entity["@id"].startswith("ni:///sha-256;"):
            assert (out / entity["@id"]).is_file()


def test_a_crate_replaces_nothing_else(finished, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    done = finished.emodag("lineage", "--ro-crate", str(tmp_path))
    assert done.returncode == 1 and "is no RO-Crate" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_damaged_result_does_not_enter_a_crate(copy_of_finished, tmp_path):
    submission = copy_of_finished.path / "results/submission.csv"
    submission.write_bytes(submission.read_bytes().replace(b"0", b"1"))
    done = copy_of_finished.emodag("lineage", "--ro-crate", str(tmp_path / "crate"))
    assert done.returncode == 1 and "submission.csv: is damaged" in done.stderr
    assert not (tmp_path / "crate/ro-crate-metadata.json").exists()


def test_sidecars(copy_of_finished):
    project = copy_of_finished
    place = f"results/{FOLD}/provenance.json"
    made = project.json(place)
    assert made["hit"] is False and made["command"][1:5] == ["-P", "-m", "emodag", "run"]
    assert made["environment"]["distributions"].keys() >= {"numpy", "torch"}
    assert made["cpu"] and "avx" in made["environment"]["processor"]
    assert made["thread_variables"]["OMP_NUM_THREADS"] == "1"
    blas = [library for library in made["libraries"] if library["user_api"] == "blas"]
    assert blas and blas[0]["num_threads"] == 1 and blas[0]["version"]
    assert "torch" in {library["internal_api"] for library in made["libraries"]}
    assert made["cost"]["peak_bytes"] > 1e8 and made["cost"]["seconds"] > 0
    assert made["git"] is None

    def git(*arguments):
        name = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"]
        done = subprocess.run(
            ["git", *name, *arguments], cwd=project.path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", "workflow", "Snakefile")
    git("commit", "-qm", "all")
    manifest = f"results/{FOLD}/manifest.json"
    assert project.emodag("run", manifest).returncode == 0
    hit = project.json(place)
    assert hit["hit"] is True and hit["saved"] == made["cost"]
    assert hit["made"]["started"] == made["started"]
    assert hit["git"] == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (project.path / "Snakefile").write_text(project.read("Snakefile") + "# mine\n")
    assert project.emodag("run", manifest).returncode == 0
    assert project.json(place)["git"]["dirty"] is True
    facts = json.loads(lineage(project, FOLD, "--json"))["jobs"][FOLD]["execution"]
    assert facts["started"][:19] == made["started"][:19] and facts["cost"] == made["cost"]
