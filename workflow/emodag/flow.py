"""What binds the chain of a configuration to Snakemake: its flow, and what its wildcards may be."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from emodag.chain.baselines import SCHEMES
from emodag.chain.chain import Chain, only_one_generation
from emodag.chain.jobs import workflow_of
from emodag.chain.person_count import counted, handed_on
from emodag.config.repeated_keys import refuse_repeated_keys
from emodag.config.sections import VOTING, Baseline, Config, load
from emodag.config.written import effective_yaml
from emodag.terminal.ending import of_success
from ledger.snakemake.flow import Flow, giving_up
from ledger.snakemake.screen import Screen


def begin(
    snakemake, values: Mapping[str, Any], screen: Screen | None
) -> tuple[Config, Flow, dict[str, str]]:
    """Read the configuration and plan its jobs; ends the process where it is wrong.

    Parameters
    ----------
    snakemake : Snakemake's workflow.
    values : its `config`.
    screen : what shows the run, if it is not Snakemake itself.

    Returns
    -------
    The configuration, its jobs in Snakemake, and a pattern by wildcard.
    """
    with giving_up():
        refuse_repeated_keys(list(map(Path, snakemake.configfiles)))
        config = load(values)
        known = (counted if snakemake.is_main_process else handed_on)(config)
        flow = Flow.once(
            snakemake,
            workflow_of(known, text=effective_yaml(config)),
            screen=screen,
            checkpoint_every=config.training.checkpoint_every,
            ending=lambda stages: of_success(
                known, flow.jobs, stages, snakemake.dag_settings.targets, sys.argv[1:]
            ),
        )
        if snakemake.is_main_process and (told := only_one_generation(config)):
            flow.say(f"emodag: {told}")
    return config, flow, _patterns(known)


def _patterns(config: Config) -> dict[str, str]:
    """What each wildcard may be, as a regular expression."""
    folds = Chain(config, config.environment).folds
    values = {
        "env": config.environments,
        "protocol": config.protocols,
        "seed": [*config.seeds, *config.drift.seeds],
        "gen": range(1, config.generations + 1),
        "fold": folds,
        "scheme": SCHEMES,
        "baseline": sorted(set(get_args(Baseline)).difference(VOTING)),
        "voting": VOTING,
        "part": ["all", *(f"fold{fold}" for fold in folds)],
    }
    found = {name: "|".join(map(str, each)) for name, each in values.items()}
    return {**found, "contrast": "[^/]+"}
