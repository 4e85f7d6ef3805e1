"""The fenced blocks of a page, and the copy of the project that they are run in."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.project import tables

ROOT = Path(__file__).resolve().parents[3]

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

PRINTED = "printed by the block above"
PRINTED_ROUGHLY = "printed by the block above, but for its digits"

SMALL = {
    "protocols": ["published"],
    "folds": 2,
    "model": {"hidden": 16, "code": 8, "head": 8},
    "training": {"epochs": 20, "stage0_epochs": 1, "learning_rate": 0.02},
    "pseudo_labels": {"threshold": 0.4},
}
"""What the copy's default configuration has instead of the real one's: some twenty quick jobs."""

AS_IT_IS = ("your-data.md",)
"""Pages that begin with nothing and the real default configuration, so that numbers can be true."""


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, its language, its text, and the comment before it."""

    page: Path
    line: int
    language: str
    text: str
    comment: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def why_not_run(self) -> str | None:
        """The reason that is given for not running it."""
        found = re.fullmatch(r"not run: (.+)", self.comment)
        return found and found[1]

    @property
    def status(self) -> int:
        """The exit status that is announced for it."""
        found = re.fullmatch(r"exit status (\d+): .+", self.comment)
        return int(found[1]) if found else 0

    @property
    def file(self) -> str | None:
        """The file that the block is, by the comment in its first line."""
        found = re.match(r"# ([\w./-]+\.\w+)\n", self.text)
        return found and found[1]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    found, lines = [], page.read_text().splitlines()
    for start, end in _fences(lines):
        before = next((line for line in reversed(lines[:start]) if line.strip()), "")
        comment = re.fullmatch(r"<!-- (.+) -->", before.strip())
        found.append(
            Block(
                page=page,
                line=start + 1,
                language=lines[start].strip().removeprefix("```"),
                text="\n".join([*lines[start + 1 : end], ""]),
                comment=comment[1] if comment else "",
            )
        )
    return found


def _fences(lines: list[str]) -> Iterator[tuple[int, int]]:
    marks = [number for number, line in enumerate(lines) if line.lstrip().startswith("```")]
    assert len(marks) % 2 == 0, "a fence is not closed"
    return zip(marks[::2], marks[1::2], strict=True)


@dataclass(frozen=True)
class Copy:
    """A copy of what the repository holds, to run blocks in."""

    path: Path
    store: Path

    @classmethod
    def create(cls, path: Path, store: Path, *, as_it_is: bool = False) -> "Copy":
        path.mkdir(parents=True)
        for name in ("Snakefile", "README.md", "Makefile", "pyproject.toml", "config.yaml"):
            shutil.copy(ROOT / name, path / name)
        made = shutil.ignore_patterns("results", ".words", ".snakemake")
        for name in ("workflow", "envs", "docs", "examples"):
            shutil.copytree(ROOT / name, path / name, ignore=made)
        if not as_it_is:
            (path / "config.yaml").write_text(yaml.safe_dump(SMALL))
            # A reader's own, which pages may name.
            (path / "mine.yaml").write_text("{}\n")
            tables(path)
        return cls(path, store)

    def run(self, script: str) -> subprocess.CompletedProcess:
        """Run a script as bash does at a terminal, in the virtual environment, errors fatal."""
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.path / "workflow"),
            "EMODAG_STORE": str(self.store),
        }
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.path,
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=600,
        )


def unprinted(output: str, block: Block) -> str | None:
    """The first line of a block that does not come in `output` in its turn; None where all do."""
    read = _blurred if block.comment == PRINTED_ROUGHLY else _spaced
    said, anywhere = iter(map(read, output.splitlines())), True
    for line in block.text.splitlines():
        wanted = read(line)
        if wanted == "...":
            anywhere = True
        elif wanted not in said if anywhere else wanted != next(said, None):
            return line
        else:
            anywhere = False
    return None


def _spaced(line: str) -> str:
    """A line, whatever the width of its columns."""
    return " ".join(line.split())


def _blurred(line: str) -> str:
    """The same without what may differ from run to run: numbers and digests."""
    line = re.sub(r"\b[0-9a-f]{12}\b", "#", line)
    return _spaced(re.sub(r"\d+(\.\d+)?", "#", line))
