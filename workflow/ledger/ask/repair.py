"""Put right what `verify` has found, as far as sound copies reach.

Results and store hold the same bytes, so either restores the other; a lost action record is
written anew from the manifest that carries the same facts. What is damaged in the store is set
aside by it, not deleted.
"""

import contextlib
from pathlib import Path

from ledger.ask.lineage import Step
from ledger.ask.verify import Damage, Finding
from ledger.disk.atomic import copy_hashed
from ledger.errors import UserError
from ledger.jobs.manifest import Manifest
from ledger.jobs.results import is_unchanged
from ledger.store.store import Action, Store, explain


def repair(found: Finding, store: Store) -> None:
    """Restore objects, then files, then records; marks what it restored in `found`.

    Where a copy exists and cannot be put in place, the damage's `todo` says why.
    """
    sound = {o.sha256: path for path, o in found.outputs.items() if path not in found.files}
    for sha256, damage in found.objects.items():
        if sha256 in sound:
            _try(damage, _publish, store, sound[sha256], sha256)
    makers = {p.with_name(name): p for p, made in found.manifests.items() for name in made.outputs}
    for path, damage in found.files.items():
        if not is_unchanged(makers[path], found.manifests[makers[path]]):
            damage.todo = "it was made anew meanwhile; run `verify` again"
        elif _has(found, found.outputs[path].sha256):
            _try(damage, store.place, found.outputs[path].sha256, path)
    for path, damage in found.records.items():
        manifest = found.manifests[path]
        whole = all(_has(found, output.sha256) for output in manifest.outputs.values())
        with contextlib.suppress(UserError):  # where it cannot be read, the damage says why
            if whole and store.lookup(manifest.key) is None:
                _try(damage, store.record, manifest.key, _action(path, manifest))


def _try(damage: Damage, restore, *arguments) -> None:
    try:
        restore(*arguments)
        damage.restored = True
    except UserError as error:
        damage.todo = str(error)
    except OSError as error:
        damage.todo = str(explain(error, damage.path))


def _has(found: Finding, sha256: str) -> bool:
    """Whether the store has a sound object, by now."""
    return sha256 not in found.objects or found.objects[sha256].restored


def _publish(store: Store, copy: Path, sha256: str) -> None:
    with store.scratch() as scratch:
        copy_hashed(copy, scratch / copy.name)
        if store.publish(scratch / copy.name) != sha256:
            raise UserError(f"{copy}: changed meanwhile. Run `verify` again.")


def _action(path: Path, manifest: Manifest) -> Action:
    """What the record must say: by the manifest, and by the sidecar where that tells."""
    made = Step(str(path), manifest).execution or {"cost": {"seconds": 0.0}}
    cost = made.pop("cost")
    facts = {name: fact for name, fact in made.items() if name not in ("hit", "ended")}
    return Action(outputs=manifest.outputs, labels_seen=manifest.labels_seen, cost=cost, made=facts)
