"""What a store has, put into a further one: objects first, then the records that name them."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ledger.context import Bars
from ledger.disk.documents import OtherSchema
from ledger.remote.address import Address
from ledger.remote.remote import Remote, RemoteError, connect, fetched
from ledger.remote.signing import BYTES, Signer, signature_name, statement
from ledger.remote.through import RECORD_BYTES, each
from ledger.store.roots import Root
from ledger.store.store import LONGEST, SCHEMA, Action, RecordError, Store, parse

PATIENCE = 60
"""How many seconds a push waits for an answer."""

BATCH = 100
"""After so many jobs their records follow their objects, so that a push may be broken off."""


@dataclass(frozen=True)
class Pushed:
    """What a push came to.

    Attributes
    ----------
    objects, records, bytes : how many were sent.
    lost : keys of what the store itself has no longer, or damaged.
    others : keys whose records there tell of other outputs than ours; these stay.
    """

    objects: int
    records: int
    bytes: int
    lost: list[str]
    others: list[str]


def push(
    store: Store,
    place: Address,
    keys: Iterable[str],
    bar: Bars,
    by: Signer | None = None,
    root: Root | None = None,
) -> Pushed:
    """Put into a further store what it lacks of some keys; may be broken off, and goes on then.

    What is there already stays, unless it is damaged as far as can be seen: all of a record, and
    the size of an object. It counts as used, so that a `gc` there spares it.

    Parameters
    ----------
    bar : a bar of so many bytes.
    by : who signs the records, those too that are there already with the same outputs.
    root : the results that need them, for `gc` to know there.

    Raises
    ------
    RemoteError
        When it is away, refuses to be written, or has records of a newer format.
    """
    remote = connect(place, PATIENCE)
    if root:
        with tempfile.NamedTemporaryFile() as file:
            file.write(root.content())
            file.flush()
            remote.put(root.file, Path(file.name))

    def record(key: str) -> Action | None:
        name = store.name(store.action(key))
        if (content := fetched(remote, name, RECORD_BYTES)) is None:
            return None
        try:
            action = parse(content, key)
        except RecordError:
            return None
        except OtherSchema as error:
            if isinstance(error.schema, int) and error.schema < SCHEMA:
                return None
            found = str(error.schema)[:LONGEST]
            raise RemoteError(
                f"it has records of format {found}, and this version knows those up to {SCHEMA}; "
                "take the version of whoever writes there"
            ) from None
        remote.use(name)
        return action

    def size(sha256: str) -> int | None:
        name = store.name(store.object(sha256))
        if (found := remote.size(name)) is not None and sha256 in bare:
            remote.use(name)
        return found

    def put_object(sha256: str) -> bool:
        if sound := store.has(sha256):
            remote.put(store.name(store.object(sha256)), store.object(sha256))
        return sound

    def put_record(key: str) -> None:
        remote.put(store.name(store.action(key)), store.action(key))

    found = {key: store.peek(key) for key in keys}
    ours = {key: action for key, action in found.items() if action}
    theirs = dict(each(record, ours))
    outputs = {o.sha256: o.bytes for action in ours.values() for o in action.outputs.values()}
    # Others are kept by their records.
    bare = {
        o.sha256 for k, action in ours.items() if not theirs[k] for o in action.outputs.values()
    }
    sizes = dict(each(size, outputs))
    lacking = {sha256 for sha256, count in outputs.items() if sizes[sha256] != count}
    sent: set[str] = set()
    damaged: set[str] = set()
    records: set[str] = set()
    with bar(sum(outputs[sha256] for sha256 in lacking), "B") as drawn:
        for batch in (list(ours)[at : at + BATCH] for at in range(0, len(ours), BATCH)):
            needed = {key: {o.sha256 for o in ours[key].outputs.values()} for key in batch}
            wanted = (set().union(*needed.values()) & lacking) - sent - damaged
            for sha256, is_sound in each(put_object, sorted(wanted)):
                (sent if is_sound else damaged).add(sha256)
                drawn.update(outputs[sha256])
            whole = [key for key in batch if not theirs[key] and not needed[key] & damaged]
            records.update(key for key, _ in each(put_record, whole))
    lost = [key for key in found if not (theirs.get(key) or key in records)]
    others = [key for key, there in theirs.items() if there and _differs(there, ours[key])]
    if by:
        with tempfile.TemporaryDirectory() as room:
            vouch = partial(_sign, remote, by, Path(room))
            signed = [(key, ours[key]) for key in found if key not in {*lost, *others}]
            for _ in each(vouch, signed):
                pass
    return Pushed(
        objects=len(sent),
        records=len(records),
        bytes=sum(outputs[sha256] for sha256 in sent),
        lost=lost,
        others=others,
    )


def _differs(there: Action, ours: Action) -> bool:
    return (there.outputs, there.labels_seen) != (ours.outputs, ours.labels_seen)


def _sign(remote: Remote, by: Signer, room: Path, recorded: tuple[str, Action]) -> None:
    """See to it that somebody's signature of a record is there."""
    name = signature_name(recorded[0], by.public)
    signature = by.sign(statement(*recorded))
    if fetched(remote, name, BYTES) != signature:
        file = room / recorded[0]
        file.write_bytes(signature)
        remote.put(name, file)
