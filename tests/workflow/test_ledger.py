"""`ledger` by itself: real runs of examples/words, where there is no emodag to be imported."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ledger
from tests.project import ROOT, jobs
from tests.words import ALL, COUNTS, Words


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
