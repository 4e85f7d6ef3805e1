# Needs the configuration; makes the chain's plans, and what every rule below refers to.
import atexit
import functools
import gc
import sys
from pathlib import Path
from typing import get_args

from snakemake.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import DeploymentMethod

# The chain of many seeds is one large graph without garbage: to look for some every 700 objects takes
# a quarter of building Snakemake's DAG, and most of the time in which a job on a cluster starts.
gc.set_threshold(1_000_000)

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "workflow"))

from emodag.baselines import ENVIRONMENT as BASELINES
from emodag.baselines import SCHEMES
from emodag.errors import EmodagError
from emodag.face.config import VOTING, Baseline, load
from emodag.face.places import remember_store
from emodag.face.targets import find_in
from emodag.interpreters import Interpreters
from emodag.job import RANDOMNESS
from emodag.planner import Planner, jobs
from emodag.provenance import tally
from emodag.provenance.plan import plan_path
from emodag.provenance.resume import clear_stale_lock, elder
from emodag.provenance.store import explain
from emodag.restore import Restorer
from emodag.surroundings import hand_on, prepare

prepare(ROOT / "workflow")
try:
    CONFIG = load(config)
    CHAIN = jobs(CONFIG)
    INTERPRETERS = Interpreters(CONFIG, ROOT)
    if workflow.is_main_process:
        for entry in clear_stale_lock(unlocking="--unlock" in sys.argv):
            print(
                f"emodag: {entry}: a run on another machine, or in another container, may be using "
                "this directory. If it is gone, run `snakemake --unlock` once.",
                file=sys.stderr,
            )
        tally.begin()
        for place, wrong in INTERPRETERS.discard_damaged().items():
            print(f"emodag: {place} is built anew: {'; '.join(wrong)}", file=sys.stderr)
        PLANNER = Planner(CONFIG, CHAIN, ROOT)
        RESTORER = Restorer(INTERPRETERS)
        ELDER = elder()
        PLANNER.give_way(ELDER)
except EmodagError as error:
    raise WorkflowError(str(error)) from None
except OSError as error:
    raise WorkflowError(str(explain(error, Path("results")))) from None

CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
if not CONDA:
    INTERPRETERS.export()
store = hand_on(CONFIG)
if workflow.is_main_process:
    remember_store(store)


@atexit.register  # Snakemake's hooks are silent where nothing was left to run
def say_summary():
    """Say what the run came to, unless nothing was done."""
    if workflow.is_main_process and (line := tally.summary()):
        print(line, file=sys.stderr)


wildcard_constraints:
    env="|".join(CONFIG.environments),
    contrast="[^/]+",
    protocol="|".join(CONFIG.protocols),
    seed="|".join(map(str, [*CONFIG.seeds, *CONFIG.drift.seeds])),
    gen="|".join(map(str, range(1, CONFIG.generations + 1))),
    fold="|".join(map(str, range(CONFIG.folds))),
    scheme="|".join(SCHEMES),
    baseline="|".join(sorted(set(get_args(Baseline)).difference(VOTING))),
    voting="|".join(VOTING),
    part="all|" + "|".join(f"fold{fold}" for fold in range(CONFIG.folds)),


def needs(name):
    """The inputs of the job called `name`, a pattern of wildcards: its plan, and what it reads.

    Of artifacts only the manifests' times count; the files themselves must merely exist. Plans are
    written while the main process builds its DAG, so only for jobs that the targets need. What the
    store has is put in place then, too, before Snakemake looks, so no job is started for it.
    """

    def plan(wildcards):
        asked = job(wildcards).name
        try:
            if not workflow.is_main_process:
                return str(plan_path(asked))
            lift_rate_limit()
            trust_squeue()
            return str(PLANNER.write(asked, RESTORER if may_restore() else None))
        except OSError as error:
            sys.exit(f"emodag: error: {explain(error, Path('results'))}")

    def manifests(wildcards):
        origins = job(wildcards).inputs.values()
        return list(
            {CHAIN[o[0]].manifest: None for o in origins if not isinstance(o, str)}
        )

    def files(wildcards):
        origins = job(wildcards).inputs.values()
        return [o if isinstance(o, str) else CHAIN[o[0]].path(o[1]) for o in origins]

    def job(wildcards):
        if (asked := name.format(**wildcards)) not in CHAIN:
            try:
                find_in(CHAIN, asked)
            except EmodagError as error:
                # Snakemake would add a traceback to any other exception.
                sys.exit(f"emodag: error: {error} (of this configuration)")
        return CHAIN[asked]

    def environment(wildcards):
        return [] if CONDA else INTERPRETERS.marks(job(wildcards).environment)

    return {
        "plan": plan,
        "manifests": manifests,
        "files": ancient(files),
        "environment": ancient(environment),
    }


def may_restore():
    """Whether this is a run, of a kind whose jobs might find their results in the store.

    With conda, what enters the keys is known only to environments that may not exist yet.
    """
    asked = workflow.dag_settings
    forced = asked.forceall or asked.forcerun or asked.forcetargets
    runs = workflow.executor_plugin and not workflow.dryrun and not workflow.touch
    return bool(runs and not forced and not CONDA and ELDER is None)


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
    return file and str(ROOT / file)


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


# What every fit makes besides where one stream of random numbers goes through all of them.
HANDED_ON = {"randomness": RANDOMNESS} if CONFIG.training.randomness == "global" else {}
PYTHON = "python"
if CONDA:
    # Snakemake takes PYTHONPATH away from these jobs. Nor would `python` do: where conda's base is
    # active, conda puts an environment in base's place in PATH, behind what PATH begins with above.
    PYTHON = 'PYTHONPATH="$EMODAG_PATH" "${{CONDA_PREFIX:+$CONDA_PREFIX/bin/}}python"'

# -P: whatever lies in the working directory is not to be imported.
RUN = PYTHON + " -P -m emodag run {input.plan} --workers {threads} --log {log}"
