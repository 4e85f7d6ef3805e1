"""What `ledger` must know of this workflow for its command line, `emodag VERB`."""

from importlib import import_module
from pathlib import Path

from emodag.chain.stages import STAGES
from ledger.cli import command
from ledger.jobs.workflow import Application, Workflow

VERSION = "0.1.0"


def configured(files: list[Path], settings: list[str]) -> Workflow:
    """See `ledger.jobs.workflow.Application`."""
    return import_module("emodag.chain.settled").asked(files, settings)


EMODAG = Application(
    version=VERSION,
    configured=configured,
    stages=list(STAGES),
    snakefile=Path(__file__).resolve().parents[2] / "Snakefile",
    results=("submission", "scores"),
    license="MIT",
    labels_of="persons",
)

VERBS = (
    "emodag.verbs.init",
    "emodag.verbs.check",
    *command.VERBS,
    "emodag.verbs.index",
    "emodag.verbs.variants",
    "emodag.verbs.predict",
    "emodag.verbs.export",
    "emodag.verbs.kaggle",
    "emodag.verbs.compare",
    "emodag.verbs.config",
)


def main(arguments: list[str] | None = None) -> int:
    """Carry out a command line; returns the exit status."""
    return command.main(EMODAG, VERBS, arguments)
