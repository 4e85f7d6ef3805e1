"""The store of a run, with those behind it."""

import json
import os
from pathlib import Path

from ledger.remote.address import passed_over, without_packages
from ledger.run import tally
from ledger.store.store import Store

VARIABLE = "LEDGER_STORES"
"""The environment variable by which jobs know the further stores and who is trusted, as JSON."""


def store_here(root: Path) -> Store:
    """The store at `root`, with those behind it that the run has named and nobody has given up.

    A job whose environment lacks a package for one of them does without that.
    """
    further, trusted = json.loads(os.environ.get(VARIABLE, "[[], []]"))
    given_up = [said for _, said in tally.warnings()] if further else []
    left = [
        text
        for text in further
        if not without_packages(text, signed=bool(trusted))
        and not any(said.startswith(passed_over(text)) for said in given_up)
    ]
    if not left:
        return Store(root)
    # Only here, as most jobs have none.
    from ledger.remote.through import StoreThrough

    return StoreThrough(root, left, trusted)
