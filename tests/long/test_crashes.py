"""Scenario 10: kill -9 in the middle of a fit, company in one directory, edits meanwhile."""

import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.workflow.scenarios.scenario import BOOST, FITTED, SUBMISSION, TINY, Begun, is_sound

LONG = {**TINY, "training": {**TINY["training"], "epochs": 300}}
"""Fits that last long enough to be killed in."""


class Started(Begun):
    """A running `snakemake` for the submission, and the jobs it runs."""

    def __init__(self, project) -> None:
        super().__init__(project, SUBMISSION, forks=False)

    def fitting(self) -> psutil.Process:
        """The first fit's process, once it is at it."""
        while True:
            assert self.process.poll() is None, self.said()
            for child in psutil.Process(self.process.pid).children(recursive=True):
                if _is_fitting(child.pid):
                    time.sleep(0.5)
                    return child
            time.sleep(0.02)


def _is_fitting(pid: int) -> bool:
    """Whether a process has loaded torch and what is loaded after it."""
    try:
        maps = Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False
    return "libtorch_cpu" in maps and "_safetensors" in maps


def test_10_killed_in_the_middle_of_a_fit(scenario, correct):
    """First the job, then Snakemake; the same command goes on, whatever is still running."""
    scenario.configure(**LONG)
    started = Started(scenario)
    started.fitting().kill()
    assert started.process.wait() == 1
    assert not (scenario.home("gen0/all") / "manifest.json").exists()
    assert is_sound(scenario.store)

    started = Started(scenario)
    orphan = started.fitting()
    started.process.kill()
    started.process.wait()
    assert any((scenario.path / ".snakemake/locks").iterdir())
    assert orphan.is_running()

    started = Started(scenario)
    started.fitting()
    scenario.configure(**{**LONG, "pseudo_labels": BOOST})
    assert "This was a dry-run" in scenario.run("--dry-run", SUBMISSION).said
    for other in (LONG, {**LONG, "pseudo_labels": BOOST}):
        scenario.configure(**other)
        done = scenario.run(check=False)
        assert done.status != 0 and done.ran | done.hit == set()
        assert f"process {started.process.pid} on " in done.said
        assert "is running this workflow" in done.said
    scenario.configure(**LONG)
    table = "results/local/table/manifest.json"
    assert "Nothing to be done" in scenario.run(table).said, "it would change nothing"

    assert started.process.wait() == 0
    said = started.said()
    assert said.count("RUN ") + said.count("HIT ") == len(FITTED | {"submission"})
    assert is_sound(scenario.store)
    correct(scenario)


def test_10_a_job_that_outlives_its_plan(scenario, correct):
    """Its Snakemake killed, the configuration changed back: it must not spoil the results."""
    scenario.configure(**LONG)
    started = Started(scenario)
    orphan = started.fitting()
    orphan.send_signal(signal.SIGSTOP)
    started.process.kill()
    started.process.wait()
    scenario.configure(**TINY)
    assert scenario.run().ran == set()
    orphan.send_signal(signal.SIGCONT)
    psutil.wait_procs([orphan], timeout=60)
    assert "another run of Snakemake has taken over this directory" in started.said()
    correct(scenario)


def test_10_a_lock_whose_owner_cannot_be_seen_from_here(scenario, correct):
    """Snakemake ran in a container that is gone: only the user can say so."""
    scenario.configure(**LONG)
    started = Started(scenario)
    orphan = started.fitting()
    started.process.kill()
    started.process.wait()
    orphan.kill()
    lock = scenario.path / "results/.plan/lock"
    fields = lock.read_text().split(":")
    lock.write_text(":".join([*fields[:3], "1", *fields[4:]]))
    done = scenario.run(check=False)
    assert done.status != 0 and done.ran | done.hit == set()
    assert "in another container, may be running this workflow" in done.said
    assert "run `snakemake --unlock` once" in done.said
    scenario.run("--unlock")
    assert scenario.run().ran <= FITTED | {"submission"}
    correct(scenario)


@pytest.mark.parametrize("is_replaced", [False, True])
def test_10_killed_and_its_results_are_gone(scenario, correct, is_replaced):
    """Snakemake's lock is left, and no results say of whom."""
    results, aside = scenario.path / "results", scenario.path / "aside"
    if is_replaced:
        shutil.copytree(results, aside)
    scenario.configure(**LONG)
    started = Started(scenario)
    orphan = started.fitting()
    if not is_replaced:
        shutil.rmtree(results)
        done = scenario.run(check=False)
        assert done.status != 0 and f"process {started.process.pid} on " in done.said
    started.process.kill()
    started.process.wait()
    orphan.kill()
    shutil.rmtree(results)
    if is_replaced:
        aside.rename(results)
    scenario.configure(**TINY)
    assert scenario.run().status == 0
    correct(scenario)


def test_10_code_edited_while_jobs_run(scenario, correct):
    """What was planned is not what is there: an error, and the same command makes it right."""
    scenario.configure(**LONG)
    started = Started(scenario)
    started.fitting()
    scenario.edit(
        "workflow/emodag/science/blending.py", "np.zeros_like(members", "np.ones_like(members"
    )
    assert started.process.wait() == 1
    assert "the code of stage 'blend' changed after the job was planned" in started.said()
    assert scenario.run().ran == {"gen1/blend", "submission"}
    correct(scenario)
