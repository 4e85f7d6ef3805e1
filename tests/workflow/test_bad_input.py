"""What a user can get wrong, through real Snakemake: one clear error, nothing half-written.

`tests/unit/emodag/test_ingest_bad_input.py` holds the rest of what a table can have wrong with it.
"""

import re

from tests.project import jobs


def test_a_table_that_cannot_be_used(project):
    lines = project.read("train.csv").splitlines()
    cells = lines[7].split(",")
    cells[3] = "high"
    lines[7] = ",".join(cells)
    (project.path / "train.csv").write_text("\n".join(lines) + "\n")
    done = project.snakemake("results/submission.csv", check=False)
    assert done.returncode != 0
    (line,) = {line for line in done.stderr.splitlines() if line.startswith("ERROR local/table:")}
    assert re.search(r"train\.csv.*f2.*row 7.*high", line), line
    assert "Traceback" not in done.stderr
    left = {path.name for path in (project.path / "results/local").rglob("*") if path.is_file()}
    assert left <= {"ingest.log"}
    assert not (project.path / "results/submission.csv").exists()


def test_a_missing_file_is_an_error_before_anything_runs(project):
    project.configure(data={"train": "nowhere.csv"})
    done = project.snakemake("results/submission.csv", check=False)
    assert done.returncode != 0 and jobs(done, "RUN") == []
    assert "nowhere.csv: No such file or directory. It is named under `data`" in done.stderr


def test_a_batch_larger_than_the_table(nested):
    nested.configure(training={"batch": 4096})
    done = nested.snakemake("results/submission.csv", check=False)
    assert done.returncode != 0 and "Lower `training.batch`" in done.stderr


def test_a_section_given_twice(project):
    text = project.read("small.yaml")
    (project.path / "small.yaml").write_text(f"{text}training: {{epochs: 9}}\n")
    done = project.snakemake("-n", check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    first, last = text.splitlines().index("training:") + 1, text.count("\n") + 1
    assert f"small.yaml: training: on lines {first}, {last}" in done.stderr


def test_the_wrong_environment_is_refused_with_the_differences(project):
    lock = project.path / "envs/local.lock"
    lock.write_text(lock.read_text().replace("numpy==1.26.4", "numpy==1.26.3"))
    done = project.snakemake("results/submission.csv", check=False)
    assert done.returncode != 0 and "RUN" not in done.stderr.split()
    assert "numpy: locked 1.26.3, installed 1.26.4" in done.stderr
    assert not (project.path / ".emodag/store/actions").exists()


def test_a_wildcard_that_the_configuration_does_not_ask_for(project):
    done = project.snakemake("results/local/nested/seed9/gen1/blend/manifest.json", check=False)
    assert done.returncode != 0 and "MissingRuleException" in done.stderr
    assert "did you mean 'results/local/nested/seed" in done.stderr.splitlines()[-1]


def test_a_slip_in_a_target(project):
    done = project.snakemake("-n", "results/reprot.html", "results/scores.csv", check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("emodag: error: results/reprot.html: no such job, manifest or result")
    assert last.endswith("did you mean 'results/report.html'?")


def test_the_sentence_on_a_configuration_comes_last(project):
    wrong = ("seeds=3", "seed=3", "training={epoch: 3}")
    done = project.snakemake("-n", "--config", *wrong, check=False)
    assert done.returncode == 1 and "WorkflowError" not in done.stderr
    assert "Traceback" not in done.stderr and "common.smk" not in done.stderr
    first, *faults = done.stderr.splitlines()[-4:]
    assert first == "emodag: error: the configuration is wrong:"
    assert set(faults) == {
        "  seeds: expected a list, such as [3]; found 3",
        "  seed: no such key; did you mean 'seeds'?",
        "  training.epoch: no such key; did you mean 'epochs'?",
    }


ABSENT = "absent.yaml: no such configuration file"
TAB = (
    "tab.yaml, line 3, column 1: not YAML: found character '\\t' that cannot start any token; "
    "indent by spaces, not by tabs"
)


def test_a_configuration_file_that_cannot_be_read_is_a_sentence(project):
    """As Snakemake reads it before the Snakefile, it finds the workflow's package by its name."""
    (project.path / "tab.yaml").write_text("folds: 3\ndata:\n\tlabel: mood\n")
    (project.path / "empty.yaml").write_text("# all by default\n")
    known = {"PYTHONPATH": str(project.path / "workflow")}
    for file, message in (("absent.yaml", ABSENT), ("tab.yaml", TAB)):
        said = f"emodag: error: {message}\n"
        done = project.snakemake("-n", configfiles=(file,), check=False, **known)
        assert (done.returncode, done.stderr) == (1, said)
        assert project.emodag("check", file).stderr == said
    both = ("small.yaml", "empty.yaml")
    assert "Job stats:" in project.snakemake("-n", configfiles=both, **known).stderr


def test_an_environment_without_its_conda_file(project):
    project.configure(environment="mine", environments={"mine": {"conda": "envs/mine.yaml"}})
    done = project.snakemake("-n", check=False)
    assert done.returncode != 0
    assert "environments.mine: envs/mine.yaml does not exist" in done.stderr
