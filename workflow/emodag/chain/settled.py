"""A configuration with what must be known before its jobs are: persons, and the trials so far."""

import json
import os
from collections.abc import Iterator
from itertools import count, islice, takewhile
from pathlib import Path

from emodag.chain.jobs import workflow_of
from emodag.chain.person_count import counted, with_persons
from emodag.config.combined import combined
from emodag.config.sections import Config
from emodag.config.variants import BASE, ROUND, Search
from ledger.disk.documents import read_object
from ledger.errors import ConfigError
from ledger.jobs.job import RESULTS
from ledger.jobs.planner import Planner
from ledger.jobs.results import verified
from ledger.jobs.workflow import Workflow

VARIABLE = "EMODAG_SETTLED"
"""The environment variable by which a run's jobs know what the run goes by, as JSON: `folds`, how
many there are of them, and `rounds`, how many were drawn by scores."""


def settled(config: Config, *, read_only: bool = False) -> Config:
    """The configuration with the number of its folds and, of a search by scores, its trials so far.

    A round counts whose record is up to date, and so are the scores that it was drawn from.
    With `read_only`, nothing is remembered.

    Raises
    ------
    InputError, ConfigError
        As `emodag.chain.person_count.counted`, and when a trial is named that never comes.
    IntegrityError
        When the record of a round is damaged.
    """
    config = counted(config, read_only=read_only)
    found, rounds = config, 0
    if config.search.sampler == "tpe":
        found, rounds = _with_rounds(config, read_only=read_only)
    if not read_only:
        os.environ[VARIABLE] = json.dumps({"folds": config.folds, "rounds": rounds})
    return found


def _with_rounds(config: Config, *, read_only: bool) -> tuple[Config, int]:
    """The configuration with the trials of the rounds that are up to date, and how many those are.

    A trial that is named and never comes is refused.
    """
    found, rounds = recorded(config), 0
    if found.next_round != config.next_round:  # there are records
        workflow = workflow_of(found)
        planner = Planner(workflow, read_only=read_only)
        names = (f"search/round{number}" for number in count(2))
        fresh = takewhile(lambda n: n in workflow.jobs and not planner.must_run(n), names)
        rounds = sum(1 for _ in fresh)
    found = recorded(config, most=rounds)
    never = config.compared_names.difference({BASE}, config.variants, config.blends, found.trials)
    if never and not found.next_round:
        raise ConfigError(
            f"{min(never)!r} is named and never drawn: `search.space` holds no more than "
            f"{len(found.trials)} trials"
        )
    return found, rounds


def handed_on(config: Config) -> Config:
    """The same in a job of a run, with what the run has found, whatever is there by now."""
    if VARIABLE not in os.environ:
        return settled(config, read_only=True)
    known = json.loads(os.environ[VARIABLE])
    if config.folds == "persons":
        config = with_persons(config, known["folds"])
    return recorded(config, most=known["rounds"]) if config.search.sampler == "tpe" else config


def recorded(config: Config, results: Path = Path(RESULTS), most: int | None = None) -> Config:
    """The configuration with the trials whose record is in the results, whether or not up to date.

    Parameters
    ----------
    most : of so many rounds after the first at most.

    Raises
    ------
    IntegrityError
        When a record is damaged.
    """
    rounds = islice(_recorded(config.search, results), most)
    return config.with_suggested([row for shares in rounds for row in shares])


def asked(files: list[Path], settings: list[str]) -> Workflow:
    """The workflow of what ``--configfile FILES --config SETTINGS`` gives; writes nothing."""
    return workflow_of(settled(combined(files, settings), read_only=True))


def _recorded(search: Search, results: Path) -> Iterator[list[list[float]]]:
    """The shares of each round's trials from the second on."""
    for number in range(2, 2 + (search.trials - 1) // ROUND):
        path = results / f"search/round{number}/suggested.json"
        found = read_object(path)
        if found is None or not path.with_name("manifest.json").is_file():
            return
        verified(path.with_name("manifest.json"), path.name)
        if {len(row) for row in found["shares"]} != {len(search.space)}:  # of another space
            return
        yield found["shares"]
