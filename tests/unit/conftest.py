"""Unit tests compute on one thread, as jobs do; no example of theirs has to be quick."""

import gc
import os

from hypothesis import settings

# Read when a numerical library is loaded, so set before any test imports one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# `tests/long/test_more_examples.py` tries more.
settings.register_profile("unhurried", deadline=None, max_examples=30)
settings.load_profile("unhurried")


def pytest_collection_finish() -> None:
    """Have no garbage be looked for in what is loaded by now, which stays to the end."""
    gc.freeze()
