# Needs the configuration; makes the chain's plans, and what every rule below refers to.
from emodag.chain.stages import STAGES
from emodag.flow import begin, entitle

CONFIG, FLOW, PATTERNS = begin(workflow, config, SCREEN)


wildcard_constraints:
    **PATTERNS,


def needs(stage, at=""):
    """The inputs of a stage's jobs, whose names begin with `at`."""
    return FLOW.needs(at + STAGES[stage].place)


def makes(stage, at=""):
    """Their outputs."""
    found = STAGES[stage]
    caption = str(ROOT / f"workflow/report/{stage}.rst")
    shown = found.shown and {**found.shown, "caption": caption}
    return FLOW.makes(at + found.place, stage, found.makes, shown, beside=found.beside)


def log_of(stage, at=""):
    """Their log."""
    return FLOW.log(at + STAGES[stage].place, stage, beside=STAGES[stage].beside)


def conda_file(wildcards):
    """The conda file of a job's environment; what is made once for all is made in the default."""
    return FLOW.conda(wildcards.get("env", CONFIG.environment))


def threads_of(stage):
    """How many threads its jobs use: the table's number, or what their environment is given."""
    return STAGES[stage].threads or (
        lambda wildcards: CONFIG.environments[
            wildcards.get("env", CONFIG.environment)
        ].threads
    )
