"""What one `snakemake` does to a small chain, in one process that has everything imported.

The planner, the restorer and the jobs are the real ones, called in the order in which
`workflow/rules/common.smk` and Snakemake call them; only Snakemake itself is left out, which takes
seconds. What is Snakemake's own, to remove outputs before and after a job, never fails here.
"""

import atexit
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from emodag import beginning
from emodag.errors import EmodagError
from emodag.face import cli
from emodag.face.config import Config
from emodag.face.places import remember_store
from emodag.interpreters import Interpreters
from emodag.planner import Planner, jobs
from emodag.provenance import plan as plan_module
from emodag.provenance import runner, tally, turn
from emodag.provenance.codebook import remember
from emodag.provenance.plan import MODULES, Plan, write_plan
from emodag.provenance.store import Store, explain
from emodag.restore import Restorer
from tests.workflow.conftest import ROOT

STORE = ".emodag/store"
CLEAR_ERROR, TRACEBACK = 1, 2


class Chain:
    """The chain of one configuration, and the interpreter that its jobs run with.

    Parameters
    ----------
    pause : lets file operations pass meanwhile, whatever is to happen to them.
    """

    def __init__(self, config: Config, pause: Callable[[], AbstractContextManager[None]]) -> None:
        self.config, self.jobs, self._pause = config, jobs(config), pause
        self._interpreters = Interpreters(config, ROOT)

    def find_facts(self) -> None:
        """Find out what enters keys and takes long, for all forks of this process."""
        planner = Planner(self.config, self.jobs, ROOT, read_only=True)
        for name, job in self.jobs.items():
            self._interpreters.fingerprint(planner.plan(name).environment)
            planner.plan(name).environment.fingerprint()
            runner.code_closure(f"emodag.stages.{job.stage}", memory=MODULES)
        beginning.effective_yaml(self.config)

    def run(self, targets: list[str]) -> int:
        """Make targets in the working directory; what was said goes to standard error.

        Returns
        -------
        0, or `CLEAR_ERROR`, or `TRACEBACK`.
        """
        atexit._clear()  # what this process was forked from wants to do at its own end
        os.environ["EMODAG_STORE"] = STORE
        turn.begin()
        try:
            status = self._make(targets)
            if said := tally.summary():
                print(said, file=sys.stderr)
        except EmodagError as error:
            print(f"emodag: error: {error}", file=sys.stderr)
            status = CLEAR_ERROR
        except Exception:
            traceback.print_exc()
            status = TRACEBACK
        atexit._run_exitfuncs()
        return status

    def _make(self, targets: list[str]) -> int:
        for plan in self._decide(targets):
            if status := self._run_job(plan):
                return status
        return 0

    def _decide(self, targets: list[str]) -> list[Plan]:
        """What must be run, after what the store has was put in place; as common.smk has it."""
        try:
            planner = Planner(self.config, self.jobs, ROOT)
            restore = Restorer(self._interpreters)
            taken = turn.take(turn.name())
            if taken.refusal:
                raise taken.refusal
            remember_store(STORE)
            beginning.clear_away(self.jobs.values())
            beginning.bring_to_the_present(self.jobs.values(), turn.LOCK.stat().st_mtime)
            beginning.keep_together(
                self.config,
                lambda name: planner.plan(name) if name in self.jobs else None,
                lambda name: not planner.must_run(name, restore),
                Store(Path(STORE)).has,
            )
            to_run = []
            for name in self._needed(targets):
                plan, must_run = planner.plan(name), planner.must_run(name, restore)
                write_plan(turn.name(), plan)
                if must_run:
                    remember(plan)
                    to_run.append(plan)
            return to_run
        except OSError as error:
            raise explain(error, Path("results")) from error

    def _run_job(self, plan: Plan) -> int:
        outputs = [plan.manifest, *(f"{plan.directory}/{name}" for name in plan.outputs)]
        log = Path(plan.directory, f"{plan.stage}.log")
        with self._pause():
            _remove(outputs)
            log.parent.mkdir(parents=True, exist_ok=True)
        status = cli.main(["run", plan.manifest, "--log", str(log)])
        if status:
            with self._pause():
                _remove(outputs)
        return status

    def _needed(self, targets: list[str]) -> list[str]:
        """The targets and all that they rest on, each after its needs."""
        wanted = set(targets)
        for name in reversed(self.jobs):
            if name in wanted:
                origins = self.jobs[name].inputs.values()
                wanted |= {origin[0] for origin in origins if not isinstance(origin, str)}
        return [name for name in self.jobs if name in wanted]


def _once(function: Callable) -> Callable:
    """The same function, which remembers what it returned for equal arguments."""
    known: dict[str, Any] = {}

    def asked(*arguments: Any, **options: Any) -> Any:
        which = repr((arguments, options))
        if which not in known:
            known[which] = function(*arguments, **options)
        return known[which]

    return asked


# What these find out lies in the code and in the packages, which do not change here, and is most of
# the time that a small job takes.
runner.code_closure = _once(runner.code_closure)
plan_module.fingerprint = _once(plan_module.fingerprint)
beginning.effective_yaml = _once(beginning.effective_yaml)


def _remove(paths: list[str]) -> None:
    for path in paths:
        Path(path).unlink(missing_ok=True)
