"""Unit tests compute on one thread, as jobs do; no example of theirs has to be quick."""

import os

from hypothesis import settings

# Read when a numerical library is loaded, so set before any test imports one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
