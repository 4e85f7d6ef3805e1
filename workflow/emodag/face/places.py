"""Where the store is, for the verbs that look into it."""

import argparse
import contextlib
import os
from pathlib import Path

from emodag.errors import ConfigError
from emodag.job import RESULTS
from emodag.provenance.atomic import read_bytes, write_bytes
from emodag.provenance.plan import PLANS

STORE = "EMODAG_STORE"
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
    with contextlib.suppress(OSError):
        if read_bytes(NOTE) == os.fsencode(store):
            return
    write_bytes(NOTE, os.fsencode(store))


def at_home(path: str) -> str:
    """A path, where a leading ~ or ~user is a home directory.

    Raises
    ------
    ValueError
        When there is no such user, or nothing tells where the home is.
    """
    found = os.path.expanduser(path)  # noqa: PTH111, as Path makes ~ of ./~
    if found.startswith("~") and (found == "~" or "/" in found):
        raise ValueError(f"{path!r} names no home directory; for what is called so, write ./{path}")
    return found


def asked_store() -> str | None:
    """The store that the variable EMODAG_STORE names, None where it names none.

    Raises
    ------
    ConfigError
        When it begins with a ~ that is no home directory.
    """
    try:
        return at_home(os.environ.get(STORE, "")) or None
    except ValueError as error:
        raise ConfigError(f"{STORE}: {error}") from None


def store_path(options: argparse.Namespace, results: Path) -> Path:
    """The store that is meant: by the option, the environment, the results or the configuration.

    Raises
    ------
    ConfigError
        When config.yaml has to be asked and is wrong.
    """
    if chosen := options.store or asked_store():
        return Path(chosen)
    with contextlib.suppress(OSError):
        return results.parent / os.fsdecode(read_bytes(results / NOTE.relative_to(RESULTS)))
    from emodag.face.combined import combined

    return Path(combined([], []).store)
