"""A job's lines: whole, in its own log, and never a reason to fail."""

import subprocess
import sys
from pathlib import Path

import emodag
from ledger.run import progress, turn
from ledger.run.talk import Talk


def test_a_log_that_is_a_link_is_replaced(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "log").symlink_to(tmp_path / "precious")
    Talk("job", tmp_path / "log").run("ab" * 32)
    assert (tmp_path / "precious").read_text() == "kept"
    assert (tmp_path / "log").read_text() == "RUN  abababababab  job\n"


def test_a_log_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    Talk("job", tmp_path / "file/log").error("why")
    assert capsys.readouterr().err == "ERROR job: why\n"


def test_an_error_that_comes_at_the_end_is_only_logged_now(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(progress.VARIABLE, progress.LINES)
    Talk("job", tmp_path / "log").error("why")
    assert capsys.readouterr().err == ""
    assert (tmp_path / "log").read_text() == "ERROR job: why\n"
    (tmp_path / "file").write_text("")
    for log in (None, tmp_path / "file/log"):  # from where nobody could take it
        Talk("job", log).error("why")
        assert capsys.readouterr().err == "ERROR job: why\n"


def test_an_error_in_a_run_that_another_has_followed_is_said_now(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(progress.VARIABLE, progress.LINES)
    monkeypatch.setenv(turn.VARIABLE, "20260101T000000-00000000")
    turn.CURRENT.parent.mkdir(parents=True)
    for current, said in (("20260101T000000-00000000", ""), ("another", "ERROR job: why\n")):
        turn.CURRENT.write_text(current)
        Talk("job", tmp_path / "log").error("why")
        assert capsys.readouterr().err == said


def test_what_another_job_has_warned_of_is_only_logged(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(turn.VARIABLE, "20260101T000000-00000000")
    for job in ("a", "b"):
        Talk(job, tmp_path / job).warn("beware")
    assert capsys.readouterr().err == "WARNING a: beware\n"
    assert (tmp_path / "b").read_text() == "WARNING b: beware\n"


def test_lines_of_jobs_that_speak_at_once_stay_apart(tmp_path):
    program = "from ledger.run.talk import Talk\nfor _ in range(2000): Talk('job').say('x' * 80)"
    home = Path(emodag.__file__).parents[1]
    with (tmp_path / "said").open("w") as said:
        jobs = [
            subprocess.Popen([sys.executable, "-c", program], stderr=said, cwd=home)
            for _ in range(4)
        ]
        assert [job.wait() for job in jobs] == [0] * 4
    assert set((tmp_path / "said").read_text().splitlines()) == {"x" * 80}
