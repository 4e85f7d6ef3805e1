"""The commands whose file operations are made to fail, each with the state it begins in."""

from dataclasses import dataclass, field

from tests.workflow.scenarios.scenario import BOOST, TINY

A = {**TINY, "training": {"epochs": 2, "batch": 32, "checkpoint_every": 1}}
CONFIGURATIONS = {
    "a": A,
    "b": {**A, "pseudo_labels": BOOST},
    "c": {**A, "training": {**A["training"], "learning_rate": 0.03}},
}
"""The second differs in what only the final tables read, the third in what all fits read."""

TABLE = "local/table"
FOLDS = "local/folds"
SCALED = "local/published/scaled/all"
TEACHER = "local/published/seed1/gen0/all"
BLEND = "local/published/seed1/gen1/blend"
FINAL = ("submission", "leaderboard")

Command = tuple[str, tuple[str, ...]]
"""The name of a configuration, and the jobs asked for."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command, what came before it, and what comes after it.

    Attributes
    ----------
    before : commands that make the state it begins in.
    lost : directories that are then removed.
    flipped : files of which one bit is then flipped.
    command : what is made to fail.
    after : commands that must then do well, each; by default the same one again.
    """

    command: Command
    before: tuple[Command, ...] = ()
    lost: tuple[str, ...] = ()
    flipped: tuple[str, ...] = ()
    after: tuple[Command, ...] = field(default=())


CASES = {
    "first tables": Case(command=("a", (FOLDS,))),
    "a fit": Case(before=(("a", (SCALED,)),), command=("a", (TEACHER,))),
    "restored": Case(before=(("a", (TEACHER,)),), lost=("results",), command=("a", (SCALED,))),
    "changed": Case(
        before=(("a", FINAL),),
        flipped=(f"results/{BLEND}/test.parquet",),
        command=("b", ("submission",)),
    ),
    "changed and undone": Case(
        before=(("a", FINAL),), command=("b", FINAL), after=(("a", FINAL), ("b", FINAL))
    ),
    "back": Case(
        before=(("a", FINAL), ("b", FINAL)),
        command=("a", FINAL),
        after=(("b", ("submission",)), ("a", FINAL)),
    ),
    "over others": Case(before=(("a", (BLEND,)), ("c", (BLEND,))), command=("a", (BLEND,))),
    "over others and undone": Case(
        before=(("a", (BLEND,)), ("c", (BLEND,))),
        command=("a", (BLEND,)),
        after=(("c", (BLEND,)), ("a", (BLEND,))),
    ),
    "nothing to do": Case(before=(("a", FINAL),), command=("a", FINAL)),
}
"""A first computation, a restore, a changed parameter over old results, and a no-op; and back."""
