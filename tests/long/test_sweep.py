"""A few points of the sweep of faults; `make sweep` takes all, and some with Snakemake itself."""

import subprocess
import sys

import pytest

from tests.project import ROOT
from tests.workflow.scenarios.sweep.faults import has_compiler


@pytest.mark.skipif(not has_compiler(), reason="no C compiler")
def test_whatever_fails_the_next_run_is_right():
    command = [sys.executable, "-m", "tests.workflow.scenarios.sweep", "--every", "1300"]
    done = subprocess.run(
        [*command, "--cases", "first tables", "restored", "changed", "--real", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.splitlines()[-1].split()[0]) > 12, done.stdout
