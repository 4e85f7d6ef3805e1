"""A configuration as a workflow: all its jobs, and what else `ledger` must know of it."""

from pathlib import Path

from emodag.chain.chain import Chain
from emodag.chain.contrasts import contrast_jobs
from emodag.chain.report import report_job
from emodag.chain.stages import FINALS
from emodag.chain.variants import Variants
from emodag.config.sections import Config
from emodag.config.written import effective_yaml
from ledger.jobs.job import Job
from ledger.jobs.workflow import Workflow
from ledger.remote.address import divided

ROOT = Path(__file__).resolve().parents[3]
"""The repository, where the Snakefile is."""

LOADED = (
    "importlib.metadata",  # what no library imports, and each job does
    "numpy",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pandas",  # Arrow imports it to make NumPy's arrays
    "scipy.special",
    "--",
    "torch",  # half of the time, and for fits alone
)
"""See `Workflow.loaded`."""

LISTING = "results/index.html"
"""The page on everything in the results."""

NO_SUBMISSION = (
    "there is no submission, as `data.test` names no test table; results/scores.csv has the scores"
)

NO_VARIANTS = "there is nothing to compare, as the configuration names no `variants`"

NOT_DRAWN = (
    "this trial of the search is not drawn yet; `snakemake results/variants.csv` draws it from the "
    "scores of those before"
)


def jobs(config: Config) -> dict[str, Job]:
    """Every job of a configuration by name, each after the jobs it needs."""
    found: dict[str, Job] = {}
    chain = Chain(config, config.environment)
    variants = Variants(config)
    chosen = [job for job in [variants.submitted()] if job]
    chosen += [chain.leaderboard(job) for job in chosen if chain.truth()]
    replaced = {job.name for job in chosen}
    own = [job for job in chain.jobs() if job.name not in replaced]
    compared = [*variants.jobs(), *chosen, *contrast_jobs(config)]
    report = report_job(config, [*own, *chosen, *variants.comparison()])
    for job in [*own, *compared, report]:
        found.setdefault(job.name, job)
    return found


def workflow_of(config: Config, *more: Job, text: str | None = None) -> Workflow:
    """The workflow of a configuration that is settled, see `emodag.chain.settled`.

    Parameters
    ----------
    more : jobs that are no target of a run.
    text : the configuration as it was before.
    """
    found = jobs(config) | {job.name: job for job in more}
    store, further = divided(config.store)
    return Workflow(
        jobs=found,
        decider=f"search/round{config.next_round}" if config.next_round else None,
        environments=config.environments,
        root=ROOT,
        store=store,
        further=further,
        trusted=config.trusted,
        loaded=LOADED,
        text=text or effective_yaml(config),
        finals=FINALS,
        listing=LISTING,
        absent={
            name: why
            for name, why in {
                "submission": NO_SUBMISSION,
                "variants": NO_VARIANTS,
            }.items()
            if name not in found
        }
        | dict.fromkeys(_to_be_drawn(config), NOT_DRAWN),
    )


def _to_be_drawn(config: Config) -> list[str]:
    """The trials of later rounds; none once all are drawn, though a space may have held fewer."""
    later = (name for name in config.trial_names if name not in config.trials)
    return list(later) if config.next_round else []
