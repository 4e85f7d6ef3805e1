"""The report's job: which artifacts of the chain `results/report.html` is built from."""

from collections.abc import Iterable
from typing import Any

from emodag.chain.chain import Chain, asked_for
from emodag.chain.stages import STAGES
from emodag.config.output import Submission
from emodag.config.raw_files import raw_files
from emodag.config.sections import Config
from emodag.config.variants import BASE
from ledger.jobs.job import Job

UNSEEN = {
    # a file's place has no influence on the result
    "data": {"train", "test", "truth", "unlabelled"},
    "training": {"checkpoint_every"},
}
"""The settings that no result depends on."""


def report_job(config: Config, told: Iterable[Job]) -> Job:
    """The report on the chain in the default environment.

    The models looked into, for attention and scaling, are those of the protocol whose
    score is told, with the first run seed.

    Parameters
    ----------
    told : the jobs that it tells of.
    """
    chain = Chain(config, config.environment)
    labels = config.pseudo_labels
    look = {"protocol": config.told, "seed": config.seeds[0]}
    inputs: dict[str, Any] = {
        _role(job.name, file, config.environment): (job.name, file)
        for job in told
        for file in [*STAGES[job.stage].report, *_looked_into(job, chain, look)]
        if file in job.outputs
    }
    if truth := chain.truth():
        inputs["truth"] = truth
    if config.report.drift:
        inputs["drift"] = ("drift", "drift.json")
    return chain.job(
        "report",
        "report",
        {
            "environment": config.environment,
            "protocols": config.protocols,
            "seeds": config.seeds,
            "generations": chain.last,
            "scored": {protocol: chain.scored(protocol) for protocol in config.protocols},
            "learner": config.learner,
            "folds": config.folds,
            **chain.repeats(),
            "look": look,
            **asked_for(submit=config.submit if config.submit != BASE else None),
            "source": config.data.source,
            **chain.of_truth(),
            "threshold": labels.threshold,
            **asked_for(select=labels.select if labels.select != "threshold" else None),
            "boost": chain.boost,
            "settings": _settings(config),
        },
        inputs,
        describes=(config.environment,),
        cites=tuple(name for entry in config.data.files.values() for name in raw_files(entry)),
    )


def _role(job: str, file: str, environment: str) -> str:
    """What the report calls an artifact: its place below the environment's results."""
    if job in STAGES:  # a final table
        return file
    return f"{job.removeprefix(environment + '/')}/{file}"


def _looked_into(job: Job, chain: Chain, look: dict[str, Any]) -> tuple[str, ...]:
    """The outputs that only the models looked into are asked for."""
    last = f"{chain.run(**look)}/gen{chain.last}/"
    if job.stage in ("teacher", "student") and job.name.startswith(last):
        return ("weights.safetensors",)
    scaled = {chain.scaled(look["protocol"], fold) for fold in chain.parts(look["protocol"])}
    return ("train.parquet",) if job.name in scaled else ()


def _settings(config: Config) -> dict[str, Any]:
    """The settings behind the results, as they must be to get them again."""
    made = config.data.source == "synthetic"
    unseen = {**UNSEEN, "data": UNSEEN["data"] | (set() if made else {"size", "seed"})}
    found = {"fold_assignment": config.fold_assignment}
    if config.fold_assignment == "persons":  # as `emodag.chain.person_count` has it
        found["folds"] = found.pop("fold_assignment")
    if config.folds_repeats > 1:
        found["folds_repeats"] = config.folds_repeats
    if config.learner != "network":
        found["learner"] = config.learner
        chosen = getattr(config.learners, config.learner).model_dump()
        found |= {f"learners.{config.learner}.{key}": value for key, value in chosen.items()}
    if config.submission != Submission():
        found |= {f"submission.{k}": v for k, v in config.submission.model_dump().items()}
    if config.data.unlabelled == "rows":
        found["data.unlabelled"] = "rows"
    for section in ("data", "scaling", "model", "training", "pseudo_labels"):
        values = getattr(config, section).model_dump()
        left_out = unseen.get(section, set())
        found |= {f"{section}.{k}": v for k, v in values.items() if k not in left_out}
    return found
