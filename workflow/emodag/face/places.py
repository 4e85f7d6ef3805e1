"""Where the store is, for the verbs that look into it."""

import argparse
import os
from pathlib import Path

CONFIG = Path("config.yaml")


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the option `--store`."""
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        help="the store (default: EMODAG_STORE, else what config.yaml says)",
    )


def store_path(options: argparse.Namespace) -> Path:
    """The store that is meant: by the option, the environment or the configuration.

    Raises
    ------
    ConfigError
        When config.yaml has to be asked and is wrong or not there.
    """
    if chosen := options.store or os.environ.get("EMODAG_STORE"):
        return Path(chosen)
    from emodag.face.config import read

    return Path(read(CONFIG).store)
