"""What every job finds in its environment, set once in the process that Snakemake runs in."""

import json
import os
import sys
from pathlib import Path

from ledger.called import store_variable
from ledger.code.closure import LEDGER, package_root
from ledger.disk.canonical import is_utf8
from ledger.errors import ConfigError
from ledger.jobs.workflow import Workflow
from ledger.run import stores
from ledger.run.forking import START
from ledger.store.place import asked_store


def prepare(workflow: Workflow) -> None:
    """Have jobs run this interpreter, and import the workflow and their environment only.

    The directories that hold the packages of the stages, with the one of this package, are all of
    PYTHONPATH. That is named twice, as Snakemake takes PYTHONPATH away from jobs in conda's
    environments.

    Raises
    ------
    ConfigError
        When PATH or PYTHONPATH cannot name a directory, or Snakemake cannot work in the present
        one.
    """
    if "{" in str(here := Path.cwd()):
        # Its locks would then be looked for in other directories, too.
        raise ConfigError(
            f"{here}: holds a brace, which Snakemake takes for a wildcard. Rename the directory, "
            "or name another with `--directory`."
        )
    packages = sorted({package_root(job.module).parent for job in workflow.jobs.values()})
    places = list(dict.fromkeys(map(str, [*packages, LEDGER.parent])))
    for directory in (here, *places, Path(sys.executable).parent):
        if not is_utf8(directory):
            raise ConfigError(f"{directory}: this name is not UTF-8; rename the directory")
    for directory in (*places, Path(sys.executable).parent):
        if os.pathsep in str(directory):
            raise ConfigError(
                f"{directory}: holds {os.pathsep!r}, at which PATH and PYTHONPATH are split, so "
                "no job could run from there. Rename or move the directory."
            )
    os.environ.update(
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        PYTHONPATH=os.pathsep.join(places),
        PYTHONNOUSERSITE="1",
        PYTHONUTF8="1",  # else what a stage writes would go by the locale, which is in no key
        LEDGER_PATH=os.pathsep.join(places),
        LEDGER_START=str(START),
    )
    os.umask(os.umask(0o022) | 0o002)  # nothing that jobs make is writable for everybody


def hand_on(workflow: Workflow, checkpoint_every: int) -> str:
    """Tell jobs those settings that are no part of their plans; returns the store.

    Results do not depend on them, so a change of them must start nothing. The store of the
    configuration gives way to one that is set already; those behind it stay.

    Raises
    ------
    ConfigError
        When the variable for the store is no path.
    """
    store = asked_store() or workflow.store
    os.environ[store_variable()] = store
    os.environ[stores.VARIABLE] = json.dumps([list(workflow.further), list(workflow.trusted)])
    os.environ["LEDGER_CHECKPOINT_EVERY"] = str(checkpoint_every)
    return store
