"""`verify [RESULTS]`: is everything still as it was recorded? And a whole store, as named?"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from ledger.ask.repair import repair
from ledger.ask.verify import Damage, Finding, verify
from ledger.ask.verify_store import StoreFinding, verify_store
from ledger.cli.amounts import minutes, share, size
from ledger.cli.places import add_results, directory, store_path
from ledger.cli.printing import answer
from ledger.errors import InputError
from ledger.run import turn
from ledger.run.talk import Talk
from ledger.store.store import Store
from ledger.words import listed, plural


def add(verbs) -> None:
    """Add the verb to the command line."""
    verify = verbs.add_parser(
        "verify",
        help="hash everything anew and report what is damaged",
        description="Hash everything that results rest on anew: outputs, manifests, raw files, "
        "and the store's objects and records. Exit status 1 if anything is damaged.",
    )
    add_results(verify)
    verify.add_argument(
        "--repair",
        action="store_true",
        help="restore files from the store, and the store from files",
    )
    verify.add_argument(
        "--store",
        type=directory,
        nargs="?",
        const=True,
        metavar="DIR",
        help="check a whole store instead, by default that of the results: all its records and "
        "objects. What is damaged is set aside",
    )
    verify.add_argument(
        "--sample",
        type=share,
        metavar="SHARE",
        help="of a store, the share of objects to hash, such as 5%%; those that come after the "
        "last check's",
    )
    verify.add_argument(
        "--max-minutes",
        type=minutes,
        metavar="N",
        help="of a store, hash as many objects as can be begun in so many minutes",
    )
    verify.add_argument("--json", action="store_true", help="print JSON instead")
    verify.set_defaults(verb=_verify)


def _verify(options: argparse.Namespace) -> int:
    if options.store:
        return _verify_store(options)
    if options.sample or options.max_minutes:
        raise InputError("--sample and --max-minutes are for a store; add --store")
    if options.repair:
        _require_nobody(options.results)
    store = Store(store_path(options, options.results))
    found = verify(options.results, store, Talk("verify").progress)
    if options.repair:
        _require_nobody(options.results)
        repair(found, store)
    answer(options.json, _facts(found), _lines(found, options.repair))
    return int(any(not damage.restored for damage in found.damages()))


def _require_nobody(results: Path) -> None:
    """Refuse to repair what a run is making, before hashing, which takes long, and after it."""
    if who := turn.holder(results):
        raise InputError(
            f"{who} is running this workflow for {results.resolve()}. Wait until it has finished; "
            "without --repair, `verify` only reads."
        )


def _verify_store(options: argparse.Namespace) -> int:
    if options.repair:
        raise InputError("--repair is for results, which have copies; give it without --store")
    if options.store is True:
        options.store = None
    store = Store(store_path(options, options.results))
    limits = (options.sample or 1.0, options.max_minutes or float("inf"))
    found = verify_store(store, *limits, Talk("verify").progress)
    damages = [{**vars(damage), "path": str(damage.path)} for damage in found.damages]
    facts = {"store": str(store.root), **vars(found), "damages": damages}
    answer(options.json, facts, _store_lines(store.root, found))
    return int(bool(found.damages))


def _store_lines(root: Path, found: StoreFinding) -> Iterator[str]:
    for damage in found.damages:
        yield from _damage_lines(damage)
    if found.newer:
        yield f"NOTE {listed(found.newer, 1)}: of a newer format; check it by a newer version"
    hashed = f"{found.hashed:,} of {plural(found.objects, 'object')} hashed"
    state = f"{len(found.damages)} damaged" if found.damages else "all is as its name says"
    records = plural(found.records, "record")
    yield f"{root}: {records} read, {hashed} ({size(found.bytes)}): {state}."
    if found.hashed < found.objects:
        yield "The next check goes on with the objects that come after these."


def _facts(found: Finding) -> dict:
    return {
        "manifests": len(found.manifests),
        "files": found.hashed,
        "damages": [{**vars(damage), "path": str(damage.path)} for damage in found.damages()],
        "earlier": [str(path) for path in found.earlier],
        "absent": [str(path) for path in found.absent],
        "meanwhile": [str(path) for path in found.meanwhile],
    }


def _lines(found: Finding, repaired: bool) -> Iterator[str]:
    damages = found.damages()
    for damage in damages:
        yield from _damage_lines(damage)
    for path in found.absent:
        yield f"NOTE {path}: this raw file is not here, so it was not checked"
    for paths, what in (
        (found.earlier, "made before what it rests on was made anew by another plan"),
        (found.meanwhile, "being made anew by a run, so not checked"),
    ):
        if paths:
            yield f"NOTE {listed(paths, 1)}: {what}"
    left = sum(not damage.restored for damage in damages)
    restored = f", {len(damages) - left} restored" if len(damages) > left else ""
    state = f"{left} damaged{restored}" if damages else "everything is as recorded"
    yield f"{len(found.manifests)} manifests, {found.hashed} files: {state}."
    if damages and not repaired:
        yield "`verify --repair` restores whatever has a sound copy; try that first."


def _damage_lines(damage: Damage) -> Iterator[str]:
    yield f"{'RESTORED' if damage.restored else 'DAMAGED'} {damage.path}"
    yield f"  expected: {damage.expected}"
    yield f"  found: {damage.found}"
    if not damage.restored:
        yield f"  to do: {damage.todo}"
