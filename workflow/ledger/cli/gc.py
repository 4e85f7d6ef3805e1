"""`gc [RESULTS ...]`: what in the store no result needs any more."""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.cli.places import add_store, store_path
from ledger.cli.printing import complain, tell

if TYPE_CHECKING:
    from ledger.store.garbage import Entry, Sorting

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add(verbs) -> None:
    """Add the verb to the command line."""
    gc = verbs.add_parser(
        "gc",
        help="tell what in the store no result needs any more, and remove it",
        description="Tell what in the store cannot be reached from the manifests of the given "
        "results; with --delete, remove it. Name the results of everybody who shares the store: "
        "what only others need is removed too, and they would have to compute it again.",
    )
    gc.add_argument(
        "results",
        type=Path,
        nargs="*",
        default=[Path("results")],
        metavar="RESULTS",
        help="directories of results (default: results)",
    )
    gc.add_argument("--delete", action="store_true", help="remove it (default: only tell)")
    gc.add_argument(
        "--older-than",
        type=_seconds,
        metavar="AGE",
        default="1d",
        help="spare what is younger, since a running job may need it: 30m, 12h, 7d, 0; while jobs "
        "run on the store, it is a day at least (default: 1d)",
    )
    add_store(gc)
    gc.add_argument("--json", action="store_true", help="print JSON instead")
    gc.set_defaults(verb=_gc)


def _seconds(text: str) -> int:
    match = re.fullmatch(r"(\d+)([smhd])|0", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected 30m, 12h, 7d or the like, found {text!r}")
    return int(match[1]) * UNITS[match[2]] if match[1] else 0


def _gc(options: argparse.Namespace) -> int:
    from ledger.jobs.results import sound_manifests
    from ledger.store.garbage import is_in_use, now, remove, sort
    from ledger.store.store import Store

    store = Store(store_path(options, options.results[0]))
    # Taken before anything is read: what appears from now on is younger.
    began = now(store.root)
    read = (made for results in options.results for _, made in sound_manifests(results))
    age, day = options.older_than, UNITS["d"]
    if age < day and is_in_use(store.root, began - day):
        complain("jobs are running on this store; what is younger than a day is spared")
        age = day
    found = sort(store, read, began - age)
    failed = {}
    if options.delete:
        for entry in found.garbage:
            try:
                remove(entry)
            except OSError as error:
                failed[entry.path] = error.strerror
    if options.json:
        print(json.dumps(_facts(store.root, found, options.delete, failed), indent=1))
    else:
        tell(*_lines(store.root, found, options.delete, failed))
    return int(bool(failed))


def _facts(root: Path, found: "Sorting", delete: bool, failed: dict[Path, str]) -> dict:
    return {
        "store": str(root),
        **{name: _sum(getattr(found, name)) for name in found._fields},
        "quarantine": _sum(_quarantine(found)),
        "entries": [
            {
                "kind": entry.kind,
                "path": str(entry.path),
                "bytes": entry.bytes,
                "removed": delete and entry.path not in failed,
            }
            for entry in found.garbage
        ],
        "failed": {str(path): why for path, why in failed.items()},
    }


def _quarantine(found: "Sorting") -> list["Entry"]:
    return [entry for entry in (*found.kept, *found.garbage) if entry.kind == "quarantine"]


def _sum(entries: list["Entry"]) -> dict[str, int]:
    return {"entries": len(entries), "bytes": sum(entry.bytes for entry in entries)}


def _lines(root: Path, found: "Sorting", delete: bool, failed: dict[Path, str]) -> Iterator[str]:
    yield f"{root}:"
    yield f"  needed: {_size(found.reachable)}"
    if found.kept:
        yield f"  not needed by these results, but young or in use: {_size(found.kept)}"
    yield f"  not needed: {_size(found.garbage)}"
    for kind in dict.fromkeys(entry.kind for entry in found.garbage):
        yield f"    {kind}: {_size([entry for entry in found.garbage if entry.kind == kind])}"
    if aside := _quarantine(found):
        yield f"  of all this set aside as damaged, in {root / 'quarantine'}: {_size(aside)}"
    yield from (f"could not be removed: {path}: {why}" for path, why in failed.items())
    gone = [entry for entry in found.garbage if entry.path not in failed]
    if delete:
        yield f"Removed: {_size(gone)}."
    elif gone:
        yield "Nothing was removed; --delete removes what is not needed."


def _size(entries: list["Entry"]) -> str:
    size, unit = float(sum(entry.bytes for entry in entries)), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    number = f"{size:.0f}" if unit == "B" else f"{size:.1f}"
    return f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}, {number} {unit}"
