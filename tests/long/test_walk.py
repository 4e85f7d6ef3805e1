"""A short random walk through all that may happen; `make walk` takes a long one."""

from tests.workflow.scenarios.oracle import Oracle
from tests.workflow.scenarios.walk.machine import Walker, walk


def test_whatever_happens_the_submission_is_right(tiny):
    oracle = Oracle()
    try:
        walker = Walker(tiny, oracle, print)
        walk(walker, 3, steps=8, each=4)
    finally:
        oracle.close()
    assert walker.counts["comparisons"] > 3
