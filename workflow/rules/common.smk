# Needs the configuration; makes the chain's plans, and what every rule below refers to.
import sys
from pathlib import Path
from typing import get_args

from emodag.chain.baselines import ENVIRONMENT as BASELINES
from emodag.chain.baselines import SCHEMES
from emodag.chain.chain import Chain, only_one_generation
from emodag.chain.jobs import workflow_of
from emodag.chain.person_count import counted, handed_on
from emodag.chain.stages import STAGES
from emodag.config.repeated_keys import refuse_repeated_keys
from emodag.config.sections import VOTING, Baseline, load
from emodag.config.written import effective_yaml
from emodag.terminal.ending import of_success
from ledger.snakemake.flow import Flow, giving_up

with giving_up():
    refuse_repeated_keys(list(map(Path, workflow.configfiles)))
    CONFIG = load(config)
    COUNTED = (counted if workflow.is_main_process else handed_on)(CONFIG)
    FLOW = Flow.once(
        workflow,
        workflow_of(COUNTED, effective_yaml(CONFIG)),
        screen=SCREEN,
        checkpoint_every=CONFIG.training.checkpoint_every,
        ending=lambda stages: of_success(
            COUNTED, CHAIN, stages, workflow.dag_settings.targets, sys.argv[1:]
        ),
    )
    if workflow.is_main_process and (told := only_one_generation(CONFIG)):
        FLOW.say(f"emodag: {told}")

CHAIN = FLOW.jobs
FOLDS = Chain(COUNTED, COUNTED.environment).folds


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


def needs(stage):
    """The inputs of a stage's jobs."""
    return FLOW.needs(STAGES[stage].place)


def makes(stage):
    """Their outputs."""
    caption = str(ROOT / f"workflow/report/{stage}.rst")
    shown = STAGES[stage].shown and {**STAGES[stage].shown, "caption": caption}
    return FLOW.makes(STAGES[stage].place, stage, shown)


def log_of(stage):
    """Their log."""
    return FLOW.log(STAGES[stage].place, stage)


def conda_file(wildcards):
    """The conda file of a job's environment; what is made once for all is made in the default."""
    return FLOW.conda(wildcards.get("env", CONFIG.environment))


def job_threads(wildcards):
    """How many threads a job of an environment uses."""
    return CONFIG.environments[wildcards.get("env", CONFIG.environment)].threads


RUN, RUN_FIT = FLOW.run, FLOW.run_fit
