"""`gc [RESULTS ...]`: what in the store no result needs any more."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from ledger.cli import amounts
from ledger.cli.places import add_store, store_path
from ledger.cli.printing import answer, complain
from ledger.errors import InputError
from ledger.jobs.results import manifests_below, read_manifests, sound
from ledger.store import roots
from ledger.store.garbage import Entry, Sorting, clear, is_in_use, now, sort, within
from ledger.store.roots import Needs, Root, needs
from ledger.store.store import Store
from ledger.words import plural


def add(verbs) -> None:
    """Add the verb to the command line."""
    gc = verbs.add_parser(
        "gc",
        help="tell what in the store no results need any more, and remove it",
        description="Tell what in the store no results need; with --delete, remove it. The store "
        "knows all results that were made with it (its roots, see `store`), on other machines, "
        "too. A root whose directory is gone counts no more, as far as this machine can see it.",
    )
    gc.add_argument(
        "results",
        type=Path,
        nargs="*",
        metavar="RESULTS",
        help="further directories of results that need the store, such as copies (results here is "
        "always one)",
    )
    gc.add_argument(
        "--max-size",
        type=amounts.bytes_,
        metavar="SIZE",
        help="remove only what has to go for the store to have this size, 50GB or the like: what "
        "was used longest ago",
    )
    gc.add_argument(
        "--forget",
        action="append",
        default=[],
        metavar="HOST:PATH",
        help="a root that this machine cannot see, as `store` calls it, needs nothing any more",
    )
    gc.add_argument("--delete", action="store_true", help="remove it (default: only tell)")
    gc.add_argument(
        "--older-than",
        type=amounts.age,
        metavar="AGE",
        default="1d",
        help="spare what is younger, since a running job may need it: 30m, 12h, 7d, 0; while jobs "
        "run on the store, it is a day at least (default: 1d)",
    )
    add_store(gc)
    gc.add_argument("--json", action="store_true", help="print JSON instead")
    gc.set_defaults(verb=_gc)


def _gc(options: argparse.Namespace) -> int:
    store = Store(store_path(options, (*options.results, Path("results"))[0]))
    # Taken before anything is read: what appears from now on is younger.
    began = now(store.root)
    age, day = options.older_than, amounts.TIMES["d"]
    if age < day and is_in_use(store.root, began - day):
        complain("jobs are running on this store; what is younger than a day is spared")
        age = day
    known = roots.read_roots(store)
    dead = {path for name in options.forget for path in roots.called(known, name)}
    found = sort(store, _needs(options, known, dead), began - age)
    if options.max_size is not None:
        found = within(found, options.max_size)
    spared, failed = clear(store, found.garbage) if options.delete else (set(), {})
    dead |= {path for path, root in known.items() if root.state() is roots.State.GONE}
    for path in dead if options.delete else ():
        path.unlink(missing_ok=True)
    head = f"{store.root}, for {plural(len(known) - len(dead), 'root')}:"
    told = (options, store.root, found, spared, failed)
    answer(options.json, _facts(*told), [head, *_lines(*told)])
    return int(bool(failed))


def _needs(options: argparse.Namespace, known: dict[Path, Root], dead: set[Path]) -> Needs:
    """What the roots need that are not dead, the named results, and those here."""
    found = Needs()
    for path in known.keys() - dead:
        found |= needs(path, known[path])
    for results in options.results:
        found |= Needs.of(made for _, made in sound(read_manifests(results)))
    found |= Needs.of(made for _, made in sound(manifests_below(Path("results"))))
    # A store that is named need not be that of the results here, but one that others push to.
    if not (known or options.results or (found.keys and not options.store)):
        raise InputError(
            f"{store_path(options, Path('results'))}: no results are known that need this store; "
            "name them, or run where they are"
        )
    return found


def _facts(
    options: argparse.Namespace,
    root: Path,
    found: Sorting,
    spared: set[Path],
    failed: dict[Path, str],
) -> dict:
    return {
        "store": str(root),
        **{name: _sum(getattr(found, name)) for name in found._fields},
        "quarantine": _sum(_quarantine(found)),
        "entries": [
            {
                "kind": entry.kind,
                "path": str(entry.path),
                "bytes": entry.bytes,
                "removed": options.delete and entry.path not in spared | failed.keys(),
            }
            for entry in found.garbage
        ],
        "failed": {str(path): why for path, why in failed.items()},
    }


def _quarantine(found: Sorting) -> list[Entry]:
    return [entry for entry in (*found.kept, *found.garbage) if entry.kind == "quarantine"]


def _sum(entries: list[Entry]) -> dict[str, int]:
    return {"entries": len(entries), "bytes": sum(entry.bytes for entry in entries)}


def _lines(
    options: argparse.Namespace,
    root: Path,
    found: Sorting,
    spared: set[Path],
    failed: dict[Path, str],
) -> Iterator[str]:
    yield f"  needed: {_size(found.reachable)}"
    if found.kept:
        yield f"  not needed, but young, in use or within the size: {_size(found.kept)}"
    yield f"  not needed: {_size(found.garbage)}"
    for kind in dict.fromkeys(entry.kind for entry in found.garbage):
        yield f"    {kind}: {_size([entry for entry in found.garbage if entry.kind == kind])}"
    if aside := _quarantine(found):
        yield f"  of all this set aside as damaged, in {root / 'quarantine'}: {_size(aside)}"
    yield from (f"could not be removed: {path}: {why}" for path, why in failed.items())
    if spared:
        yield f"  used again meanwhile, so spared: {len(spared)}"
    gone = [entry for entry in found.garbage if entry.path not in spared | failed.keys()]
    if options.delete:
        yield f"Removed: {_size(gone)}."
    elif gone:
        yield "Nothing was removed; --delete removes what is not needed."
    left = _sum([*found.reachable, *found.kept])["bytes"]
    if options.max_size is not None and left > options.max_size:
        limit = amounts.size(options.max_size)
        yield f"What stays, {amounts.size(left)}, is more than {limit}: it is needed or young."


def _size(entries: list[Entry]) -> str:
    bytes_ = amounts.size(sum(entry.bytes for entry in entries))
    return f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}, {bytes_}"
