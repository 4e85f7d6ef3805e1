"""Contrasts: which runs of the chain are compared with which, and the jobs that compare them."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from emodag.chain.chain import Chain
from emodag.chain.stages import RANDOMNESS, STAGES
from emodag.config.sections import Config
from ledger.jobs.job import Job

YARDSTICK = "seeds"
"""The contrast of run seeds, which says how large a difference has to be to matter."""

Run = tuple[str, int]
"""What a contrast compares: the chain in an environment, with a run seed."""


def contrast_jobs(config: Config) -> Iterator[Job]:
    """The jobs of every run that is compared, of the contrasts, and of the report on them."""
    contrasts = _contrasts(config)
    chains = {
        run: _chain(config, run)
        for run in _runs(pair for pairs in contrasts.values() for pair in pairs)
    }
    for chain in chains.values():
        yield from chain
    yield from (_contrast(config, name, pairs, chains) for name, pairs in contrasts.items())
    yield Chain(config, config.environment).job(
        "drift",
        "drift",
        {"yardstick": YARDSTICK, "contrasts": list(contrasts)},
        {name: (f"drift/{name}", "contrast.json") for name in contrasts},
    )


def _contrasts(config: Config) -> dict[str, list[tuple[Run, Run]]]:
    """The pairs of runs of every contrast; the run seed is the yardstick of all others."""
    home, seeds = config.environment, config.drift.seeds
    pairs = {
        f"{a}-{b}": [((a, seed), (b, seed)) for seed in seeds] for a, b in config.drift.contrasts
    }
    return {**pairs, YARDSTICK: [((home, seeds[0]), (home, seed)) for seed in seeds[1:]]}


def _runs(pairs: Iterable[tuple[Run, Run]]) -> list[Run]:
    """Each run of the pairs once, in their order."""
    return list(dict.fromkeys(run for pair in pairs for run in pair))


def _chain(config: Config, run: Run) -> list[Job]:
    """The jobs of a run: the first protocol, with one run seed."""
    env, seed = run
    return list(Chain(config, env).compared(seed))


def _contrast(
    config: Config, name: str, pairs: list[tuple[Run, Run]], chains: dict[Run, list[Job]]
) -> Job:
    runs = _runs(pairs)
    jobs = {run: [job for job in chains[run] if job.stage != "synthesize"] for run in runs}
    inputs: dict[str, Any] = {
        f"{job.name}/{file}": (job.name, file)
        for run in runs
        for job in jobs[run]
        for file in job.outputs
        if file != RANDOMNESS
    }
    home = Chain(config, config.environment)
    if truth := home.truth():
        inputs["truth"] = truth
    return home.job(
        f"drift/{name}",
        "contrast",
        {
            "runs": {_named(run): _described(run, jobs[run]) for run in runs},
            "pairs": [[_named(a), _named(b)] for a, b in pairs],
            "boost": home.boost,
            **home.of_truth(),
        },
        inputs,
        describes=tuple(sorted({env for env, _ in runs})),
    )


def _described(run: Run, jobs: list[Job]) -> dict[str, Any]:
    """A run as the contrast sees it: its jobs by the step of the chain that they do."""
    env, seed = run
    steps = [
        {
            "step": step,
            "stage": stage,
            "carries": list(STAGES[stage].carries),
            "jobs": [job.name for job in done],
        }
        for (step, stage), done in groupby(jobs, lambda job: (_step(job.name), job.stage))
    ]
    return {"environment": env, "seed": seed, "steps": steps}


def _named(run: Run) -> str:
    """What a run is called."""
    env, seed = run
    return f"{env}/seed{seed}"


def _step(name: str) -> str:
    """What a job does, without the run and the part of the training persons it does it for."""
    return re.sub(r"^\w+/((published|nested)/(seed\d+/)?)?|/(all|fold\d+)$", "", name)
