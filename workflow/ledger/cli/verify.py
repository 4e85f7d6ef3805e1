"""`verify [RESULTS]`: is everything still as it was recorded?"""

import argparse
import json
from typing import TYPE_CHECKING

from ledger.cli.places import add_results, add_store, store_path
from ledger.cli.printing import tell

if TYPE_CHECKING:
    from ledger.ask.verify import Finding


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
    add_store(verify)
    verify.add_argument("--json", action="store_true", help="print JSON instead")
    verify.set_defaults(verb=_verify)


def _verify(options: argparse.Namespace) -> int:
    from ledger.ask.repair import repair
    from ledger.ask.verify import verify
    from ledger.errors import InputError
    from ledger.run import turn
    from ledger.run.talk import Talk
    from ledger.store.store import Store

    if options.repair and (who := turn.holder(options.results)):
        raise InputError(
            f"{who} is running this workflow for {options.results.resolve()}. Wait until it has "
            "finished; without --repair, `verify` only reads."
        )
    store = Store(store_path(options, options.results))
    found = verify(options.results, store, Talk("verify").progress)
    if options.repair:
        repair(found, store)
    if options.json:
        print(json.dumps(_facts(found), indent=1))
    else:
        tell(*_lines(found, options.repair))
    return int(any(not damage.restored for damage in found.damages()))


def _facts(found: "Finding") -> dict:
    return {
        "manifests": len(found.manifests),
        "files": found.hashed,
        "damages": [{**vars(damage), "path": str(damage.path)} for damage in found.damages()],
        "earlier": [str(path) for path in found.earlier],
        "absent": [str(path) for path in found.absent],
        "meanwhile": [str(path) for path in found.meanwhile],
    }


def _lines(found: "Finding", repaired: bool):
    damages = found.damages()
    for damage in damages:
        yield f"{'RESTORED' if damage.restored else 'DAMAGED'} {damage.path}"
        yield f"  expected: {damage.expected}"
        yield f"  found: {damage.found}"
        if not damage.restored:
            yield f"  to do: {damage.todo}"
    for path in found.absent:
        yield f"NOTE {path}: this raw file is not here, so it was not checked"
    for paths, what in (
        (found.earlier, "made before what it rests on was made anew by another plan"),
        (found.meanwhile, "being made anew by a run, so not checked"),
    ):
        if paths:
            others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            yield f"NOTE {paths[0]}{others}: {what}"
    left = sum(not damage.restored for damage in damages)
    restored = f", {len(damages) - left} restored" if len(damages) > left else ""
    state = f"{left} damaged{restored}" if damages else "everything is as recorded"
    yield f"{len(found.manifests)} manifests, {found.hashed} files: {state}."
    if damages and not repaired:
        yield "`verify --repair` restores whatever has a sound copy; try that first."
