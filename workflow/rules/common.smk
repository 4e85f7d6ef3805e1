# Needs the configuration; makes the chain's plans, and what every rule below refers to.
import atexit
import collections
import functools
import gc
import os
import sys
from pathlib import Path
from typing import get_args

from snakemake.exceptions import WorkflowError
from snakemake.io import IOFile
from snakemake.logging import logger
from snakemake_interface_executor_plugins.settings import DeploymentMethod

# The chain of many seeds is one large graph without garbage: to look for some every 700 objects takes
# a quarter of building Snakemake's DAG, and most of the time in which a job on a cluster starts.
gc.set_threshold(1_000_000)

from emodag import forking
from emodag.baselines import ENVIRONMENT as BASELINES
from emodag.baselines import SCHEMES
from emodag.beginning import bring_to_the_present, clear_away, keep_together
from emodag.chain import Chain, only_one_generation
from emodag.errors import EmodagError
from emodag.face import ending
from emodag.face.config import VOTING, Baseline, load
from emodag.face.places import remember_store
from emodag.face.repeated_keys import refuse_repeated_keys
from emodag.face.targets import find_in
from emodag.interpreters import Interpreters
from emodag.person_count import counted, handed_on
from emodag.planner import Planner, jobs
from emodag.provenance import tally, turn
from emodag.provenance.codebook import remember
from emodag.provenance.plan import write_plan
from emodag.provenance.store import Store, explain
from emodag.restore import Restorer
from emodag.surroundings import hand_on, prepare


def say(line):
    """Say something that is not one of Snakemake's records."""
    if SCREEN is None:
        print(line, file=sys.stderr)
    else:
        SCREEN.say(line)


def give_up(error):
    """End this process with a sentence, which nothing follows."""
    logger.error(f"emodag: error: {error}")
    sys.exit(1)


try:
    prepare(ROOT / "workflow")
    refuse_repeated_keys([Path(file) for file in workflow.configfiles])
    CONFIG = load(config)
    COUNTED = (counted if workflow.is_main_process else handed_on)(CONFIG)
    FOLDS = Chain(COUNTED, COUNTED.environment).folds
    CHAIN = jobs(COUNTED)
    INTERPRETERS = Interpreters(CONFIG, ROOT)
    if workflow.is_main_process:
        turn.begin()
        if "--unlock" in sys.argv:
            turn.forget()
        for place, wrong in INTERPRETERS.discard_damaged().items():
            say(f"emodag: {place} is built anew: {'; '.join(wrong)}")
        if told := only_one_generation(CONFIG):
            say(f"emodag: {told}")
        PLANNER = Planner(CONFIG, CHAIN, ROOT)
        RESTORER = Restorer(INTERPRETERS)
except EmodagError as error:
    give_up(error)
except OSError as error:
    give_up(explain(error, Path("results")))

CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
if not CONDA:
    INTERPRETERS.export()
STORE = hand_on(CONFIG)


@atexit.register  # Snakemake's hooks are silent where nothing was left to run
def say_how_it_went():
    """Say what the run came to, unless nothing was done."""
    if SCREEN is None:
        if workflow.is_main_process and (line := tally.summary()):
            say(line)
    elif SCREEN.was_stopped and not SCREEN.failures:
        SCREEN.say(ending.STOPPED)
    else:
        SCREEN.sum_up()
        if SCREEN.failures:
            SCREEN.say(*ending.of_failures(SCREEN.failures.values()))
        elif tally.done() and not SCREEN.went_wrong:
            rules = {job.rule.name for job in workflow.dag.jobs}
            asked = workflow.dag_settings.targets
            SCREEN.say(*ending.of_success(COUNTED, CHAIN, rules, asked, sys.argv[1:]))


@atexit.register
def say_what_comes_nearest():
    """Say which result a target may have meant that no rule makes, which Snakemake does not."""
    asked = workflow.dag_settings and workflow.is_main_process
    for target in sorted(map(str, workflow.dag_settings.targets)) if asked else ():
        rules = [rule for rule in workflow.rules if rule.name == target]
        if not rules and not any(r.is_producer(target) for r in workflow.rules):
            try:
                find_in(CHAIN, target)
            except EmodagError as error:
                print(f"emodag: error: {error}", file=sys.stderr)


wildcard_constraints:
    env="|".join(CONFIG.environments),
    contrast="[^/]+",
    protocol="|".join(CONFIG.protocols),
    seed="|".join(map(str, [*CONFIG.seeds, *CONFIG.drift.seeds])),
    gen="|".join(map(str, range(1, CONFIG.generations + 1))),
    fold="|".join(map(str, FOLDS)),
    scheme="|".join(SCHEMES),
    baseline="|".join(sorted(set(get_args(Baseline)).difference(VOTING))),
    voting="|".join(VOTING),
    part="all|" + "|".join(f"fold{fold}" for fold in FOLDS),


def needs(name):
    """The inputs of the job called `name`, a pattern of wildcards: the artifacts that it reads.

    While the main process builds its DAG, it looks at each job that the targets need. What the
    store has is put in place at once, so no job is started for it; of the others Snakemake is told
    that they must run. It may find reasons of its own to run more, of which none changes a result.
    """

    def manifests(wildcards):
        asked = job(wildcards)
        if workflow.is_main_process:
            decide(asked)
        else:
            # A job on a cluster may outlive its run. What is there when it fails is another run's.
            workflow.execution_settings.keep_incomplete = True
        origins = asked.inputs.values()
        return list(
            {CHAIN[o[0]].manifest: None for o in origins if not isinstance(o, str)}
        )

    def files(wildcards):
        origins = job(wildcards).inputs.values()
        raw = [o.removeprefix("./") for o in origins if isinstance(o, str)]
        # A raw file's braces Snakemake would take for a wildcard; it can do without the files.
        raw = [] if any("{" in path for path in raw) else raw
        return raw + [CHAIN[o[0]].path(o[1]) for o in origins if not isinstance(o, str)]

    def job(wildcards):
        if (asked := name.format(**wildcards)) not in CHAIN:
            try:
                find_in(CHAIN, asked)
            except EmodagError as error:
                # Snakemake would add a traceback to any exception.
                give_up(f"{error} (of this configuration)")
        return CHAIN[asked]

    def environment(wildcards):
        return [] if CONDA else INTERPRETERS.marks(job(wildcards).environment)

    return {
        "manifests": manifests,
        "files": ancient(files),
        "environment": ancient(environment),
    }


def decide(job):
    """Have a job restored from the store, or tell Snakemake that it must run; and plan it.

    Snakemake may start any job, be it asked to by an option or for a reason of its own.
    """
    runs = workflow.executor_plugin and not workflow.dryrun and not workflow.touch
    # What Snakemake calls incomplete is being made by another run, or whole if a manifest says so.
    workflow.dag.ignore_incomplete = True
    try:
        refusal = begin().refusal if runs else None
        restore = restored if runs and not refusal and may_restore() else None
        must_run = PLANNER.must_run(job.name, restore)
        if must_run and refusal:
            raise refusal
        if runs and not refusal:
            write_plan(turn.name(), PLANNER.plan(job.name))
        if must_run:
            if runs:
                remember(PLANNER.plan(job.name))
                fork_from_the_second(PLANNER.plan(job.name))
            # Where nothing is left of it, Snakemake sees for itself that it is missing. A manifest
            # alone it does not miss, if other outputs are asked for.
            if any(map(os.path.lexists, [job.manifest, *map(job.path, job.outputs)])):
                workflow.dag.forcefiles.add(job.manifest)
    except EmodagError as error:
        give_up(error)
    except OSError as error:
        give_up(explain(error, Path("results")))


TO_RUN = collections.defaultdict(set)


def fork_from_the_second(plan):
    """Have jobs of an environment forked from one process, once more than one is to run."""
    entry = plan.environment
    TO_RUN[entry.name].add(plan.job)
    can_fork = sys.platform == "linux" and workflow.executor_plugin.name == "local"
    if can_fork and not CONDA and len(TO_RUN[entry.name]) == 2:
        if live := INTERPRETERS.fingerprint(entry):
            forking.offer(entry, live, INTERPRETERS.python(entry.name))


@functools.cache
def begin():
    """Begin to run jobs: take the turn in this directory, if nobody else has it."""
    lift_rate_limit()
    trust_squeue()
    taken = turn.take(turn.name())
    if not taken.refusal:
        remember_store(STORE)
        clear_away(CHAIN.values())
        bring_to_the_present(CHAIN.values(), turn.LOCK.stat().st_mtime)
        restore = restored if may_restore() else None
        moved = keep_together(
            CONFIG,
            lambda name: PLANNER.plan(name) if name in CHAIN else None,
            lambda name: not PLANNER.must_run(name, restore),
            Store(Path(STORE)).has,
        )
        for old, new in moved.items():
            say(
                f"emodag: {old} is not of this configuration, code and data; it is now {new}"
            )
    return taken


onstart:
    # Snakemake has reasons of its own, such as times, to run a job that need not run.
    if not workflow.touch and (refusal := begin().refusal):
        give_up(refusal)
    # Again, so that it is done before the processes that jobs are forked from end.
    atexit.unregister(say_how_it_went)
    atexit.register(say_how_it_went)


def may_restore():
    """Whether this is a run of a kind whose jobs might find their results in the store.

    With conda, what enters the keys is known only to environments that may not exist yet.
    """
    asked = workflow.dag_settings
    return not (asked.forceall or asked.forcerun or asked.forcetargets or CONDA)


def restored(plan):
    """Restore a job; the manifest, or None where it must be run."""
    manifest = RESTORER(plan)
    if manifest:
        # What Snakemake remembers of the last run is of other outputs than these.
        for path in (plan.manifest, *(f"{plan.directory}/{o}" for o in plan.outputs)):
            workflow.persistence.cleanup_metadata(IOFile(path))
            # It may have listed the directory before, and would take the file for missing.
            workflow.iocache.exists_local[path] = True
    return manifest


def lift_rate_limit():
    """Lift Snakemake's default limit of 100 jobs a second, and none that somebody has set.

    To keep to a limit Snakemake 9.27 looks for jobs again a second after every look, so with each
    job that ends there is one look more per second: after some thousand jobs it does little else.
    The settings are known while the DAG is built, and read after that.
    """
    asked = workflow.scheduling_settings  # none where nothing runs, as with --report
    limit = asked and asked.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        asked.max_jobs_per_timespan = None


@functools.cache
def trust_squeue():
    """Have the executor for Slurm ask once, now, how long Slurm remembers finished jobs.

    Version 2.8 asks before each look at its jobs. Without an answer, as while Slurm's controller is
    restarted, it looks with `sacct` instead of `squeue`; where there is no accounting, it then
    forgets its jobs and waits for ever.
    """
    plugin = workflow.executor_plugin
    if plugin and plugin.name == "slurm":
        slurm = sys.modules["snakemake_executor_plugin_slurm"]
        if (age := slurm.get_min_job_age()) is not None:
            slurm.get_min_job_age = lambda: age


def conda_file(wildcards):
    """The conda file of a job's environment, None where it takes what is there."""
    file = settings(wildcards).conda
    # Snakemake fills in wildcards, so the braces of a path are doubled.
    return file and str(ROOT / file).replace("{", "{{").replace("}", "}}")


def job_threads(wildcards):
    """How many threads a job of an environment uses."""
    return settings(wildcards).threads


def settings(wildcards):
    """The environment of a job; what is made once for all is made in the default one."""
    return CONFIG.environments[wildcards.get("env", CONFIG.environment)]


def built(wildcards):
    """The name of the environment in a directory."""
    places = {path.name: name for name, path in INTERPRETERS.built.items()}
    if wildcards.built not in places:
        raise WorkflowError(
            f"the configuration asks for no environment {wildcards.built!r}"
        )
    return places[wildcards.built]


def made(stage):
    """What jobs of a stage make in this configuration, by name; nothing if it has none of them."""
    outputs = next((job.outputs for job in CHAIN.values() if job.stage == stage), ())
    return {Path(file).stem: file for file in outputs}


PYTHON = "python"
if CONDA:
    # Snakemake takes PYTHONPATH away from these jobs. Nor would `python` do: where conda's base is
    # active, conda puts an environment in base's place in PATH, behind what PATH begins with above.
    PYTHON = 'PYTHONPATH="$EMODAG_PATH" "${{CONDA_PREFIX:+$CONDA_PREFIX/bin/}}python"'

# As `python -P -m emodag run`, by which nothing is imported from the working directory, but forked
# from a process with the libraries where there is one.
RUN = (
    f'{PYTHON} -I -S "$EMODAG_PATH/start.py" -m emodag run '
    "{output.manifest} --workers {threads} --log {log}"
)

RUN_FIT = f"EMODAG_FITS=1 {RUN}"
"""Of a process that has loaded torch, too, which the others need not wait for."""
