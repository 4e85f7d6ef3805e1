"""Unit tests compute on one thread, as jobs do."""

import os

# Read when a numerical library is loaded, so set before any test imports one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
