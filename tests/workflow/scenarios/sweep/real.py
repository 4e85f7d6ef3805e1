"""The same with Snakemake as a user runs it, for some of the operations, as a run takes seconds."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.workflow.scenarios.scenario import BOOST, SUBMISSION, Scenario
from tests.workflow.scenarios.sweep.cases import A
from tests.workflow.scenarios.sweep.faults import Faults
from tests.workflow.scenarios.sweep.sweep import CLEAR, Outcome, Wrong, check, expect, files, whole

TABLES = "results/local/folds/manifest.json"
OURS = re.compile(r'File "[^"]*/(workflow/(emodag|ledger)|rules)/')
"""A line of a traceback that goes through this workflow, not Snakemake alone."""


class Real:
    """A project that Snakemake runs in: raw tables alone, or finished and then changed.

    Parameters
    ----------
    scratch : a directory to work in.
    """

    def __init__(self, scratch: Path) -> None:
        self._faults = Faults()
        self._state, self._project = scratch / "real", Scenario(scratch / "running")
        Scenario.create(self._state, **A)
        self.target = TABLES
        self._expect_now()

    def change(self) -> None:
        """From now on: another parameter over a finished chain."""
        self.target = SUBMISSION
        finished = Scenario(self._state)
        finished.run(SUBMISSION, "results/leaderboard.csv")
        finished.configure(**{**A, "pseudo_labels": BOOST})
        self._expect_now()

    def try_point(self, point: int, kind: str) -> Outcome:
        """Run Snakemake with something happening, and once more without."""
        self._begin()
        with self._faults.armed(self._project.path, point, kind):
            done = self._project.snakemake("-c1", self.target, check=False)
        if kind == "power cut":
            self._faults.cut_power(self._project.path)
        reached = self._faults.seen >= point  # two runs of Snakemake differ a little
        outcome = Outcome(_ending(done, kind) if reached else "not reached")
        said = done.stdout
        try:
            expect(outcome.name, "no clear error")
            expect(reached or done.returncode == 0, "fails although nothing happened")
            whole(is_cut=kind == "power cut")
            if done.returncode == 0:
                check(self._expected)
            again = self._project.snakemake("-c1", self.target, check=False)
            said += f"--- again:\n{again.stdout}"
            expect(again.returncode == 0, "the next run fails")
            check(self._expected)
        except Wrong as wrong:
            outcome.wrong = f"{wrong}\n{said}"
        return outcome

    def _expect_now(self) -> None:
        self._begin()
        with self._faults.armed(self._project.path, 0, "EIO"):
            self._project.snakemake("-c1", self.target)
        self.operations = self._faults.operations()
        self._expected = files()

    def _begin(self) -> None:
        os.chdir("/")
        shutil.rmtree(self._project.path, ignore_errors=True)
        shutil.copytree(self._state, self._project.path)
        os.chdir(self._project.path)


def _ending(done: subprocess.CompletedProcess, kind: str) -> str:
    """How a run has ended, in words; "" where it should not have ended so."""
    if done.returncode == 0:
        return "right at once"
    if kind.startswith(("death", "power")):
        return "died, then right"
    if "Traceback" not in done.stdout:
        return "clear error, then right" if CLEAR.search(done.stdout) else ""
    return "" if OURS.search(done.stdout) else "error of Snakemake's, then right"
