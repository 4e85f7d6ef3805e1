"""Is everything in a store what its name says? For whoever keeps one that many share.

All records are read, and as many objects are hashed as is asked for. They go by their names, from
where the last check ended: names are digests, so each check is a random sample, and the sampled
checks that add up to the whole store have seen every object once. What is damaged the store sets
aside, as whenever it is used; what cannot be read, as where a disk is away, ends the check.
"""

import contextlib
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ledger.ask.verify import MISSING, Damage
from ledger.context import Bars
from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.canonical import is_sha256
from ledger.store.garbage import Entry, entries
from ledger.store.store import Store

CHECKED = "checked"
"""The file in a store with the name of the object that was hashed last."""


@dataclass
class StoreFinding:
    """What a check of a store has seen, and what of it is damaged.

    Attributes
    ----------
    records, objects : how many there are.
    hashed, bytes : how many of the objects have been hashed, and their size together.
    damages : objects and records that are not what their names say, and records without objects.
    newer : paths of the records that a newer version has made, of which no more is known here.
    """

    records: int = 0
    objects: int = 0
    hashed: int = 0
    bytes: int = 0
    damages: list[Damage] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)


def verify_store(
    store: Store,
    share: float,
    seconds: float,
    progress: Bars,
) -> StoreFinding:
    """Check a store; sets aside what is damaged, and remembers how far it has come.

    Parameters
    ----------
    share : of the objects to hash, above 0 and up to 1.
    seconds : after how many no more object is begun.

    Raises
    ------
    InputError
        When there is no such store.
    StoreError
        When a record or an object cannot be read, though it may be sound; it stays where it is.
    """
    deadline = time.monotonic() + seconds
    store.require()
    found = StoreFinding()
    needed = _check_records(store, found)
    objects = {entry.name: entry for entry in entries(store.root, ["objects"])}
    found.objects = len(objects)
    _name_the_lacking(store, needed, objects.keys(), found)
    last = _last(store)
    names = sorted(filter(is_sha256, objects), key=lambda name: (name <= last, name))
    chosen = [objects[name] for name in names[: math.ceil(share * len(names))]]
    with progress(sum(entry.bytes for entry in chosen), "B") as bar:
        for entry, wrong in _examine(store, chosen, deadline):
            bar.update(entry.bytes)
            found.hashed += 1
            found.bytes += entry.bytes
            if wrong:
                found.damages.append(_damage(entry.path, f"sha256 {entry.name}", wrong))
    if found.hashed:
        with contextlib.suppress(OSError):  # the next check then begins where this one did
            write_bytes(store.root / CHECKED, chosen[found.hashed - 1].name.encode())
    return found


def _check_records(store: Store, found: StoreFinding) -> dict[str, set[str]]:
    """Read all records; the sha256 of each one's objects, by key."""
    needed = {}
    for entry in entries(store.root, ["actions"]):
        if not is_sha256(entry.name):
            continue  # what is left of one that was being written
        found.records += 1
        said: list[str] = []
        action = store.lookup(entry.name, said.append)
        for wrong in said:
            wanted = f"the record of the computation with key {entry.name}"
            found.damages.append(_damage(entry.path, wanted, wrong.removeprefix(f"{entry.path}: ")))
        if action:
            needed[entry.name] = {output.sha256 for output in action.outputs.values()}
        elif store.newer(entry.name):
            found.newer.append(str(entry.path))
    return needed


def _name_the_lacking(
    store: Store, needed: dict[str, set[str]], there, found: StoreFinding
) -> None:
    """Add the records whose objects are not there, if they still are.

    Those go where their objects went. Of others nobody knows why, so they stay: perhaps the objects
    are on a disk that is away.
    """
    for key, objects in needed.items():
        for sha256 in sorted(objects - there):
            if not os.path.lexists(store.object(sha256)) and store.peek(key):
                path, wanted = store.action(key), f"a record whose object {sha256} is in the store"
                aside = store.set_aside(key, f"{sha256} damaged") if store.is_aside(sha256) else ""
                found.damages.append(_damage(path, wanted, f"{MISSING}{aside}"))
                break


def _last(store: Store) -> str:
    """The name of the object that the last check ended with; "" where none is known."""
    try:
        return read_bytes(store.root / CHECKED).decode("ascii", "replace")
    except OSError:
        return ""


def _examine(
    store: Store, objects: list[Entry], deadline: float
) -> Iterator[tuple[Entry, str | None]]:
    """What is wrong with each object, several at once; those that are begun by the deadline."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        begun = [pool.submit(store.examine, entry.name) for entry in objects]
        try:
            for entry, future in zip(objects, begun, strict=True):
                if time.monotonic() > deadline:
                    pool.shutdown(cancel_futures=True)
                if future.cancelled():
                    return
                yield entry, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _damage(path: Path, expected: str, found: str) -> Damage:
    todo = "`verify --repair` or `push` where the results have it; else it is computed when needed"
    return Damage(path=path, expected=expected, found=found, todo=todo)
