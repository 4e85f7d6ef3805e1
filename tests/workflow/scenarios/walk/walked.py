"""A project on its walk: what its user has set, how it is run, and when that went well."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from ledger.kinds.digest import logical_digest
from tests.workflow.scenarios.oracle import Oracle
from tests.workflow.scenarios.scenario import SUBMISSION, TINY, Done, Scenario

JOBS = 9
"""How many jobs a submission takes; each may need a piece of advice of its own."""

LEADERBOARD = "results/leaderboard.csv"

ADVICE = (
    r"(\S+): is (?:damaged|missing) .*Delete the manifest beside it and run the same command",
    r"the code of stage \S+ changed after the job was planned\. Run the same command again",
    r"another run of Snakemake has taken over this directory\. .*run the same command again",
    r"was made for another configuration, code or data .*Run the same command again",
    r"changed while the workflow was running\. Run the same command again",
)
"""What a job may say when it fails although its user has made no mistake."""

KINDS = {
    "raw": "*.csv",
    "output": "results/**/*.[cps][as]*",
    "manifest": "results/**/*manifest.json",
    "sidecar": "results/**/*provenance.json",
    "plan": "results/.plan/**/*",
    "object": ".emodag/store/objects/**/*",
    "action": ".emodag/store/actions/**/*",
    "metadata": ".snakemake/metadata/*",
}
"""Files that things are done to."""


@dataclass
class Running:
    """A `snakemake` at work, and where it says what it does."""

    process: subprocess.Popen
    log: Path

    def end(self) -> str:
        """Wait until it has ended; returns what it said."""
        self.process.wait()
        said = self.log.read_text()
        assert "Traceback" not in said, said
        return said


class Walked(Scenario):
    """A tiny project that things are done to.

    Attributes
    ----------
    settings : its configuration.
    variables : the environment variables that it is run with.
    edits : the edits of its code that are in force.
    orphaned : the jobs whose Snakemake was killed.
    counts : how often what has been done; shared by all projects of a walk.
    """

    def __init__(self, path: Path, oracle: Oracle, counts: Counter) -> None:
        super().__init__(path)
        self.oracle, self.counts = oracle, counts
        self.settings = dict(TINY)
        self.variables: dict[str, str] = {}
        self.edits: set[str] = set()
        self.orphaned: list[psutil.Process] = []

    @classmethod
    def copy_of(cls, finished: Scenario, path: Path, oracle: Oracle, counts: Counter) -> "Walked":
        """A finished project to begin with, its store and all times included."""
        shutil.copytree(finished.path, path)
        return cls(path, oracle, counts)

    def fresh_clone(self, path: Path) -> "Walked":
        """The present code, configuration and raw files elsewhere, with this one's store."""
        path.mkdir()
        for name in ("Snakefile", "config.yaml", "workflow", "envs", "small.yaml"):
            if (self.path / name).is_dir():
                shutil.copytree(self.path / name, path / name)
            else:
                shutil.copy(self.path / name, path / name)
        for name in ("train", "test", "truth"):
            shutil.copy(self.path / f"{name}.csv", path)
        clone = Walked(path, self.oracle, self.counts)
        clone.settings = dict(self.settings)
        clone.variables = {**self.variables, "EMODAG_STORE": str(self.store)}
        return clone

    def set(self, section: str, **values) -> None:
        """Change the configuration."""
        whole = self.settings.get(section, {})
        self.settings[section] = {**whole, **values}
        self.configure(**self.settings)

    def pick(self, kind: str, n: int) -> Path | None:
        """The n-th file of a kind, from the first on again after the last; None without any."""
        found = sorted(path for path in self.path.glob(KINDS[kind]) if path.is_file())
        return found[n % len(found)] if found else None

    @contextlib.contextmanager
    def configured(self, settings: dict) -> Iterator[None]:
        """Other settings meanwhile."""
        before, self.settings = self.settings, settings
        self.configure(**settings)
        try:
            yield
        finally:
            self.settings = before
            self.configure(**before)

    def start(self, configfile: str = "small.yaml", *, before: tuple[str, ...] = ()) -> Running:
        """Snakemake, running on its own."""
        variables = {k: v for k, v in os.environ.items() if k != "EMODAG_STORE"}
        log = self.path / f"said-{len(list(self.path.glob('said-*')))}"
        command = [*before, sys.executable, "-m", "snakemake", "-c2", SUBMISSION]
        with log.open("w") as stream:
            process = subprocess.Popen(
                [*command, "--configfile", configfile],
                cwd=self.path,
                env={**variables, **self.variables},
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Running(process, log)

    def reap(self) -> None:
        """End what killed runs have left running."""
        for job in self.orphaned:
            with contextlib.suppress(psutil.NoSuchProcess):
                job.kill()
        self.orphaned.clear()

    def once(self, *targets: str) -> Done:
        """One run, as it may end."""
        done = self.run(*targets, check=False, **self.variables)
        self.counts.update({"jobs computed": len(done.ran), "jobs from the store": len(done.hit)})
        self.counts["runs"] += 1
        return done

    def check(self, *targets: str) -> None:
        """Run until it is done, heeding what is said, and compare with a clean computation.

        A first failure must be clear; a plain rerun mends it or says the same, then the advice is
        followed.
        """
        heard: set[str] = set()
        for _ in range(2 * JOBS):
            done = self.once(*targets)
            if done.status == 0:
                self.compare()
                return
            advice = _advice(done.said)
            self.counts["clear errors"] += 1
            if advice.group() in heard and advice.groups():
                self.counts["advice followed"] += 1
                (self.path / advice.group(1)).with_name("manifest.json").unlink(missing_ok=True)
            heard.add(advice.group())
        raise AssertionError(f"the advice does not help:\n{done.said}")

    def compare(self) -> None:
        """The submission, and all that is promised of what it stands on, are as made cleanly."""
        expected = self.oracle(self, self._without_store())
        assert logical_digest(self.path / SUBMISSION) == expected[SUBMISSION], "the submission"
        promised = {}
        for path in {_manifest(Path(name)) for name in expected}:
            for name, output in self.json(path)["outputs"].items():
                promised[str(path.parent / name)] = output["logical"]
        assert promised == expected, "the manifests"
        self.counts["comparisons"] += 1
        if (self.path / LEADERBOARD).exists():
            expected = self.oracle(self, self._without_store(), "leaderboard")
            found = logical_digest(self.path / LEADERBOARD)
            assert found == expected[LEADERBOARD], "the leaderboard is of another configuration"
            self.counts["leaderboards compared"] += 1

    def fails(self, *parts: str) -> None:
        """A run that must fail, and say all of this."""
        done = self.once()
        assert done.status, f"a mistake went unnoticed:\n{done.said}"
        assert all(part in done.said for part in parts), done.said
        self.counts["mistakes explained"] += 1

    def _without_store(self) -> dict[str, str]:
        return {k: v for k, v in self.variables.items() if k != "EMODAG_STORE"}


def _manifest(output: Path) -> Path:
    """Where the manifest lies that promises an output."""
    home = output.parent
    return home / ("submission.manifest.json" if home.name == "results" else "manifest.json")


def _advice(said: str) -> re.Match:
    """What a failed run says to do."""
    for pattern in ADVICE:
        if found := re.search(pattern, said):
            return found
    raise AssertionError(f"failed without a clear error:\n{said}")
