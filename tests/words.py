"""`examples/words` to run, where there is no emodag to be imported."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.project import ROOT, START, forked, jobs

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

    def manifests(self) -> dict[str, dict]:
        """The manifest of each job."""
        found = [json.loads(path.read_text()) for path in self.path.rglob("*manifest.json")]
        return {manifest["job"]: manifest for manifest in found}


def behind(words: Words, *further: Path | str) -> Words:
    """The same, with further stores."""
    told = f"json.dumps(config), further={[str(place) for place in further]})"
    words.edit("words/jobs.py", "json.dumps(config))", told)
    return words
