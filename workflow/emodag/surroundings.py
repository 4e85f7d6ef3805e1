"""What every job finds in its environment, set once in the process that Snakemake runs in."""

import os
import sys
from pathlib import Path

from emodag.errors import ConfigError
from emodag.face.config import Config
from emodag.face.places import asked_store


def prepare(package: Path) -> None:
    """Have jobs run this interpreter, and import this project and their environment only.

    Parameters
    ----------
    package : the directory that holds the package, which is all of PYTHONPATH. It is named twice,
        as Snakemake takes PYTHONPATH away from jobs in conda's environments.

    Raises
    ------
    ConfigError
        When PATH or PYTHONPATH cannot name a directory, Snakemake cannot work in the present one,
        or EMODAG_STORE is no path.
    """
    if "{" in str(here := Path.cwd()):
        # Its locks would then be looked for in other directories, too.
        raise ConfigError(
            f"{here}: holds a brace, which Snakemake takes for a wildcard. Rename the directory, "
            "or name another with `--directory`."
        )
    for directory in (package, Path(sys.executable).parent):
        if os.pathsep in str(directory):
            raise ConfigError(
                f"{directory}: holds {os.pathsep!r}, at which PATH and PYTHONPATH are split, so "
                "no job could run from there. Rename or move the directory."
            )
    if store := asked_store():
        os.environ["EMODAG_STORE"] = store
    os.environ.update(
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        PYTHONPATH=str(package),
        PYTHONNOUSERSITE="1",
        EMODAG_PATH=str(package),
    )
    os.umask(os.umask(0o022) | 0o002)  # nothing that jobs make is writable for everybody


def hand_on(config: Config) -> str:
    """Tell jobs those settings that are no part of their plans; returns the store.

    Results do not depend on them, so a change of them must start nothing. The store of the
    configuration gives way to one that is set already.
    """
    os.environ["EMODAG_STORE"] = os.environ.get("EMODAG_STORE") or config.store
    os.environ["EMODAG_CHECKPOINT_EVERY"] = str(config.training.checkpoint_every)
    return os.environ["EMODAG_STORE"]
