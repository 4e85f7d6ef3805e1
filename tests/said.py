"""A stand-in for the runner: takes what a stage tells it, for tests that call stages directly."""

from collections.abc import Iterable, Mapping


class Said:
    """What a stage may ask for (`ledger.context.Context`); keeps what it is told.

    Attributes
    ----------
    seen : whose labels a stage has used.
    warnings : in the order of their coming.
    """

    device, workers, every = "cpu", 1, 10**9

    def __init__(self, labels_seen: Mapping[str, frozenset[str]] | None = None) -> None:
        self.labels_seen = dict(labels_seen or {})
        self.seen: list = []
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.checkpoint = self

    def saw_labels_of(self, persons: Iterable) -> None:
        self.seen += persons

    def note(self, message: str) -> None:
        self.notes.append(message)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def progress(self, total: int, unit: str) -> "Said":
        return self

    def __enter__(self) -> "Said":
        return self

    def __exit__(self, *_) -> None:
        pass

    def update(self, steps: int = 1, **figures: float) -> None:
        pass

    def load(self) -> None:
        """There is nothing to go on from."""
