"""What binds the chain of a configuration to Snakemake: its flow, and what its wildcards may be."""

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from emodag.chain.chain import INNER, Chain, only_one_generation, positions_of_numbers
from emodag.chain.jobs import workflow_of
from emodag.chain.settled import handed_on, settled
from emodag.chain.stages import STAGES
from emodag.chain.variants import fewer_trials
from emodag.config.combined import loaded
from emodag.config.sections import Config, variants_of
from emodag.config.variants import BASE, ROUND
from emodag.config.written import effective_yaml
from emodag.terminal.ending import of_success
from ledger.snakemake.flow import Flow, giving_up
from ledger.snakemake.screen import Screen

NONE = "(?!)"
"""Matches nothing."""


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
        config = loaded(values, list(map(Path, snakemake.configfiles)))
        known = (settled if snakemake.is_main_process else handed_on)(config)
        flow = Flow.once(
            snakemake,
            workflow_of(known, text=effective_yaml(config)),
            screen=screen,
            checkpoint_every=config.training.checkpoint_every,
            ending=lambda names: of_success(
                known, flow.jobs, names, snakemake.dag_settings.targets, sys.argv[1:]
            ),
        )
        if snakemake.is_main_process:
            less = only_one_generation(config), fewer_trials(known, flow.jobs)
            for told in filter(None, (*less, positions_of_numbers(config))):
                flow.say(f"emodag: {told}")
        if snakemake.is_main_process and known.next_round:
            have, trials = len(known.trials), config.search.trials
            flow.say(
                f"emodag: {have} of {trials} trials are known; the others are drawn from their "
                f"scores, {ROUND} at a time, and each time the same command goes on by itself"
            )
    return config, flow, _patterns(known)


def entitle(snakemake) -> None:
    """Have each rule say what it does by its stage's title, unless it says something else."""
    titles = {name: stage.title for name, stage in STAGES.items()}
    titles |= {f"{name}_of": f"{titles[name]} of {{entry}}" for name in ("submission", "scores")}
    for name, title in titles.items():
        called = snakemake.modifier.modify_rulename(name)  # as a module's may be another
        if snakemake.is_rule(called) and not (rule := snakemake.get_rule(called)).message:
            rule.message = title.replace("{", "{wildcards.")


def _patterns(config: Config) -> dict[str, str]:
    """What each wildcard may be, as a regular expression."""
    folds = Chain(config, config.environment).folds
    variants = {BASE: config, **variants_of(config)}
    learners = {name: made.learner for name, made in variants.items()}
    generations = range(max(made.generations for made in variants.values()) + 1)
    parts = ["all", *(f"fold{fold}" for fold in folds)]
    values = {
        "env": config.environments,
        "protocol": ["published", "nested"],
        "seed": [*config.seeds, *config.drift.seeds],
        "gen": generations[1:],
        "blend": generations,
        "fold": folds,
        "part": [*parts, *(f"{INNER}{part}" for part in parts)],
        "variant": variants,
        "round": range(2, 2 + config.search.trials // ROUND),
        "vote": config.blends,
        "entry": [*variants, *config.blends],
    }
    found = {name: "|".join(map(str, each)) or NONE for name, each in values.items()}
    networks = [name for name, learner in learners.items() if learner == "network"]
    return {
        **found,
        "at": _at(variants),
        "network": _at(networks),
        "learner": _at([name for name in variants if name not in networks]),
        "fit": rf"gen\d+/(?:{found['part']})",
        "contrast": "[^/]+",
    }


def _at(names: Collection[str]) -> str:
    """What the names of the jobs of some variants begin with."""
    others = "|".join(name for name in names if name != BASE)
    found = [rf"variants/(?:{others})/"] if others else []
    return "|".join(found + ["(?:)"] * (BASE in names)) or NONE
