"""Where the store is, for the verbs that look into it."""

import argparse
import os
from pathlib import Path

from emodag.job import RESULTS
from emodag.provenance.atomic import write_bytes
from emodag.provenance.plan import PLANS

CONFIG = Path("config.yaml")
NOTE = PLANS / "store"
"""Which store results are made with; a relative one is so to the directory that holds them."""


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the option `--store`."""
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        help="the store (default: EMODAG_STORE, else the one that the results were made with)",
    )


def remember_store(store: str) -> None:
    """Write down which store the results of this directory are made with."""
    if not NOTE.exists() or NOTE.read_text() != store:
        write_bytes(NOTE, store.encode())


def store_path(options: argparse.Namespace, results: Path) -> Path:
    """The store that is meant: by the option, the environment, the results or the configuration.

    Raises
    ------
    ConfigError
        When config.yaml has to be asked and is wrong or not there.
    """
    if chosen := options.store or os.environ.get("EMODAG_STORE"):
        return Path(chosen)
    note = results / NOTE.relative_to(RESULTS)
    if note.is_file():
        return results.parent / note.read_text()
    from emodag.face.config import read

    return Path(read(CONFIG).store)
