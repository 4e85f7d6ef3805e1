"""Stores with things in them, as jobs would have left them there."""

from contextlib import nullcontext
from pathlib import Path

from ledger.disk.canonical import digest
from ledger.jobs.manifest import Output
from ledger.store.store import Action, Store


class Silent:
    """A bar that nobody draws."""

    def update(self, steps: int = 1, **figures: object) -> None:
        pass


def bar(total: int, unit: str):
    """What `push` and `pull` take for their progress."""
    return nullcontext(Silent())


def key_of(number: int) -> str:
    """The key of a thing."""
    return digest(f"key {number}")


def filled(root: Path, contents: list[bytes]) -> Store:
    """A store with a record for each content, by `key_of` its place in the list."""
    store = Store(root)
    with store.scratch() as room:
        for number, content in enumerate(contents):
            (room / "file").write_bytes(content)
            sha256 = store.publish(room / "file")
            output = Output(logical=digest(number), sha256=sha256, bytes=len(content))
            action = Action(outputs={"file": output}, labels_seen=("p1",), cost={"seconds": 1.0})
            store.record(key_of(number), action)
    return store


def files(root: Path) -> dict[str, bytes]:
    """What objects and records hold, by their names in the store."""
    found = [path for kind in ("objects", "actions") for path in (root / kind).glob("*/*")]
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(found)}
