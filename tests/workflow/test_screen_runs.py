"""What a run shows: a few lines, on a terminal one that is redrawn, and what matters last."""

import csv
import fcntl
import html
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

import pytest

from ledger.snakemake.screen import MEND, STOPPED
from tests.project import START, forked, surroundings

TABLE = "results/local/table/manifest.json"
FOLDS = "results/local/folds/manifest.json"
SCALED = "results/local/published/scaled/all/manifest.json"
TEACHER = "results/local/nested/seed1/gen0/fold0/manifest.json"
SNAKEMAKES = ("Reason", "reason:", "jobid", "Select jobs", "[Mon", "Job stats", "rule ", "steps (")
"""Words of Snakemake's own output."""

CLEAR = r"\x1b\[K"


def fails(project, stage, how="raise InputError('no good')"):
    """Have a stage fail."""
    (project.path / f"workflow/emodag/stages/{stage}.py").write_text(
        f"from ledger.errors import InputError\n\n\ndef run(*_):\n    {how}\n"
    )


def on_a_terminal(project, *arguments, press=None):
    """Run Snakemake on a terminal of 100 columns; status, all that was written, what stays.

    `press` is a pattern: once it has been written, Ctrl-C is pressed.
    """
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(project.path)
        command = [*START, "-m", "snakemake", "-c2", *arguments, "--configfile", "small.yaml"]
        variables = forked()
        if press:  # whoever started the tests may ignore Ctrl-C, as behind a shell's `&`
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            variables = surroundings()
        os.execve(sys.executable, command, {**variables, "TERM": "xterm"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 40, 100, 0, 0))
    written, end = "", time.monotonic() + 240
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                piece = os.read(terminal, 1 << 16)
            except OSError:  # what Linux says when the other side is closed
                break
            if not piece:
                break
            written += piece.decode(errors="replace")
        if press and re.search(press, written):
            os.write(terminal, b"\x03")
            press = None
    is_over = time.monotonic() < end  # nobody has the terminal open any more
    if not is_over:
        os.killpg(process, signal.SIGKILL)
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert is_over, written[-2000:]
    return status, written, stays(written)


def stays(written):
    """The lines that a terminal shows in the end."""
    lines, column = [""], 0
    for piece in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", written):
        if piece == "\n":
            lines.append("")
            column = 0
        elif piece == "\r":
            column = 0
        elif re.fullmatch(CLEAR, piece):
            lines[-1] = lines[-1][:column]
        elif not piece.startswith("\x1b"):
            lines[-1] = lines[-1][:column] + piece + lines[-1][column + len(piece) :]
            column += len(piece)
    return [line.rstrip() for line in lines if line.strip()]


def lines_of(done):
    return done.stderr.splitlines()


def test_without_a_terminal_a_line_per_job_and_all_of_it_in_snakemakes_log(project):
    done = project.snakemake(FOLDS)
    first, *runs, last = lines_of(done)
    assert first == "2 jobs to run" and last.startswith("emodag: 2 jobs, 0 hits; took ")
    # Where the machine is busy, half a minute on, how far it is.
    assert [line.split()[0] for line in runs if " of 2 jobs" not in line] == ["RUN", "RUN"]
    assert done.stderr.replace("\n", "").isprintable()
    (log,) = (project.path / ".snakemake/log").glob("*.snakemake.log")
    text = log.read_text()
    assert "Reason: Missing output files" in text and "2 of 2 steps (100%) done" in text
    assert "DONE " in project.read("results/local/table/ingest.log")


def test_on_a_terminal_one_line_is_redrawn(project):
    project.configure(training={"epochs": 100})
    status, written, left = on_a_terminal(project, TEACHER)
    assert status == 0
    drawn = written.split("\r")
    assert any(re.search(r"\d+% \|.*\| 3 of 4 jobs.*; gen0/fold0 \d+/100", line) for line in drawn)
    assert any(re.search(r"about \d+ (s|minutes) left", line) for line in drawn)
    assert not any(word in written for word in SNAKEMAKES), written
    (line,) = left
    assert line.startswith("emodag: 4 jobs, 0 hits; took ")


def test_nothing_to_do_is_said_as_snakemake_says_it(nested):
    done = nested.snakemake("results/submission.csv")
    (line,) = lines_of(done)
    assert line.startswith("Nothing to be done")


def test_the_end_tells_the_score_as_the_report_has_it_and_what_is_next(reported):
    said = reported.read("said").splitlines()
    end = said[next(at for at, line in enumerate(said) if re.match(r"emodag: \d+ jobs", line)) :]
    text = reported.read("results/report.html")
    page = html.unescape(re.sub("</?code>", "`", re.sub("</?span>", "", text)))
    titles = ("Score to expect of new people", "Against a simple learner")
    titles += ("Self-training", "People it fails")
    for line, title in zip(end[1:5], titles, strict=True):
        figure, _, text = line.removeprefix(f"{title}: ").partition(". ")
        assert f'<h2>{title}</h2>\n<span class="figure">{figure}{text}</li>' in page
    found = [
        float(row["macro_f1_last_epoch"])
        for row in csv.DictReader(reported.read("results/scores.csv").splitlines())
        if (row["protocol"], row["stage"]) == ("nested", "gen2")
    ]
    assert f": {sum(found) / len(found):.3f}. Macro-F1 of generation 2 " in end[1]
    hidden = r"Score on the hidden people: 0\.\d{3}\. .+ of the published protocol\. The nested .+"
    assert re.fullmatch(hidden, end[5])
    made = set(end[6].removeprefix("Made: ").split(", "))
    assert {"results/scores.csv", "results/report.html"} <= made
    first, *steps = end[7:]
    assert first == "Next: open results/report.html, results/index.html" and len(steps) == 3
    assert all(f"<li>{step.removeprefix('Next: ')}</li>" in page for step in steps)


def test_a_warning_comes_again_at_the_end(project):
    text = project.read("test.csv").replace("f0,f1", "f1,f0", 1)
    (project.path / "test.csv").write_text(text)
    warning = "WARNING local/table: test.csv: features are ordered as in train.csv, by name"
    said = lines_of(project.snakemake(TABLE))
    assert said.count(warning) == 2 and said[-1] == warning


def test_a_failure_comes_last_with_what_to_do(project):
    project.configure(folds=7)
    done = project.snakemake(FOLDS, check=False)
    *_, summary, failed, error, log, mend = lines_of(done)
    assert done.returncode == 1 and summary.startswith("emodag: 1 job, 0 hits;")
    assert failed == "emodag: 1 job failed" and mend == MEND
    assert error.startswith("ERROR local/folds: the training table holds 6 persons")
    assert log == "  log: results/local/folds/folds.log"
    assert sum(line.startswith("ERROR ") for line in lines_of(done)) == 1, "here and nowhere else"
    assert not any(word in done.stderr for word in ("Traceback", "CalledProcessError", *SNAKEMAKES))
    (whole,) = (project.path / ".snakemake/log").glob("*.snakemake.log")
    assert "Error in rule folds:" in whole.read_text()


def test_each_of_several_failures_once_and_a_crash_with_its_traceback(project):
    project.configure(protocols=["published"])
    fails(project, "folds")
    fails(project, "scale", "raise RuntimeError('a bug')")
    done = project.snakemake("-k", FOLDS, SCALED, check=False)
    said = lines_of(done)
    end = said[said.index("emodag: 2 jobs failed") + 1 :]
    assert end[-1] == MEND and len(end) == 5
    assert end.count("ERROR local/folds: no good") == 1
    crashed = "ERROR local/published/scaled/all: what it said is above, and in its log"
    assert end.count(crashed) == 1
    assert "RuntimeError: a bug" in said and "Error in rule scale:" in done.stderr


def test_ctrl_c_is_one_line(project):
    project.configure(training={"epochs": 100_000})
    status, written, left = on_a_terminal(project, TEACHER, press=r"gen0/fold0 \d+/100000")
    assert status != 0 and "Traceback" not in written and "ERROR" not in written
    assert [line for line in left if not line.startswith("^C")] == [f"emodag: {STOPPED}"]


@pytest.mark.parametrize("option", ["-n", "--verbose"])
def test_who_asks_for_more_gets_snakemakes_own_output(project, option):
    done = project.snakemake("results/local/table/manifest.json", option)
    assert "Reason: Missing output files" in done.stderr and "Job stats:" in done.stderr
    assert ": Read the raw tables (local)\n" in done.stderr
    assert "to run" not in done.stderr
    assert ("DONE " in done.stderr) == (option != "-n")


def test_quiet_is_as_quiet_as_before(project):
    done = project.snakemake("results/local/table/manifest.json", "--quiet", "all")
    assert [line.split()[0] for line in lines_of(done)] == ["RUN", "DONE", "emodag:"]


def test_a_wrong_configuration_is_the_last_line_and_the_only_one(project):
    project.configure(generation=2)
    for option in ("-n", "--forceall"):
        done = project.snakemake(option, check=False)
        assert done.returncode == 1
        assert lines_of(done)[-2:] == [
            "emodag: error: the configuration is wrong:",
            "  generation: no such key; did you mean 'generations'?",
        ]
        assert not re.search("common.smk|WorkflowError|Traceback", done.stderr)
    assert len(lines_of(done)) == 2


def test_what_is_not_a_run_is_left_alone(project):
    done = project.snakemake("--summary")
    assert "Building DAG of jobs..." in done.stderr and "extended by additional" in done.stderr
