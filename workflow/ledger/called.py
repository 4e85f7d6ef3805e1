"""What the workflow is called that uses this package, for messages and for names of its own.

The workflow says so in the environment before it imports anything of this package, and its jobs
inherit that.
"""

import os
from pathlib import Path

VARIABLE = "LEDGER_NAME"
"""The environment variable with the name; also the command with the verbs is called so."""

NAME = os.environ.get(VARIABLE, "ledger")

HOME = Path(f".{NAME}")
"""The workflow's private directory, relative to where it runs."""

STORE = f"{NAME.upper()}_STORE"
"""The environment variable that names a store instead of the configuration."""
