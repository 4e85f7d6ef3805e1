"""What a store holds: how much of what, for whom, of which stages, the oldest and the largest."""

from collections import defaultdict
from typing import Any

from ledger.disk.canonical import is_sha256
from ledger.store.garbage import KINDS, Entry, entries
from ledger.store.roots import Root, read_roots
from ledger.store.store import Action, Store

UNKNOWN = "(not told)"
"""In place of the stage of what was recorded by an earlier version, which does not tell it."""

NEWER = "(of a newer format)"
"""In place of the stage of what was recorded by a later version, whose objects are not known."""

LARGEST = 5
"""How many of the largest objects are named."""


def contents(store: Store) -> dict[str, Any]:
    """What a store holds, as plain JSON. Reads only.

    Returns
    -------
    ``bytes`` in all; ``kinds`` and ``stages``, number of entries and bytes by name, an object that
    several records name counted for the first of them; ``roots``, what is known of each;
    ``oldest``, the record that was used longest ago; ``largest``, the largest objects; each of
    these with the job, its stage and the time of the last use of its record, in seconds since 1970.

    Raises
    ------
    IntegrityError
        When a root is damaged.
    """
    kinds = {kind: {"entries": 0, "bytes": 0} for kind in KINDS}
    stages: dict[str, dict[str, int]] = defaultdict(lambda: {"entries": 0, "bytes": 0})
    makers: dict[str, dict[str, Any]] = {}
    records, objects = [], []
    for entry in entries(store.root):
        kinds[entry.kind]["entries"] += 1
        kinds[entry.kind]["bytes"] += entry.bytes
        is_record = entry.kind == "actions" and is_sha256(entry.name)
        if is_record and (made := store.peek(entry.name)):
            records.append(_record(entry, made))
            for output in made.outputs.values():
                makers.setdefault(output.sha256, records[-1])
            stages[records[-1]["stage"]]["entries"] += 1
        elif is_record and store.newer(entry.name):
            stages[NEWER]["entries"] += 1
        elif entry.kind == "objects":
            objects.append(entry)
    for entry in objects:
        if entry.name in makers:
            stages[makers[entry.name]["stage"]]["bytes"] += entry.bytes
    largest = sorted(objects, key=lambda entry: (-entry.bytes, entry.name))[:LARGEST]
    return {
        "store": str(store.root),
        "bytes": sum(share["bytes"] for share in kinds.values()),
        "kinds": kinds,
        "stages": dict(sorted(stages.items(), key=lambda item: -item[1]["bytes"])),
        "roots": [_root(root) for root in read_roots(store).values()],
        "oldest": min(records, key=lambda record: (record["used"], record["key"]), default=None),
        "largest": [
            {**makers.get(entry.name, {}), "sha256": entry.name, "bytes": entry.bytes}
            for entry in largest
        ],
    }


def _record(entry: Entry, action: Action) -> dict[str, Any]:
    made = action.made
    return {
        "key": entry.name,
        "job": made.get("job"),
        "stage": made.get("stage", UNKNOWN),
        "used": entry.modified,
    }


def _root(root: Root) -> dict[str, Any]:
    needs = {"records": len({*root.keys, *root.pulled}), "objects": len(root.objects)}
    about = {"state": root.state().value, "is_open": root.is_open, "last_run": root.when}
    return {"root": root.name, **about, **needs}
