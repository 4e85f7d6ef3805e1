"""`why` names what changed, says what Snakemake will do, and touches nothing."""

import json
import re

import pytest

STUDENT = "local/nested/seed1/gen1/fold0"


def ask(project, target, *options):
    """The answer as JSON."""
    done = project.emodag("why", target, "--configfile", "small.yaml", "--json", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def say(project, target, *options):
    """The answer as people see it."""
    done = project.emodag("why", target, "--configfile", "small.yaml", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def edit(project, path, old, new):
    text = project.read(path)
    assert old in text
    (project.path / path).write_text(text.replace(old, new))


def everything(project):
    """Times and sizes of all the files of a project, and its directories, but for the bytecode."""
    return {
        path: path.is_file() and (path.stat().st_mtime_ns, path.stat().st_size)
        for path in project.path.rglob("*")
        if "__pycache__" not in path.parts and "emodag" not in path.parts[-2:]
    }


def test_nothing_changed(finished):
    before = everything(finished)
    for target in (
        "submission",
        "submission.csv",
        "results/submission.csv",
        "./results/submission.manifest.json",
        str(finished.path / "results/submission.csv"),
    ):
        assert say(finished, target).startswith("submission: up to date, key ")
    answer = ask(finished, f"results/{STUDENT}/test.parquet")
    assert answer["job"] == STUDENT and answer["outcome"] == "fresh" and not answer["runs"]
    assert answer["reasons"] == answer["causes"] == answer["would_run"] == []
    assert everything(finished) == before


def test_a_parameter(finished):
    before = everything(finished)
    change = ("--config", "training={weight_decay: 0.5}")
    answer = ask(finished, STUDENT, *change)
    reason = {"kind": "parameter", "what": "training.weight_decay", "old": 0.001, "new": 0.5}
    assert answer["reasons"] == [reason]
    assert answer["outcome"] == "open", "its pseudo-labels come from a teacher that changes too"
    (cause,) = answer["causes"]
    assert (cause["job"], cause["outcome"]) == ("local/nested/seed1/gen0/fold0", "compute")
    assert cause["reasons"] == [reason] and cause["key"]["old"] != cause["key"]["new"]
    assert answer["after"] == ["local/nested/seed1/gen1/pseudo_labels/fold0"]
    text = say(finished, "submission", *change)
    assert "submission would run again" in text
    assert "input: local/published/seed1/gen2/blend would run before" in text
    assert "first cause: local/published/seed1/gen0/all and 4 more\n" in text
    assert text.count("  parameter training.weight_decay: 0.001 -> 0.5\n") == 1
    assert everything(finished) == before


def test_a_function_in_a_module(copy_of_finished):
    project = copy_of_finished
    blending = "workflow/emodag/science/blending.py"
    (project.path / blending).write_text("# a comment\n" + project.read(blending))
    assert ask(project, "submission")["outcome"] == "fresh"
    edit(project, blending, "def mean_probabilities(", "LIMIT = 3\n\n\ndef mean_probabilities(")
    what = "constant LIMIT is new in emodag.science.blending"
    answer = ask(project, "local/nested/seed1/gen1/blend")
    assert answer["reasons"] == [{"kind": "code", "what": what}]
    assert ask(project, STUDENT)["outcome"] == "fresh"
    body = project.read(blending)
    last = body.rstrip().splitlines()[-1]
    edit(project, blending, last, last.replace("return ", "return 1 * "))
    text = say(project, "submission")
    assert "code: function mean_probabilities changed in emodag.science.blending" in text
    book = project.path / "results/.plan/.code"
    for page in book.iterdir():
        page.unlink()
    assert "code: something changed in emodag.science.blending" in say(project, "submission")


def test_a_raw_file_is_the_first_cause(copy_of_finished):
    project = copy_of_finished
    memory = project.path / "results/.plan/sources.json"
    before = memory.exists() and memory.read_bytes()
    edit(project, "train.csv", "e+32", "e+31")
    text = say(project, "scores")
    assert re.search(r"first cause: local/table: computed\n  input: train: train\.csv \w+ ->", text)
    assert (memory.exists() and memory.read_bytes()) == before
    (project.path / "train.csv").unlink()
    done = project.emodag("why", "scores", "--configfile", "small.yaml")
    assert done.returncode == 1 and "train.csv: No such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_numpy(copy_of_finished):
    project = copy_of_finished
    old = re.search(r"^numpy==(\S+)", project.read("envs/local.lock"), re.MULTILINE)[1]
    edit(project, "envs/local.lock", f"numpy=={old}", "numpy==9.9.9")
    answer = ask(project, "local/table")
    reason = {"kind": "environment", "what": "numpy", "old": old, "new": "9.9.9"}
    assert answer["reasons"] == [reason]
    assert answer["outcome"] == "refused" and f"installed {old}" in answer["refusal"]
    assert f"environment: numpy: {old} -> 9.9.9" in say(project, "submission")


def test_files_that_are_missing_or_damaged(copy_of_finished):
    project = copy_of_finished
    home = project.path / "results" / STUDENT
    (home / "history.parquet").unlink()
    (home / "test.parquet").write_bytes(b"short")
    answer = ask(project, STUDENT)
    assert [reason["what"].partition(STUDENT)[2] for reason in answer["reasons"]] == [
        "/history.parquet does not exist",
        "/test.parquet has 5 bytes instead of "
        + str(project.json(f"results/{STUDENT}/manifest.json")["outputs"]["test.parquet"]["bytes"]),
    ]
    assert answer["outcome"] == "hit" and answer["key"]["old"] == answer["key"]["new"]
    edit(project, f"results/{STUDENT}/manifest.json", '"stage": "student"', '"stage": "blend"')
    assert "file: its manifest is damaged" in say(project, STUDENT)
    (home / "manifest.json").unlink()
    answer = ask(project, "scores")
    assert answer["outcome"] == "hit", "the store lends the digests that the manifest held"
    assert answer["causes"][0]["reasons"] == [
        {"kind": "file", "what": "its manifest does not exist"}
    ]


def test_it_foretells_what_snakemake_starts(copy_of_finished):
    """Whoever only looked before, with another configuration, has changed nothing."""
    project = copy_of_finished
    project.snakemake("-n", "--config", "pseudo_labels={boost: {HVHA: 2.0}}")
    assert ask(project, "submission")["outcome"] == "fresh"
    quality = "workflow/emodag/science/tables/quality.py"
    (project.path / quality).write_text(project.read(quality) + "\nSPARE = 1\n")
    answer = ask(project, "submission")
    planned = project.snakemake("-n", "-p", "results/submission.csv").stdout
    started = {
        manifest.removesuffix("manifest.json").rstrip("/.")
        for manifest in re.findall(r"emodag run results/(\S+)", planned)
    }
    assert started == set(answer["would_run"]) and len(started) > 3


def test_a_reverted_parameter_comes_from_the_store(copy_of_finished):
    project = copy_of_finished
    other = ("--config", "data={classes: [a, b, c, d]}")
    assert ask(project, "leaderboard", *other)["outcome"] == "open"
    target = "results/local/table/manifest.json"
    project.snakemake(target, *other)
    assert ask(project, "local/table", *other)["outcome"] == "fresh"
    answer = ask(project, "local/table")
    assert (answer["outcome"], answer["runs"]) == ("hit", True)
    assert "local/table would run again: restored from the store" in say(project, "local/table")


def test_a_job_by_the_beginning_of_its_key(finished):
    key = finished.json(f"results/{STUDENT}/manifest.json")["key"]
    told = finished.emodag("why", key[:8], "--configfile", "small.yaml").stdout
    assert told.startswith(f"{STUDENT}: up to date, key {key[:12]}.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gen1/fold0", "--configfile", "small.yaml"], f"did you mean '{STUDENT}'?"),
        (["results/submision.csv"], "did you mean 'results/submission.csv'? (jobs of the confi"),
        (["../../etc/passwd"], "no such job, manifest or result"),
        (["submission", "--configfile", "absent.yaml"], "absent.yaml: no such configuration file"),
        (["submission", "--config", "folds"], "defined as name=value pairs"),
        (["submission", "--config", "folds=["], "folds: expected a whole number from 2"),
        (["submission", "--config", "foldz=2"], "did you mean 'folds'?"),
    ],
)
def test_mistakes(finished, arguments, message):
    done = finished.emodag("why", *arguments)
    assert done.returncode == 1 and message in done.stderr
    assert done.stderr.startswith("emodag: error: ") and "Traceback" not in done.stderr
