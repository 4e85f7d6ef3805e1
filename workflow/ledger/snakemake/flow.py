"""A workflow's jobs in Snakemake: what its rules need and make, and which of them must run.

While the main process builds its DAG, each job that the targets need is looked at. What the store
has is put in place at once, so no job is started for it; of the others Snakemake is told that they
must run.
"""

import atexit
import collections
import contextlib
import gc
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from snakemake.exceptions import WorkflowError
from snakemake.io import IOFile, ancient, report
from snakemake.logging import logger
from snakemake_interface_executor_plugins.settings import DeploymentMethod

from ledger import called
from ledger.environments.interpreters import Interpreters
from ledger.errors import ConfigError, UserError
from ledger.jobs.codebook import remember
from ledger.jobs.freshness import Manifests
from ledger.jobs.job import RESULTS, Job
from ledger.jobs.manifest import Manifest
from ledger.jobs.plan import Plan, write_plan
from ledger.jobs.planner import Planner, Restore
from ledger.jobs.targets import find_in
from ledger.jobs.workflow import EnvironmentSettings, Workflow
from ledger.remote.address import require_packages
from ledger.run import forking, tally, turn
from ledger.snakemake.beginning import (
    bring_to_the_present,
    clear_away,
    is_last,
    is_of_the_future,
    keep_together,
)
from ledger.snakemake.restore import Restorer
from ledger.snakemake.screen import Screen
from ledger.snakemake.surroundings import hand_on, prepare
from ledger.store.place import remember_store
from ledger.store.roots import register
from ledger.store.store import Store, explain

# A chain of many jobs is one large graph without garbage: to look for some every 700 objects takes
# a quarter of building Snakemake's DAG, and most of the time in which a job on a cluster starts.
gc.set_threshold(1_000_000)


DECIDED = "LEDGER_DECIDED"
"""The environment variable with the decider of the run that has started this one, if one has."""


def give_up(error: object) -> NoReturn:
    """End this process with a sentence, which nothing follows."""
    logger.error(f"{called.name()}: error: {error}")
    sys.exit(1)


@contextlib.contextmanager
def giving_up() -> Iterator[None]:
    """End this process with the sentence of what a user can mend.

    Snakemake would add a traceback to any exception.
    """
    try:
        yield
    except UserError as error:
        give_up(error)
    except OSError as error:
        give_up(explain(error, Path("results")))


class Flow:
    """A configured workflow in Snakemake.

    Parameters
    ----------
    snakemake : Snakemake's workflow.
    workflow : what is configured.
    screen : what shows the run, None where Snakemake's own output does.
    checkpoint_every : how many steps a long job may lose when it is killed.
    ending : what to say after all has gone well, given the names of the jobs that were needed.

    Attributes
    ----------
    jobs : every job by name.
    python : the interpreter of a job, for `shell`.
    run, run_fit : commands for `shell`; the latter for what needs all that `Workflow.loaded` names.
    """

    _last: "Flow | None" = None

    @classmethod
    def once(cls, snakemake, workflow: Workflow, **more: Any) -> "Flow":
        """The same one whenever a Snakefile is read again, as it is by each `use rule` of a module.

        Raises
        ------
        ConfigError
            When it is configured in another way than before, or its paths are to have a prefix.
        """
        modifier = snakemake.modifier.path_modifier
        if modifier.prefix or modifier.modifies_prefixes:
            raise ConfigError(
                "a module of this workflow can have no `prefix` and no `replace_prefix`: its jobs "
                "know their paths. Give Snakemake a `--directory`, or set `workdir`."
            )
        last = cls._last
        if last is None or last._snakemake is not snakemake:
            cls._last = last = cls(snakemake, workflow, **more)
        elif last._workflow.text != workflow.text:
            raise ConfigError(
                "two modules of this workflow are configured differently, and both would make "
                "results/. Run each in a directory of its own; they may share the store."
            )
        return last

    def __init__(
        self,
        snakemake,
        workflow: Workflow,
        *,
        screen: Screen | None = None,
        checkpoint_every: int = 10,
        ending: Callable[[set[str]], Iterable[str]] | None = None,
    ) -> None:
        self._snakemake, self._workflow, self._screen = snakemake, workflow, screen
        self._has_dag = self._has_failed = self._is_report = False
        self.jobs, self._ending = workflow.jobs, ending
        self._to_run: dict[str, set[str]] = collections.defaultdict(set)
        with giving_up():
            prepare(workflow)
            self._store = hand_on(workflow, checkpoint_every)
            self.interpreters = Interpreters(workflow)
            if snakemake.is_main_process:
                self._begin_to_plan()
        methods = snakemake.deployment_settings.deployment_method
        self._conda = DeploymentMethod.CONDA in methods
        if not self._conda:
            self.interpreters.export()
        # By the exit of a run with `--directory` Snakemake is back where it was started.
        self._directory = Path.cwd()
        # Snakemake's hooks are silent where nothing was left to run. The first is called last.
        # Else Python looks at every object of Snakemake's as it ends, for a fifth of a second.
        atexit.register(gc.freeze)
        atexit.register(self._go_on)
        atexit.register(self._say_what_comes_nearest)
        atexit.register(self._say_how_it_went)

    def _begin_to_plan(self) -> None:
        turn.begin()
        if "--unlock" in sys.argv:
            turn.forget()
        self._planner = Planner(self._workflow)
        self._restorer = Restorer(self.interpreters)
        self._snakemake.delete_output = self._first(self._before_deletion, "delete_output")
        self._snakemake.create_report = self._first(self._before_report, "create_report")

    def _first(self, check: Callable[..., None], method: str) -> Callable[..., Any]:
        """One of Snakemake's methods, before which something is checked."""
        really = getattr(self._snakemake, method)

        def checked(*arguments: Any, **options: Any) -> Any:
            check(**options)
            return really(*arguments, **options)

        return checked

    def _before_deletion(self, *, dryrun: bool = False, **_: Any) -> None:
        """Have nothing deleted that another run is making: Snakemake takes no lock for it."""
        if dryrun:
            return
        if refusal := turn.take(turn.name()):
            give_up(refusal)
        self._outdate()

    def _before_report(self, **_: Any) -> None:
        """Have Snakemake's own report, be it after a run, hold what is up to date now."""
        self._planner, self._is_report = Planner(self._workflow), True

    @property
    def python(self) -> str:
        if not self._conda:
            return "python"
        # Snakemake takes PYTHONPATH away from these jobs. Nor would `python` do: where conda's base
        # is active, conda puts an environment in base's place in PATH, behind what PATH begins with
        # here.
        return 'PYTHONPATH="$LEDGER_PATH" "${{CONDA_PREFIX:+$CONDA_PREFIX/bin/}}python"'

    @property
    def run(self) -> str:
        # As `python -P -m NAME run`, by which nothing is imported from the working directory, but
        # forked from a process with the libraries where there is one.
        start = f'{self.python} -I -S "$LEDGER_START" -m {called.name()} run'
        return f"{start} {{output.manifest}} --workers {{threads}} --log {{log}}"

    @property
    def run_fit(self) -> str:
        return f"LEDGER_FITS=1 {self.run}"

    def job(self, name: str, wildcards) -> Job:
        """The job called `name`, a pattern of wildcards; ends the process where there is none."""
        if (asked := name.format(**wildcards)) not in self.jobs:
            try:
                find_in(self._workflow, asked)
            except UserError as error:
                give_up(f"{error} (of this configuration)")
        return self.jobs[asked]

    def say(self, *lines: str) -> None:
        """Say something that is not one of Snakemake's records."""
        if self._screen is None:
            print(*lines, sep="\n", file=sys.stderr)
        else:
            self._screen.say(*lines)

    def needs(self, name: str) -> dict[str, Any]:
        """The inputs of the job called `name`, a pattern of wildcards: the artifacts that it reads.

        Snakemake may find reasons of its own to run more than it is told to, of which none changes
        a result.
        """

        def manifests(wildcards) -> list[str]:
            asked = self.job(name, wildcards)
            if self._snakemake.is_main_process:
                self._decide(asked)
            else:
                # A job on a cluster may outlive its run. What is there when it fails is another
                # run's.
                self._snakemake.execution_settings.keep_incomplete = True
            return [self.jobs[maker].manifest for maker in asked.needs]

        def files(wildcards) -> list[str]:
            origins = self.job(name, wildcards).inputs.values()
            raw = [o.removeprefix("./") for o in origins if isinstance(o, str)]
            # A raw file's braces Snakemake would take for a wildcard, and a job for failed whose
            # outputs are older than what it read; what moves a cursor it prints as it is. It can do
            # without the files.
            if any("{" in p or not p.isprintable() or is_of_the_future(p) for p in raw):
                raw = []
            return raw + [self.jobs[o[0]].path(o[1]) for o in origins if not isinstance(o, str)]

        def environment(wildcards) -> list[Path]:
            asked = self.job(name, wildcards).environment
            marks = [] if self._conda else self.interpreters.marks(asked)
            return [path for path in marks if not is_of_the_future(path)]

        return {
            "manifests": manifests,
            "files": ancient(files),
            "environment": ancient(environment),
        }

    def makes(
        self,
        name: str,
        stage: str,
        possible: Sequence[str] = (),
        shown: Mapping[str, Any] | None = None,
        *,
        beside: bool = False,
    ) -> dict[str, Any]:
        """The outputs of the jobs called `name`, by their names with `_` for the dot.

        Parameters
        ----------
        name : a pattern of wildcards.
        stage : of which there may be no job in this configuration.
        possible : what the stage makes in others, so that who asks for it is told why not here.
        shown : what Snakemake's `report` takes, for what Snakemake's own report is to show.
        beside : as of the jobs, see `ledger.jobs.job.Job`.
        """
        files = next((job.outputs for job in self.jobs.values() if job.stage == stage), possible)
        named = _named(name, stage, beside)
        made = {re.sub(r"\W", "_", file): named.path(file) for file in files}
        if shown:
            made = {
                word: path if path.endswith(".json") else report(path, **shown)
                for word, path in made.items()
            }
        return {"manifest": named.manifest, **made}

    def log(self, name: str, stage: str, *, beside: bool = False) -> str:
        """The log of the jobs called `name`."""
        return _named(name, stage, beside).path(f"{stage}.log")

    def conda(self, environment: str) -> str | None:
        """Conda's file of an environment, None where it takes what is there.

        Without conda there is none either: Snakemake keeps a copy of the file, of 200 kB here, for
        each output, and reads all of them at each run.
        """
        file = self._workflow.environments[environment].conda if self._conda else None
        # Snakemake fills in wildcards, so the braces of a path are doubled.
        path = file and str(self._workflow.root / file)
        return path and path.replace("{", "{{").replace("}", "}}")

    def conda_of(self, name: str) -> Callable[[Any], str | None]:
        """The same for the jobs called `name`, a pattern of wildcards."""
        return lambda wildcards: self.conda(self.job(name, wildcards).environment)

    def built(self, wildcards) -> EnvironmentSettings:
        """The environment in a directory for virtual environments."""
        return self._workflow.environments[self._built(wildcards)]

    def locks(self, wildcards) -> list[Path]:
        """The locks that it is built from."""
        return self.interpreters.locks(self._built(wildcards))

    def marks(self) -> list[Path]:
        """The files that say which environments are built, of all that are to be."""
        return [mark for name in self.interpreters.built for mark in self.interpreters.marks(name)]

    def _enter_dag(self) -> None:
        """Once all Snakefiles are read: be called as the run starts, and say what is incomplete.

        Of a module Snakemake ignores `onstart`. What it calls incomplete of ours is being made by
        another run, or whole if a manifest says so; of a job of somebody else's rules it may be
        half-written. As it ends it takes away the directory of locks, in which another run may be
        about to put its own: a run with nothing to do needs none, and leaves it alone.
        """
        snakemake, dag = self._snakemake, self._snakemake.dag
        lock = snakemake.persistence.lock
        onstart, incomplete_files = snakemake._onstart, dag.incomplete_files
        onerror = snakemake._onerror
        files = {str(path) for job in self.jobs.values() for path in map(job.path, job.outputs)}
        files |= {job.manifest for job in self.jobs.values()} | set(map(str, self.marks()))

        def begin(log) -> None:
            # Snakemake has reasons of its own, such as times, to run a job that need not run.
            if not snakemake.touch and (refusal := self._refusal):
                give_up(refusal)
            # Again, so that it is done before the processes that jobs are forked from end.
            atexit.unregister(self._say_how_it_went)
            atexit.register(self._say_how_it_went)
            onstart(log)

        async def incomplete_files_of_others() -> list[Any]:
            return [file for file in await incomplete_files() if str(file) not in files]

        def fail(log) -> None:
            self._has_failed = True
            onerror(log)

        def lock_if_needed() -> contextlib.AbstractContextManager:
            if not any(dag.needrun_jobs()):
                return contextlib.nullcontext()
            if "_refusal" in self.__dict__ and not self._refusal:
                turn.sign()
            return lock()

        snakemake.persistence.lock = lock_if_needed
        snakemake._onstart, dag.incomplete_files = begin, incomplete_files_of_others
        snakemake._onerror = fail
        # As `--omit-from` would have it.
        dag.omitfiles |= {self.jobs[name].manifest for name in self._workflow.after_decider()}
        self._has_dag = True

    @cached_property
    def _damaged(self) -> dict[Path, list[str]]:
        return self.interpreters.damaged()

    def _built(self, wildcards) -> str:
        places = {path.name: name for name, path in self.interpreters.built.items()}
        if wildcards.built not in places:
            raise WorkflowError(f"the configuration asks for no environment {wildcards.built!r}")
        return places[wildcards.built]

    def _decide(self, job: Job) -> None:
        """Have a job restored from the store, or tell Snakemake that it must run; and plan it.

        Snakemake may start any job, be it asked to by an option or for a reason of its own.
        """
        snakemake = self._snakemake
        runs = self._is_run()
        if not self._has_dag:
            self._enter_dag()
        with giving_up():
            if self._is_report:
                if self._planner.must_run(job.name):
                    raise ConfigError(
                        f"{job.manifest}: is not there, or not of this configuration, code and "
                        "data. Run the same command without `--report` first."
                    )
                return
            refusal = self._refusal if runs else None
            restore = self._restored if runs and not refusal and self._may_restore() else None
            must_run = self._must_run(job.name, restore)
            if must_run and refusal:
                raise refusal
            if runs and not refusal:
                write_plan(turn.name(), self._planner.plan(job.name))
            if not must_run:
                return
            for mark in self.interpreters.marks(job.environment):
                if wrong := self._damaged.pop(mark, None):
                    self.say(f"{called.name()}: {mark.parent} is built anew: {'; '.join(wrong)}")
                    if runs:
                        mark.unlink(missing_ok=True)
                    else:  # which leaves it alone, and is to show that a run would not
                        snakemake.dag.forcefiles.add(str(mark))
            if runs:
                self._change()
                remember(self._planner.plan(job.name))
                self._fork_from_the_second(self._planner.plan(job.name))
            # Where nothing is left of it, Snakemake sees for itself that it is missing. A manifest
            # alone it does not miss, if other outputs are asked for.
            if any(map(os.path.lexists, [job.manifest, *map(job.path, job.outputs)])):
                snakemake.dag.forcefiles.add(job.manifest)

    def _must_run(self, name: str, restore: Restore | None) -> bool:
        """As of the planner, once all that further stores have of a job is in the store."""
        if restore and self._workflow.further:
            self._restorer.bring(self._planner.unsettled(name), self._planner.manifests)
        return self._planner.must_run(name, restore)

    def _fork_from_the_second(self, plan: Plan) -> None:
        """Have jobs of an environment forked from one process, once more than one is to run."""
        entry = plan.environment
        self._to_run[entry.name].add(plan.job)
        can_fork = sys.platform == "linux" and self._snakemake.executor_plugin.name == "local"
        if not can_fork or self._conda or len(self._to_run[entry.name]) != 2:
            return
        if live := self.interpreters.fingerprint(entry):
            python = self.interpreters.python(entry.name)
            forking.offer(entry, live, python, self._workflow.loaded)

    @cached_property
    def _refusal(self) -> UserError | None:
        """Why this run may change nothing; takes the turn here when jobs are first to run."""
        require_packages(self._workflow.further, signed=bool(self._workflow.trusted))
        self._lift_rate_limit()
        self._trust_squeue()
        refusal = turn.take(turn.name())
        if not refusal:
            self._register(is_open=True)
            atexit.register(self._end_turn)
            jobs, workflow = self.jobs, self._workflow
            clear_away(jobs.values())
            bring_to_the_present(jobs.values(), turn.LOCK.stat().st_mtime)
            restore = self._restored if self._may_restore() else None
            is_new = not is_last(workflow.text.encode())
            moved = keep_together(
                workflow.text.encode(),
                {*workflow.finals, *(o for j in jobs.values() if j.is_final for o in j.outputs)},
                lambda name: self._planner.plan(name) if name in jobs else None,
                lambda name: not self._must_run(name, restore),
                Store(Path(self._store)).has,
            )
            if moved or is_new:
                self._outdate()
            for old, new in moved.items():
                what = f"{old} is not of this configuration, code and data; it is now {new}"
                self.say(f"{called.name()}: {what}")
        return refusal

    def _register(self, *, is_open: bool) -> None:
        """Have the store know what results it is kept for; one that cannot be written cannot."""
        with contextlib.suppress(UserError, OSError):
            register(Store(Path(self._store)), Path(RESULTS), is_open=is_open)

    def _end_turn(self) -> None:
        """Say what these results need now, and whether jobs may still add to it."""
        manifests = Manifests()
        plans = (self._planner.plan(job) for jobs in self._to_run.values() for job in jobs)
        made = ((plan, manifests[plan.manifest]) for plan in plans)
        with contextlib.chdir(self._directory):
            is_open = not all(found and found.plan == plan.identity for plan, found in made)
            self._register(is_open=is_open)

    def _may_restore(self) -> bool:
        """Whether this is a run of a kind whose jobs might find their results in the store.

        With conda, what enters the keys is known only to environments that may not exist yet.
        """
        asked = self._snakemake.dag_settings
        return not (asked.forceall or asked.forcerun or asked.forcetargets or self._conda)

    def _restored(self, plan: Plan) -> Manifest | None:
        """Restore a job; the manifest, or None where it must be run."""
        manifest = self._restorer(plan)
        if manifest:
            self._change()
            # What Snakemake remembers of the last run is of other outputs than these.
            for path in (plan.manifest, *(f"{plan.directory}/{o}" for o in plan.outputs)):
                self._snakemake.persistence.cleanup_metadata(IOFile(path))
                # It may have listed the directory before, and would take the file for missing.
                self._snakemake.iocache.exists_local[path] = True
        return manifest

    def _outdate(self) -> None:
        """Take the page on the results away, as they are about to be others."""
        if self._workflow.listing:
            Path(self._workflow.listing).unlink(missing_ok=True)

    def _change(self) -> None:
        """The same before jobs run or are restored, and say with which store results are made."""
        self._outdate()
        remember_store(self._store)

    def _lift_rate_limit(self) -> None:
        """Lift Snakemake's default limit of 100 jobs a second, and none that somebody has set.

        To keep to a limit Snakemake 9.27 looks for jobs again a second after every look, so with
        each job that ends there is one look more per second: after some thousand jobs it does
        little else. The settings are known while the DAG is built, and read after that.
        """
        asked = self._snakemake.scheduling_settings  # none where nothing runs, as with --report
        limit = asked and asked.max_jobs_per_timespan
        if limit and (limit.max_jobs, limit.timespan) == (100, 1):
            asked.max_jobs_per_timespan = None

    def _trust_squeue(self) -> None:
        """Have the executor for Slurm ask once, now, how long Slurm remembers finished jobs.

        Version 2.8 asks before each look at its jobs. Without an answer, as while Slurm's
        controller is restarted, it looks with `sacct` instead of `squeue`; where there is no
        accounting, it then forgets its jobs and waits for ever.
        """
        plugin = self._snakemake.executor_plugin
        if plugin and plugin.name == "slurm":
            slurm = sys.modules["snakemake_executor_plugin_slurm"]
            if (age := slurm.get_min_job_age()) is not None:
                slurm.get_min_job_age = lambda: age

    def _say_how_it_went(self) -> None:
        """Say what the run came to, unless nothing was done."""
        with contextlib.chdir(self._directory):
            if self._screen is None:
                if self._snakemake.is_main_process and (line := tally.summary()):
                    self.say(line)
            elif self._screen.ends_well() and self._ending and tally.done():
                made = {str(path) for job in self._snakemake.dag.jobs for path in job.output}
                ours = {job.name for job in self.jobs.values() if job.manifest in made}
                self.say(*self._ending(ours))

    def _go_on(self) -> None:
        """Start the same command again, if this run has made what decides about further jobs."""
        decider, snakemake = self._workflow.decider, self._snakemake
        if not decider or not self._has_dag or self._has_failed or not self._is_run():
            return
        is_asked = any(self.jobs[decider].manifest in job.output for job in snakemake.dag.jobs)
        with contextlib.chdir(self._directory):
            if not is_asked or Planner(self._workflow).must_run(decider):
                return
        if os.environ.get(DECIDED) == decider:  # it has decided nothing, and would not do so again
            return
        os.environ[DECIDED] = decider
        if Path(sys.argv[0]).stem not in ("snakemake", "__main__"):  # in a program of somebody's
            self.say(f"{called.name()}: {decider} is made; run the same again for what follows")
            return
        self.say(f"{called.name()}: {decider} is made; now what follows from it")
        logging.shutdown()
        sys.stdout.flush()
        again = (word for word in sys.argv[1:] if word not in turn.ONCE)
        os.execv(sys.executable, [sys.executable, "-P", "-m", "snakemake", *again])

    def _is_run(self) -> bool:
        """Whether Snakemake runs jobs, and not only shows what it would do."""
        snakemake = self._snakemake
        return bool(snakemake.executor_plugin and not snakemake.dryrun and not snakemake.touch)

    def _say_what_comes_nearest(self) -> None:
        """Say which result a target may have meant that no rule makes, which Snakemake does not."""
        snakemake = self._snakemake
        asked = snakemake.dag_settings and snakemake.is_main_process
        for target in sorted(map(str, snakemake.dag_settings.targets)) if asked else ():
            named = any(rule.name == target for rule in snakemake.rules)
            if not named and not any(rule.is_producer(target) for rule in snakemake.rules):
                try:
                    find_in(self._workflow, target)
                except UserError as error:
                    print(f"{called.name()}: error: {error}", file=sys.stderr)


def _named(name: str, stage: str, beside: bool) -> Job:
    """Jobs whose names fit a pattern, for where their files lie."""
    return Job(name=name, stage=stage, module="", outputs=(), beside=beside)
