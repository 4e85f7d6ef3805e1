"""What the workflow is called that uses this package, for messages and for names of its own.

The workflow's package says so in the environment when it is imported, and its jobs inherit that.
It is asked for whenever it is needed, so it does not matter what is imported first.
"""

import os
from pathlib import Path

VARIABLE = "LEDGER_NAME"
"""The environment variable with the name, which is that of the package: `python -m NAME`."""

# With the word `remote` behind it, the command adds the packages that `ledger.remote` needs.
SETUP = "LEDGER_SETUP"
"""The environment variable with the command that builds .venv, for messages, if there is one."""


def name() -> str:
    """The workflow's name."""
    return os.environ.get(VARIABLE, "ledger")


def home() -> Path:
    """The workflow's private directory, relative to where it runs."""
    return Path(f".{name()}")


def store_variable() -> str:
    """The environment variable that names a store instead of the configuration."""
    return f"{name().upper()}_STORE"


def setup() -> str | None:
    """The command that builds .venv from its locks."""
    return os.environ.get(SETUP)
