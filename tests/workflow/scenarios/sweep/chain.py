"""What one `snakemake` does to a small chain, in one process that has everything imported.

The planner, the restorer and the jobs are the real ones, called in the order in which
`ledger.snakemake.flow` and Snakemake call them; only Snakemake itself is left out, which takes
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

from emodag import application
from emodag.chain.jobs import workflow_of
from emodag.config.sections import Config
from ledger.environments.interpreters import Interpreters
from ledger.errors import UserError
from ledger.jobs import plan as plan_module
from ledger.jobs.codebook import remember
from ledger.jobs.plan import MODULES, Plan, write_plan
from ledger.jobs.planner import Planner
from ledger.run import runner, tally, turn
from ledger.snakemake import beginning
from ledger.snakemake.restore import Restorer
from ledger.store.place import remember_store
from ledger.store.store import Store, explain

STORE = ".emodag/store"
CLEAR_ERROR, TRACEBACK = 1, 2


class Chain:
    """The chain of one configuration, and the interpreter that its jobs run with.

    Parameters
    ----------
    pause : lets file operations pass meanwhile, whatever is to happen to them.
    """

    def __init__(self, config: Config, pause: Callable[[], AbstractContextManager[None]]) -> None:
        self.workflow, self._pause = workflow_of(config), pause
        self.jobs = self.workflow.jobs
        self._interpreters = Interpreters(self.workflow)

    def find_facts(self) -> None:
        """Find out what enters keys and takes long, for all forks of this process."""
        planner = Planner(self.workflow, read_only=True)
        for name, job in self.jobs.items():
            self._interpreters.fingerprint(planner.plan(name).environment)
            planner.plan(name).environment.fingerprint()
            runner.code_closure(job.module, memory=MODULES)

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
        except UserError as error:
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
        """What must be run, after what the store has was put in place; as the flow has it."""
        try:
            planner = Planner(self.workflow)
            restore = Restorer(self._interpreters)
            if refusal := turn.take(turn.name()):
                raise refusal
            remember_store(STORE)
            beginning.clear_away(self.jobs.values())
            beginning.bring_to_the_present(self.jobs.values(), turn.LOCK.stat().st_mtime)
            beginning.keep_together(
                self.workflow.text.encode(),
                self.workflow.finals,
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
        status = application.main(["run", plan.manifest, "--log", str(log)])
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


def _remove(paths: list[str]) -> None:
    for path in paths:
        Path(path).unlink(missing_ok=True)
