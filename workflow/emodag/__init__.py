"""emodag: cross-subject emotion recognition by self-training, content-addressed end to end."""

import os
from importlib import import_module
from typing import Any

os.environ.update(LEDGER_NAME="emodag", LEDGER_SETUP="make setup")  # see `ledger.called`


def open(results: str = "results") -> Any:
    """What a run made, as frames for notebooks: an `emodag.verbs.notebook.Results`.

    Parameters
    ----------
    results : the directory `results` of a project.
    """
    # By its name: what this file imports would be part of every job's key.
    return import_module("emodag.verbs.notebook").Results(results)
