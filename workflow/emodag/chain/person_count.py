"""How many persons there are to hold out one by one, which the chain must know before it runs."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from emodag.chain.chain import Chain
from emodag.config.sections import Config
from ledger.code.closure import Modules
from ledger.disk.atomic import copy_hashed
from ledger.disk.canonical import digest
from ledger.disk.documents import keep, recall
from ledger.disk.sources import source_digests
from ledger.errors import ConfigError, IntegrityError, UserError
from ledger.jobs.job import Job
from ledger.jobs.plan import MODULES, PLANS

MEMORY = PLANS / "persons.json"
"""Where counts are remembered, by the digest of all that they depend on."""

FEWEST = 3
"""Persons that can be held out one by one, so that two at least are left to learn from."""


def counted(config: Config, *, read_only: bool = False) -> Config:
    """The configuration with the number of persons in place of ``folds: persons``.

    Its `fold_assignment` is then ``persons``, by which the stage `folds` finds out whether the
    tables have changed since. With `read_only`, nothing is remembered.

    Raises
    ------
    InputError
        When a raw file is missing, or not such that `ingest` could tell persons apart.
    ConfigError
        When there are fewer persons than `FEWEST`.
    IntegrityError
        When a raw file changes meanwhile.
    """
    if config.folds != "persons":
        return config
    persons = _persons(config, read_only=read_only)
    if persons < FEWEST:
        raise ConfigError(
            f"`folds: persons` needs {FEWEST} persons or more, and the training table holds "
            f"{persons}; check which column holds the person (`data.group`)"
        )
    return with_persons(config, persons)


def with_persons(config: Config, persons: int) -> Config:
    """The configuration with a number of persons in place of ``folds: persons``."""
    return config.model_copy(update={"folds": persons, "fold_assignment": "persons"})


def _persons(config: Config, *, read_only: bool) -> int:
    if config.data.source == "synthetic":
        from emodag.science.synthetic import SIZES

        return SIZES[config.data.size].train_persons
    ingest = Chain(with_persons(config, FEWEST), config.environment).ingest()
    sha256 = source_digests(
        sorted(set(ingest.inputs.values())), PLANS / "sources.json", read_only=read_only
    )
    place = _place(ingest, sha256)
    known = recall(MEMORY)
    if place not in known:
        beside = None if read_only or not PLANS.is_dir() else PLANS
        with TemporaryDirectory(dir=beside, prefix="counting-") as room:
            known[place] = _count(ingest, sha256, Path(room))
        if not read_only:
            with contextlib.suppress(OSError):  # it only saves work
                keep(MEMORY, known)
    return known[place]


def _count(ingest: Job, sha256: Mapping[str, str], room: Path) -> int:
    """The persons in copies of the files, which are what the digests say whatever happens."""
    from emodag.stages.ingest import count_persons

    files = {}
    for role, origin in ingest.inputs.items():
        files[role] = room / role.replace("/", ".") / Path(origin).name
        files[role].parent.mkdir()
        if copy_hashed(Path(origin), files[role]) != sha256[origin]:
            raise IntegrityError(
                f"{origin}: changed while its persons were counted. Run the same command again."
            )
    try:
        return count_persons(files, ingest.params)
    except UserError as error:
        text = str(error)
        for role, own in files.items():
            text = text.replace(str(own), ingest.inputs[role])
        raise type(error)(text) from error


def _place(ingest: Job, sha256: Mapping[str, str]) -> str:
    """The digest of what persons are told apart by: files, parameters and code."""
    modules = Modules(memory=MODULES)
    facts = {
        "files": {role: [origin, sha256[origin]] for role, origin in ingest.inputs.items()},
        "params": ingest.params,
        "code": modules.closure(ingest.module),
    }
    return digest(facts)
