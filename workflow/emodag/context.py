"""What a stage may ask of whoever runs it."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol


class Progress(Protocol):
    """A bar that is drawn on a terminal and silent elsewhere."""

    def update(self, steps: int = 1, **figures: object) -> None:
        """Advance by `steps` and show `figures` (such as loss=0.41) beside the bar."""


class Context(Protocol):
    """The runner as a stage sees it; a test may pass any object with these members."""

    labels_seen: Mapping[str, frozenset[str]]
    """For each input role, the persons whose labels the artifact behind it has been trained on."""

    def warn(self, message: str) -> None:
        """Tell the user something that does not stop the chain."""

    def progress(self, total: int, unit: str) -> AbstractContextManager[Progress]:
        """A progress bar over `total` steps called `unit`."""

    def saw_labels_of(self, persons: Iterable[object]) -> None:
        """Record that this stage's outputs depend on the labels of `persons`."""
