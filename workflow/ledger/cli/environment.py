"""`environment DIRECTORY LOCK ...`: build a virtual environment from locks."""

import argparse
from pathlib import Path

from ledger.environments.venv import build
from ledger.errors import UserError
from ledger.run.talk import Talk


def add(verbs) -> None:
    """Add the verb to the command line."""
    environment = verbs.add_parser(
        "environment",
        help="build a virtual environment from locks",
        description="Build a virtual environment from hashed requirement files, hashes checked. "
        "Snakemake calls this for environments that have `python: built` or an interpreter's name; "
        "`snakemake environments` builds them all.",
    )
    environment.add_argument("directory", type=Path, metavar="DIRECTORY", help="where to build it")
    environment.add_argument(
        "locks", type=Path, nargs="+", metavar="LOCK", help="a hashed requirement file"
    )
    environment.add_argument(
        "--python", default="built", help="the interpreter (default: that of the running one)"
    )
    environment.add_argument("--log", type=Path, metavar="FILE", help="write what happens here too")
    environment.set_defaults(verb=_environment)


def _environment(options: argparse.Namespace) -> int:
    talk = Talk("environment", options.log)
    try:
        build(options.directory, options.locks, options.python, talk.note)
    except UserError as error:
        talk.error(str(error))
        return 1
    return 0
