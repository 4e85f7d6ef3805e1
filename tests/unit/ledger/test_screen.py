"""What is made of Snakemake's records, and that nothing is lost where they are not as expected."""

import logging
from types import SimpleNamespace

import pytest

from ledger.run import progress
from ledger.snakemake import screen

RULE = SimpleNamespace(norun=False)
WORKFLOW = SimpleNamespace(touch=False, local_exec=True, get_rule=lambda name: RULE)


class Snakemakes(logging.Handler):
    """Stands for Snakemake's handler: keeps what it is handed."""

    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


@pytest.fixture
def shown(monkeypatch):
    monkeypatch.setenv(progress.VARIABLE, "")  # so that it is put back as it was
    monkeypatch.delenv(progress.VARIABLE)
    return screen.Screen(Snakemakes(), WORKFLOW)


def log(to, text, event=None, level=logging.INFO, **facts):
    record = logging.LogRecord("snakemake", level, "", 0, text, None, None)
    vars(record).update(facts, event=event)
    to.handle(record)


def start(to):
    log(to, "Workflow has started!", "workflow_started")
    log(to, "Building DAG of jobs...")


def test_noise_of_a_run_is_dropped_and_the_rest_handed_on(shown):
    log(shown, "Config file config.yaml is extended by what you say")
    start(shown)
    for text in ("Using shell: /bin/sh", "A word of a later version", "Elapsed time: 1"):
        log(shown, text)
    log(shown, "beware", level=logging.WARNING)
    shown.close()
    assert shown._inner.texts == ["A word of a later version", "beware"]


def test_of_what_is_no_run_nothing_is_dropped(shown):
    log(shown, "Config file config.yaml is extended by what you say")
    log(shown, "Building DAG of jobs...")
    log(shown, "Config file config.yaml is extended again")
    shown.close()
    texts = shown._inner.texts
    assert len(texts) == 3 and texts[1] == "Building DAG of jobs..."


def test_where_something_is_not_as_expected_all_is_handed_on(shown):
    start(shown)
    log(shown, "Job stats", "run_info", statistics={})  # `stats` in Snakemake 9.27
    log(shown, "Using shell: /bin/sh")
    assert shown._inner.texts == ["Job stats", "Using shell: /bin/sh"]
    assert progress.VARIABLE not in screen.os.environ


def test_a_failure_that_a_later_attempt_mends_is_none(shown):
    start(shown)
    facts = {"rule_name": "folds", "jobid": 3, "output": ["results/local/folds/manifest.json"]}
    for level, event in ((logging.INFO, "job_info"), (logging.ERROR, "job_error")):
        log(shown, "folds", event, level, **facts, log=[], rule_msg=None)
    assert [failure.job for failure in shown.failures.values()] == ["local/folds"]
    log(shown, "folds", "job_info", **facts, log=[], rule_msg=None)
    log(shown, "folds", "job_finished", job_id=3)
    assert not shown.failures


def test_a_failure_beside_others_is_told_at_once(shown, tmp_path, capsys):
    start(shown)
    logs = {}
    for number, name in enumerate(("folds", "table")):
        logs[name] = [str(tmp_path / name)]
        (tmp_path / name).write_text(f"ERROR local/{name}: no good\n")
        facts = {"rule_name": name, "output": [f"results/local/{name}/manifest.json"]}
        log(shown, name, "job_info", **facts, jobid=number, rule_msg=None)
    for number, name in enumerate(("folds", "table")):
        facts = {"jobid": number, "output": [f"results/local/{name}/manifest.json"]}
        log(shown, name, "job_error", logging.ERROR, **facts, log=logs[name])
    assert capsys.readouterr().err == "local/folds failed; 1 other job still to end\n"
    assert [failure.said for failure in shown.failures.values()] == [
        ["ERROR local/folds: no good"],
        ["ERROR local/table: no good"],
    ]


def test_an_environment_that_could_not_be_built_says_so_itself(shown, tmp_path):
    start(shown)
    (tmp_path / "log").write_text("NOTE environment: so far\nERROR environment: no network\n")
    facts = {"jobid": 1, "output": [".emodag/environments/x/ready.json"]}
    log(shown, "x", "job_error", logging.ERROR, **facts, log=[str(tmp_path / "log")])
    assert shown.failures[1].said == ["ERROR environment: no network"]
    assert not shown._inner.texts


def test_an_error_of_snakemakes_own_is_handed_on(shown):
    start(shown)
    log(shown, "WorkflowError:\nno such thing", "error", logging.ERROR)
    log(shown, "WorkflowError:\nAt least one job did not complete", "error", logging.ERROR)
    assert len(shown._inner.texts) == 2 and shown.went_wrong


def test_another_snakemake_keeps_its_output():
    assert screen.take_over(SimpleNamespace(output_settings=SimpleNamespace())) is None


def test_jobs_tell_how_far_they_are(monkeypatch):
    monkeypatch.setenv(progress.VARIABLE, "emodag-of-a-test")
    ear = progress.Ear("emodag-of-a-test")
    bar = progress.Bar("local/x", 50, "epoch")
    bar.update(3, loss=0.5, F1=0.25)
    bar.update(1)  # too soon after the last
    assert ear.hear(1) == {
        "job": "local/x",
        "of": 50,
        "unit": "epoch",
        "done": 3,
        "figures": {"loss": "0.500", "F1": "0.250"},
    }
    assert ear.hear(0.01) is None
    ear.close()
    progress.tell(hit="x")  # nobody hears it any more
