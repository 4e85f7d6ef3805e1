"""`ledger` by itself: real runs of examples/words, where there is no emodag to be imported."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import ledger
from tests.project import ROOT, START, forked, jobs, once

COUNTS = ["count/alice", "count/moby"]
ALL = [*COUNTS, "ranking"]


@dataclass
class Words:
    """A copy of the example, and of the package beside it."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "Words":
        own = shutil.ignore_patterns("results", ".words", ".snakemake")
        shutil.copytree(ROOT / "examples/words", path / "words", ignore=own)
        shutil.copytree(ROOT / "workflow/ledger", path / "library/ledger")
        (path / "library/emodag.py").write_text("raise ImportError('ledger stands alone')\n")
        return cls(path / "words")

    def start(self, *command: str, **variables: str) -> subprocess.Popen:
        """Start `python -m COMMAND`, as a fork where there may be one."""
        inherited = {k: v for k, v in forked().items() if k not in ("LEDGER_NAME", "LEDGER_SETUP")}
        # Snakemake finds what lies beside a Snakefile; Python, but for `-P`, what lies here.
        here = [str(self.path)] if command[0] == "words" else []
        path = os.pathsep.join([*here, str(self.path.parent / "library")])
        return subprocess.Popen(
            [*START, "-m", *command],
            cwd=self.path,
            env={**inherited, "PYTHONPATH": path, **variables},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def ends(self, *command: str, **variables: str) -> subprocess.CompletedProcess:
        """The same, once it has ended; all that it said is in `stderr`."""
        process = self.start(*command, **variables)
        said, _ = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, said, said)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """`snakemake -c2`, which goes well."""
        done = self.ends("snakemake", "-c2", *arguments, **variables)
        assert done.returncode == 0, done.stderr
        return done

    def started_nothing(self) -> bool:
        done = self.run()
        return "Nothing to be done" in done.stderr and not jobs(done, "HIT")

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.path / file).read_text()
        assert old in text
        (self.path / file).write_text(text.replace(old, new))

    def results(self) -> dict[str, str]:
        """Every manifest, and the ranking, by their paths."""
        found = [*self.path.rglob("*manifest.json"), self.path / "results/ranking.csv"]
        return {str(path.relative_to(self.path)): path.read_text() for path in found}


@pytest.fixture(scope="module")
def finished(shared) -> Words:
    """The example run once; not to be changed."""

    def make(place: Path) -> None:
        done = Words.create(place).run()
        assert jobs(done, "RUN") == ALL and jobs(done, "HIT") == []
        assert "words: 3 jobs, 0 hits; took " in done.stderr

    return Words(once(shared / "words", make) / "words")


@pytest.fixture
def words(finished, tmp_path) -> Words:
    """A copy of the finished example, times included, to be changed at will."""
    shutil.copytree(finished.path.parent, tmp_path / "copy", symlinks=True)
    return Words(tmp_path / "copy/words")


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


def test_the_first_run_and_the_next(finished):
    ranking = finished.results()["results/ranking.csv"]
    assert ranking.splitlines()[:3] == ["word,count", "alice,2", "book,2"]
    manifest = json.loads(finished.results()["results/count/moby/manifest.json"])
    assert list(manifest["ingredients"]["code"]) == ["words", "words.count"]
    assert sorted(path.name for path in finished.path.iterdir() if path.name[0] == ".") == [
        *(".gitignore", ".snakemake", ".words"),
    ]
    assert finished.started_nothing()


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


def test_two_directories_share_a_store(finished, tmp_path):
    other = Words.create(tmp_path / "other")
    done = other.run(WORDS_STORE=str(finished.path / ".words/store"))
    assert jobs(done, "HIT") == ALL and jobs(done, "RUN") == []
    assert other.results() == finished.results()
    assert not (other.path / ".words/store").exists()
