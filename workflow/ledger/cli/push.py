"""`push [TARGET ...]`: what results rest on, put into a further store."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from ledger.ask.lineage import Here
from ledger.cli.places import add_configuration, store_path
from ledger.cli.printing import complain, tell
from ledger.errors import InputError
from ledger.jobs.job import RESULTS
from ledger.jobs.manifest import Manifest
from ledger.jobs.results import read_manifests, sound
from ledger.remote.address import address, require_packages
from ledger.remote.push import Pushed, push
from ledger.remote.remote import RemoteError
from ledger.remote.signing import signer
from ledger.run.talk import Talk
from ledger.store.place import at_home
from ledger.store.roots import seen
from ledger.store.store import Store
from ledger.words import listed, plural


def add(verbs) -> None:
    """Add the verb to the command line."""
    push = verbs.add_parser(
        "push",
        help="put what results rest on into a further store",
        description="Put into a further store what it lacks of results and of all that they rest "
        "on. What was broken off goes on where it was. Give the configuration as you would give "
        "it to snakemake.",
    )
    push.add_argument(
        "targets",
        metavar="TARGET",
        nargs="*",
        help="a job, a manifest, any file in results, or a digest (default: all results here)",
    )
    push.add_argument(
        "--to",
        metavar="STORE",
        help="a directory, s3://BUCKET/PREFIX or ssh://[USER@]HOST[:PORT]/PATH (default: the "
        "further store of the configuration, if there is just one)",
    )
    push.add_argument(
        "--sign",
        type=Path,
        metavar="FILE",
        help="sign the records with this private key, as `ssh-keygen -t ed25519` makes one",
    )
    add_configuration(push, "config.yaml")
    push.set_defaults(verb=_push, store=None)


def _push(options: argparse.Namespace) -> int:
    try:
        place = address(at_home(options.to or _only_further(options)))
    except ValueError as error:
        raise InputError(f"--to: {error}") from None
    require_packages([place.text], signed=options.sign is not None)
    by = signer(options.sign) if options.sign else None
    keys = {made.key: made for made in _manifests(options.targets)}
    try:
        store = Store(store_path(options, Path(RESULTS)))
        if not place.kind and Path(place.path).resolve() == store.root.resolve():
            raise InputError(f"--to: {place.text} is the store that has these results already")
        done = push(store, place, keys, Talk("push").progress, by, seen(Path(RESULTS)))
    except RemoteError as error:
        raise InputError(f"{place.text}: {error}") from None
    for line in _doubts(done, keys):
        complain(line)
    tell(_line(place.text, len(keys), done))
    if by:
        signed = len(keys) - len(done.lost) - len(done.others)
        tell(f"{plural(signed, 'record')} there signed with {options.sign}.")
    return int(bool(done.lost))


def _manifests(targets: list[str]) -> list[Manifest]:
    """Those of targets and of all that they rest on; of all results where there are no targets."""
    if not targets:
        return [made for _, made in sound(read_manifests(Path(RESULTS)))]
    here = Here.read()
    steps = {path: step for asked in targets for path, step in here.behind(asked).items()}
    return [step.manifest for step in steps.values() if step]


def _only_further(options: argparse.Namespace) -> str:
    further = options.application.configured(options.configfile, options.config).further
    if len(further) != 1:
        told = f"{plural(len(further), 'further store')} ({', '.join(further)})"
        told = told if further else "no further store"
        raise InputError(f"the configuration names {told}; say by --to where to")
    return further[0]


def _line(text: str, count: int, done: Pushed) -> str:
    if not done.records and not done.objects:
        return f"{text}: all of {plural(count - len(done.lost), 'job')} were there."
    return (
        f"{text}: {plural(done.records, 'record')} and {plural(done.objects, 'file')} put there, "
        f"{done.bytes / 1e6:.1f} MB."
    )


def _doubts(done: Pushed, keys: dict[str, Manifest]) -> Iterator[str]:
    for found, what in (
        (done.lost, "not, or no longer whole, in the store here; run `verify --repair`"),
        (done.others, "recorded there with other outputs, which stay: it is not reproducible"),
    ):
        if found:
            yield f"warning: {listed(keys[key].job for key in found)}: {what}"
