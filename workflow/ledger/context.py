"""What a stage may ask of whoever runs it."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

Inputs = Mapping[str, Path]
"""The files that a stage reads, by role."""

Params = Mapping[str, Any]
"""The parameters of a stage, which are plain JSON."""


class Progress(Protocol):
    """A bar that is drawn on a terminal and silent elsewhere."""

    def update(self, steps: int = 1, **figures: object) -> None:
        """Advance by `steps` and show `figures` (such as loss=0.41) beside the bar."""


Bars = Callable[[int, str], AbstractContextManager[Progress]]
"""What makes a bar of so many steps of a unit, such as `Context.progress`."""


class Checkpoint(Protocol):
    """Where a long stage leaves how far it has come, for a rerun after a kill to go on from.

    Only the same computation finds it again: same code, parameters, inputs and environment.
    """

    every: int
    """How many steps lie between two checkpoints; must have no influence on any output."""

    def load(self) -> "tuple[dict[str, np.ndarray], dict[str, Any]] | None":
        """The arrays and plain JSON facts last saved, None where there are none to trust."""

    def save(self, arrays: "Mapping[str, np.ndarray]", facts: Mapping[str, Any]) -> None:
        """Keep these instead of what was saved before."""


class Context(Protocol):
    """The runner as a stage sees it; a test may pass any object with these members."""

    labels_seen: Mapping[str, frozenset[str]]
    """For each input role, whose labels the artifact behind it rests on; see `saw_labels_of`."""

    device: str
    """What to compute on: ``cpu`` or ``cuda``."""

    workers: int
    """How many threads to start at most; must have no influence on any output."""

    checkpoint: Checkpoint
    """Where this stage's progress is kept."""

    def note(self, message: str) -> None:
        """Tell the user something worth a line."""

    def warn(self, message: str) -> None:
        """Tell the user something that does not stop the run."""

    def progress(self, total: int, unit: str) -> AbstractContextManager[Progress]:
        """A progress bar over `total` steps called `unit`."""

    def saw_labels_of(self, whom: Iterable[object]) -> None:
        """Record that this stage's outputs depend on the labels of `whom`.

        What is recorded travels along: it is `labels_seen` of whatever is made from the outputs.
        So a stage that scores can refuse what has seen the labels that it is scored on.
        """
