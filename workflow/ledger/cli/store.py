"""`store`: what the store holds, and which results need it."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.cli.amounts import size
from ledger.cli.places import add_store, store_path
from ledger.cli.printing import answer
from ledger.store.contents import contents
from ledger.store.store import Store
from ledger.words import SHORT, plural


def add(verbs) -> None:
    """Add the verb to the command line."""
    store = verbs.add_parser(
        "store",
        help="tell what the store holds, of which stages, and which results need it",
        description="Tell what the store holds: its size, by stage too, the directories of results "
        "that need it (its roots), what was used longest ago, and what is largest. Reads only.",
    )
    add_store(store)
    store.add_argument("--json", action="store_true", help="print JSON instead")
    store.set_defaults(verb=_store)


def _store(options: argparse.Namespace) -> int:
    store = Store(store_path(options, Path("results")))
    store.require()
    found = contents(store)
    answer(options.json, found, _lines(found))
    return 0


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['store']}: {size(found['bytes'])}"
    for kind, share in found["kinds"].items():
        if share["entries"]:
            yield f"  {kind}: {share['entries']:,}, {size(share['bytes'])}"
    yield f"needed by {plural(len(found['roots']), 'root')}:"
    for root in found["roots"]:
        run = "a run that has not ended" if root["is_open"] else "last run"
        needs = f"{plural(root['records'], 'record')}, {plural(root['objects'], 'object')}"
        yield f"  {root['root']} ({root['state']}): {needs}, {run} {root['last_run']}"
    if found["stages"]:
        yield "by stage:"
        for stage, share in found["stages"].items():
            yield f"  {stage}: {plural(share['entries'], 'record')}, {size(share['bytes'])}"
    if oldest := found["oldest"]:
        used = datetime.fromtimestamp(oldest["used"], UTC).isoformat(timespec="seconds")
        yield f"used longest ago: {oldest['job']} (stage {oldest['stage']}), {used}"
    if found["largest"]:
        yield "largest:"
    for entry in found["largest"]:
        of = f"{entry['job']} (stage {entry['stage']})" if "job" in entry else "of no record"
        yield f"  {size(entry['bytes'])}: {of}, {entry['sha256'][:SHORT]}"
