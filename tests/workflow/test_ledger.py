"""`ledger` by itself: real runs of examples/words, where there is no emodag to be imported."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

import ledger
from tests.project import ROOT, jobs
from tests.words import ALL, COUNTS, Words, behind


def test_the_public_names():
    """All of them are there, and to import the package imports nothing else of it."""
    assert all(getattr(ledger, name).__name__ == name for name in ledger.__all__)
    asked = "import sys, ledger; print(*[name for name in sys.modules if 'ledger' in name])"
    path = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    assert subprocess.check_output([sys.executable, "-c", asked], env=path) == b"ledger\n"
    with pytest.raises(ImportError, match="cannot import name 'Chain'"):
        from ledger import Chain  # noqa: F401


def test_the_page_shows_the_example():
    page = (ROOT / "docs/ledger.md").read_text()
    block = r"^```(?:python)?\n# (examples/words/\S+)\n(.*?)^```"
    shown = re.findall(block, page, re.DOTALL | re.MULTILINE)
    assert len(shown) == 5
    for name, text in shown:
        assert text == (ROOT / name).read_text(), name


def test_the_first_run_and_the_next(finished_words):
    ranking = finished_words.results()["results/ranking.csv"]
    assert ranking.splitlines()[:3] == ["word,count", "alice,2", "book,2"]
    manifest = json.loads(finished_words.results()["results/count/moby/manifest.json"])
    assert list(manifest["ingredients"]["code"]) == ["words", "words.count"]
    assert sorted(path.name for path in finished_words.path.iterdir() if path.name[0] == ".") == [
        *(".gitignore", ".snakemake", ".words"),
    ]
    assert finished_words.started_nothing()


def test_a_parameter_changed_and_back(words):
    before = words.results()
    done = words.run("--config", "top=3")
    assert jobs(done, "RUN") == ["ranking"] and jobs(done, "HIT") == []
    assert words.results()["results/ranking.csv"].count("\n") == 4
    done = words.run()
    assert jobs(done, "HIT") == ["ranking"] and jobs(done, "RUN") == []
    assert words.results() == before


def test_code_that_says_the_same_and_code_that_makes_the_same(words):
    before = words.results()["results/ranking.csv"]
    words.edit("words/count.py", "    words = re", "    # All of them.\n    words = re")
    assert words.started_nothing()
    words.edit("words/count.py", r'r"\w+"', r'r"[\w]+"')
    said = words.ends("words", "why", "ranking").stderr
    assert "first cause: count/alice and 1 more" in said and "function run changed" in said
    done = words.run()
    assert jobs(done, "RUN") == COUNTS and jobs(done, "HIT") == ["ranking"]
    assert words.results()["results/ranking.csv"] == before


def test_why_and_lineage(words):
    asked = ("why", "ranking", "--config")
    assert words.ends("words", *asked, "top=5").stderr.startswith("ranking: up to date, key ")
    said = words.ends("words", *asked, "top=6").stderr
    assert "ranking would run again: computed" in said and "parameter top: 5 -> 6" in said
    said = words.ends("words", "lineage").stderr
    assert "text: texts/moby.txt" in said and "labels" not in said
    said = words.ends("words", "why", "rankin").stderr
    assert said.startswith("words: error: rankin: no such job") and "mean 'ranking'?" in said


def test_damaged_files(words):
    before = words.results()
    counts, ranking = words.path / "results/count/moby/counts.json", "results/ranking.csv"
    counts.write_text(counts.read_text() + " ")
    words.edit(ranking, "alice", "malic")
    done = words.ends("words", "verify")
    assert done.returncode == 1 and f"DAMAGED {ranking}" in done.stderr
    assert "DAMAGED results/count/moby/counts.json" in done.stderr
    done = words.run()
    assert jobs(done, "HIT") == ["count/moby", "ranking"] and jobs(done, "RUN") == []
    assert words.ends("words", "verify").returncode == 0 and words.results() == before


def test_a_killed_job(words):
    """The others go on, and the same command again does what is left."""
    shutil.rmtree(words.path / "results")
    shutil.rmtree(words.path / ".words")
    waits = """\
    name = inputs["text"].read_text()[:4]
    Path(f"{name}.pid").write_text(str(os.getpid()))
    while Path("wait").exists():
        time.sleep(0.01)
    words = re"""
    words.edit("words/count.py", "import json", "import json\nimport os\nimport time")
    words.edit("words/count.py", "import Counter", "import Counter\nfrom pathlib import Path")
    words.edit("words/count.py", "    words = re", waits)
    wait, alice, moby = (words.path / name for name in ("wait", "Alic.pid", "Call.pid"))
    wait.touch()
    process = words.start("snakemake", "-c2")
    try:
        deadline = time.monotonic() + 60
        while not (_written(alice) and _written(moby)) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(int(moby.read_text()), signal.SIGKILL)
    finally:
        wait.unlink()
    said, _ = process.communicate()
    assert process.returncode == 1 and "DONE" in said and "Traceback" not in said
    assert not (words.path / "results/count/moby").exists() or not list(
        (words.path / "results/count/moby").glob("*.json")
    )
    done = words.run()
    assert jobs(done, "RUN") == ["count/moby", "ranking"] and jobs(done, "HIT") == []
    assert words.ends("words", "verify").returncode == 0


def _written(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def test_two_directories_share_a_store(finished_words, tmp_path):
    other = Words.create(tmp_path / "other")
    done = other.run(WORDS_STORE=str(finished_words.path / ".words/store"))
    assert jobs(done, "HIT") == ALL and jobs(done, "RUN") == []
    assert other.results() == finished_words.results()
    assert not (other.path / ".words/store").exists()


def test_a_further_store(finished_words, tmp_path):
    """It is filled by `push`, and read where one's own has nothing, without starting a job."""
    lab = tmp_path / "lab"
    asked = ("words", "push", "--to", str(lab))
    said = finished_words.ends(*asked)
    assert said.returncode == 1 and f"{lab}: there is no such directory" in said.stderr
    lab.mkdir()
    assert "3 records and 3 files put there, 0.0 MB." in finished_words.ends(*asked).stderr
    assert "all of 3 jobs were there." in finished_words.ends(*asked, "ranking").stderr
    other = behind(Words.create(tmp_path / "other"), lab)
    said = other.ends("words", "why", "ranking").stderr
    assert "ranking would run again: restored from the store" in said
    assert not (other.path / ".words/store").exists()
    done = other.run()
    assert jobs(done, "HIT") == ALL and jobs(done, "RUN") == []
    assert "Nothing to be done" in done.stderr and "Select jobs to execute" not in done.stderr
    assert other.results() == finished_words.results()
    # What has come through is one's own.
    shutil.rmtree(lab)
    shutil.rmtree(other.path / "results")
    done = other.run()
    assert jobs(done, "HIT") == ALL and "passed over" not in done.stderr
    done = other.run("--config", "top=3")
    assert jobs(done, "RUN") == ["ranking"]
    assert done.stderr.count("WARNING") == 1
    assert f"WARNING store: {lab} is passed over: there is no such directory" in done.stderr


def test_a_key_that_is_known_only_after_another_job(words, tmp_path):
    """The ranking's, as its counts come from other code, which makes the same."""
    lab = tmp_path / "lab"
    lab.mkdir()
    words.ends("words", "push", "--to", str(lab))
    shutil.rmtree(words.path / ".words")
    shutil.rmtree(words.path / "results")
    behind(words, lab).edit("words/count.py", r'r"\w+"', r'r"[\w]+"')
    done = words.run()
    assert jobs(done, "RUN") == COUNTS and jobs(done, "HIT") == ["ranking"]


def test_pull_and_what_it_says(finished_words, tmp_path):
    lab = tmp_path / "lab"
    lab.mkdir()
    finished_words.ends("words", "push", "--to", str(lab), "count/moby")
    other = behind(Words.create(tmp_path / "other"), lab, tmp_path / "gone")
    said = other.ends("words", "pull")
    assert said.returncode == 1 and "gone is passed over: there is no such dir" in said.stderr
    assert "has 1 of 3 jobs now, 1 of them fetched (0.0 MB)" in said.stderr
    assert [*(other.path / "results").iterdir()] == [], "where it is for, and nothing in it"
    said = other.ends("words", "pull", "mobi")
    assert "words: error: mobi: no such job" in said.stderr and "count/moby" in said.stderr
    assert "results: holds no manifest." in other.ends("words", "push", "--to", "x").stderr
    assert jobs(other.run(), "HIT") == ["count/moby"]
    said = other.ends("words", "push").stderr
    assert f"names 2 further stores ({lab}, {tmp_path / 'gone'}); say by --to where to" in said
    assert "no further store; say by --to" in finished_words.ends("words", "push").stderr
    assert "names no further store" in finished_words.ends("words", "pull").stderr


def test_a_further_store_without_its_package(tmp_path):
    """Neither is installed here, so a run ends before it begins, with what installs it."""
    if find_spec("obstore"):
        pytest.skip("obstore is here")
    done = behind(Words.create(tmp_path / "words"), "s3://lab/words").ends("snakemake", "-c1")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "words: error: s3://lab/words: to use this store takes the package obs" in done.stderr
    assert "-m pip install obstore` installs it" in done.stderr
