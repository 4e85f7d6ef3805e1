"""emodag: cross-subject emotion recognition by self-training, content-addressed end to end."""

from importlib import import_module
from typing import Any


def open(results: str = "results") -> Any:
    """What a run made, as frames for notebooks: an `emodag.face.notebook.Results`.

    Parameters
    ----------
    results : the directory `results` of a project.
    """
    # By its name: what this file imports would be part of every job's key.
    return import_module("emodag.face.notebook").Results(results)
