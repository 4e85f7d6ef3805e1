"""Arbitrary sequences of moves, by hypothesis."""

import contextlib
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, assume, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.workflow.scenarios.oracle import Oracle
from tests.workflow.scenarios.scenario import Scenario
from tests.workflow.scenarios.walk import company, damage, edits, runs
from tests.workflow.scenarios.walk.walked import Walked

N = st.integers(0, 255)
KEEP_TIME = st.booleans()
DAMAGED = st.sampled_from(["output", "manifest", "plan", "object", "action", "sidecar"])
LOST = st.sampled_from(["output", "manifest", "plan", "object", "action", "sidecar", "metadata"])
OTHER = st.sampled_from(["threshold", "boost", "n_quantiles", "epochs"])
RAW_WORK = st.sampled_from([["results", "actions"], ["results", "store"], []])
WORK = st.sampled_from([[], ["results"], ["fits", "actions"], ["fits", "store"]])

MOVES: dict[Callable, dict[str, st.SearchStrategy]] = {
    edits.setting: {"name": st.sampled_from(list(edits.SETTINGS)), "value": st.integers(0, 1)},
    edits.seed: {"value": st.integers(1, 2)},
    edits.environment: {
        "entry": st.sampled_from(["plain", "plain", *edits.ENVIRONMENTS]),
        "slower": st.sampled_from([False, False, True]),
    },
    edits.code: {"edit": st.sampled_from(list(edits.CODE)), "keep_time": KEEP_TIME},
    edits.comment: {"module": st.sampled_from(edits.MODULES)},
    edits.raw: {
        "table": st.sampled_from(["train", "test"]),
        "digit": st.integers(1, 2),
        "keep_time": KEEP_TIME,
    },
    edits.take_all_back: {"keep_time": KEEP_TIME},
    edits.touch: {
        "kind": st.sampled_from(["raw", "output", "manifest", "plan"]),
        "n": N,
        "days": st.integers(-1, 1),
    },
    edits.touch_all: {},
    edits.back_up: {},
    edits.copy_results_over: {"times": st.booleans(), "instead": st.booleans()},
    damage.delete: {"kind": LOST, "n": N},
    damage.delete_job: {"n": N},
    damage.delete_all: {"what": st.sampled_from(list(damage.WHOLE))},
    damage.flip: {"kind": DAMAGED, "n": N, "where": st.integers(0, 65535)},
    damage.truncate: {"kind": DAMAGED, "n": N, "where": st.integers(0, 65535)},
    damage.overwrite: {
        "kind": DAMAGED,
        "n": N,
        "rubbish": st.integers(0, len(damage.RUBBISH) - 1),
    },
    damage.swap: {"kind": DAMAGED, "n": N, "m": N},
    damage.rename: {
        "kind": st.sampled_from(["action", "action", "object", "output"]),
        "n": N,
        "m": N,
    },
    company.raw_meanwhile: {
        "lost": RAW_WORK,
        "table": st.sampled_from(["train", "test"]),
        "how": st.sampled_from(list(company.HOW)),
        "digit": st.integers(1, 9),
        "after": st.sampled_from([0.0, 0.0, 0.05, 0.1, 0.3]),
    },
    company.company: {
        "lost": WORK,
        "setting": OTHER,
        "after": st.sampled_from([0.0, 0.0, 0.3, 1.0, 2.0, 3.0]),
        "host": st.sampled_from(list(company.HOSTS)),
    },
    company.question: {
        "lost": WORK,
        "setting": OTHER,
        "after": st.integers(0, 40).map(lambda tenth: tenth / 10),
        "what": st.sampled_from(list(company.QUESTIONS)),
    },
    company.other_tables: {
        "setting": OTHER,
        "leaderboard": st.booleans(),
        "back": st.booleans(),
    },
    company.times: {"how": st.sampled_from(["all", "some"]), "days": st.integers(-1, 1)},
    runs.settle: {},
    runs.kill: {
        "lost": WORK,
        "after": st.integers(1, 80).map(lambda tenth: tenth / 10),
        "whom": st.sampled_from(["all", "snakemake", "jobs"]),
    },
    runs.fresh_clone: {},
    runs.side_by_side: {"lost": WORK, "boost": st.integers(0, 1)},
    runs.two_in_one_directory: {
        "lost": WORK,
        "after": st.integers(0, 30).map(lambda tenth: tenth / 10),
    },
    runs.wrong_lock: {},
    runs.wrong_setting: {},
    runs.missing_table: {"table": st.sampled_from(["train", "test"])},
    runs.wrong_table: {},
    runs.unparsable_code: {},
    runs.why: {},
    runs.lineage: {},
    runs.verify: {"repair": st.booleans()},
    runs.gc: {},
}
"""What may happen, and with which arguments; all of them plain JSON."""


class Violation(BaseException):
    """What must not happen; not an `Exception`, so hypothesis leaves it and stops at once."""


class Walker:
    """Does moves on one project after the other, and writes down what it does.

    Parameters
    ----------
    finished : the project to begin with.
    say : called with a line for every move, which `replay` understands, and with remarks.
    """

    def __init__(
        self, finished: Scenario, oracle: Oracle, say: Callable[[str], None] = lambda line: None
    ) -> None:
        self.finished, self.oracle, self.say = finished, oracle, say
        self.place: Path | None = None
        self.counts: Counter[str] = Counter()
        self.steps: Counter[str] = Counter()

    def begin(self) -> None:
        """A new project."""
        self.place = Path(tempfile.mkdtemp(prefix="walk-"))
        self.project = Walked.copy_of(
            self.finished, self.place / "project", self.oracle, self.counts
        )
        self.moves: list[str] = []
        self.say(json.dumps({"move": "begin"}))

    def step(self, move: str, arguments: dict[str, Any], *, quiet: bool) -> None:
        """One move and, unless quiet, a run that must lead to the right submission."""
        begun = time.monotonic()
        self.steps[move] += 1
        self.moves.append(json.dumps({"move": move, **arguments, "quiet": quiet}))
        self.say(self.moves[-1])
        with self._watched():
            BY_NAME[move](self.project, **arguments)
            if not quiet:
                self.project.check()
        self.say(f"# step {self.steps.total()}: {time.monotonic() - begun:.1f} s")

    def end(self) -> None:
        """Check the last moves, too, and clear away; a project that failed is left as it is."""
        if self.place:
            with self._watched():
                self.project.check()
            self.project.reap()
            # What a killed bash has started since may still write here.
            shutil.rmtree(self.place, ignore_errors=True)
            self.place = None

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            where, self.place = self.project.path, None
            self.project.reap()
            moves = "\n".join(self.moves)
            self.say(f"# {error}")
            raise Violation(f"{error}\nThe project is left in {where}, after\n{moves}") from error


BY_NAME = {move.__name__: move for move in MOVES}


def machine(walker: Walker) -> type[RuleBasedStateMachine]:
    """A machine that makes a walker walk."""

    class Walk(RuleBasedStateMachine):
        @initialize(number=st.integers(0, 9999))
        def begin(self, number: int) -> None:
            # Hypothesis tries the simplest of everything first, which is not worth its time here.
            assume(number)
            walker.begin()

        def teardown(self) -> None:
            walker.end()

        for move, strategies in MOVES.items():
            vars()[move.__name__] = _rule(walker, move.__name__, strategies)
        del move, strategies

    return Walk


def _rule(walker: Walker, name: str, strategies: dict[str, st.SearchStrategy]):
    def do(self, quiet: bool, **arguments) -> None:
        walker.step(name, arguments, quiet=quiet)

    do.__name__ = name
    return rule(quiet=st.booleans(), **strategies)(do)


def walk(walker: Walker, number: int, *, steps: int, each: int) -> None:
    """Walk at least so many steps, `each` on one project, as a seed has it.

    Nothing is shrunk: steps take seconds, and what comes of one may depend on when it is killed.
    Every project is a search of its own, since the first ones of a search are all alike.
    """
    calm = settings(
        database=None,
        deadline=None,
        max_examples=1,
        phases=[Phase.generate],
        stateful_step_count=each + 1,
        suppress_health_check=list(HealthCheck),
    )
    numbers = random.Random(number)
    while walker.steps.total() < steps:
        search = seed(numbers.getrandbits(32))(machine(walker))
        run_state_machine_as_test(search, settings=calm)
