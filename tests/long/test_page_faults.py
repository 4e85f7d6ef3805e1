"""The memory of what a fit has computed is used again, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
FAULTS = """
import pyarrow, resource, torch
from emodag.science.fit.devices import prepared
prepared("cpu")
table = torch.ones(1000, 1000)
for count in range(30):
    if count == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    together = [table.sqrt() for _ in range(12)]
    del together
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(pyarrow.default_memory_pool().backend_name)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's switch")
def test_the_memory_of_intermediate_results_is_used_again():
    """Without it, and with the C library's threshold low, each of 20 rounds costs page faults."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS],
        cwd=WORKFLOW,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},
        check=True,
        capture_output=True,
        text=True,
    )
    faults, pool = done.stdout.split()
    assert int(faults) < 12_000
    assert pool == "system"
