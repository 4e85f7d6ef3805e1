"""A store with further ones behind it, which are read where it has nothing.

What they have is verified and put into the store, objects before the record that names them; from
then on it is as if it had been made here. A further store that fails is warned of and not asked
again. What it would have had is computed, so no result depends on whether one is there.
"""

import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ledger.disk.atomic import stream_sha256
from ledger.disk.documents import OtherSchema
from ledger.jobs.manifest import Output
from ledger.jobs.workflow import Workflow
from ledger.remote.address import Address, address, passed_over, require_packages
from ledger.remote.remote import Refused, Remote, RemoteError, connect, fetch, fetched
from ledger.remote.signing import BYTES, is_signed, public_key, signature_name, statement
from ledger.store.place import asked_store
from ledger.store.store import LONGEST, SCHEMA, Action, RecordError, Store, parse

AT_ONCE = 32
"""How many files are asked for at once."""

PATIENCE = 10
"""How many seconds a run waits for an answer."""

RECORD_BYTES = 1 << 24
"""Most bytes of a record."""

Thing = TypeVar("Thing")

Warn = Callable[[str], object]


def each(function: Callable[[Thing], Any], things: Iterable[Thing]) -> Iterator[tuple[Thing, Any]]:
    """Each thing with what the function makes of it, many at once, in the order of their ends."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {pool.submit(function, thing): thing for thing in things}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class Damaged(str):
    """What is wrong with something that a further store has."""


def _tried(function: Callable[[Remote, Thing], Any], remote: Remote, thing: Thing) -> Any:
    """What a function makes of a thing; of one that cannot be had, why."""
    try:
        return function(remote, thing)
    except Refused as error:
        return Damaged(str(error).rstrip("."))


class StoreThrough(Store):
    """A store with further ones behind it.

    Parameters
    ----------
    further : their addresses.
    trusted : public keys, of which one must have signed what is believed; without any, all is.
    """

    def __init__(self, root: Path, further: Sequence[str], trusted: Sequence[str] = ()) -> None:
        super().__init__(root)
        self._trusted = list(map(public_key, trusted))
        self._further: dict[Address, Remote | None] = dict.fromkeys(map(address, further))
        self._found: dict[str, Action | None] = {}
        self._places: dict[str, Address] = {}

    @classmethod
    def of(cls, workflow: Workflow) -> "StoreThrough":
        """The store of a workflow, with those behind it; raises as `require_packages`."""
        require_packages(workflow.further, signed=bool(workflow.trusted))
        root = Path(asked_store() or workflow.store)
        return cls(root, workflow.further, workflow.trusted)

    def lookup(self, key: str, warn: Warn = lambda _: None) -> Action | None:
        """See `Store`; what only a further store has is put here first."""
        if not self.whole(key):
            self.bring(self.find([key], warn), warn)
        return super().lookup(key, warn)

    def find(self, keys: Iterable[str], warn: Warn) -> dict[str, Action]:
        """What further stores have recorded for keys; each key is looked for once."""
        keys = list(keys)
        for place in list(self._further):
            left = [key for key in keys if key not in self._found]
            for key, action in self._from(place, self._record, left, warn):
                self._found[key], self._places[key] = action, place
        for key in keys:
            self._found.setdefault(key, None)
        return {key: action for key in keys if (action := self._found[key])}

    def lacking(self, actions: Iterable[Action]) -> list[Output]:
        """Outputs of actions whose objects are not here, each object once."""
        outputs = {o.sha256: o for action in actions for o in action.outputs.values()}
        return [output for sha256, output in outputs.items() if not self.object(sha256).is_file()]

    def bring(
        self,
        actions: Mapping[str, Action],
        warn: Warn,
        advance: Callable[[int], object] = lambda _: None,
    ) -> list[str]:
        """Put here what further stores have of actions.

        Parameters
        ----------
        advance : is told the bytes of each object when it has arrived.

        Returns
        -------
        The keys of those that are here as a whole now.
        """
        wanted = self.lacking(actions.values())
        for place in list(self._further):
            if wanted:
                with self.scratch() as room:
                    here = set()
                    for output, _ in self._from(place, partial(self._object, room), wanted, warn):
                        here.add(output.sha256)
                        advance(output.bytes)
                wanted = [output for output in wanted if output.sha256 not in here]
        whole = {key: action for key, action in actions.items() if self.holds(action)}
        for _ in each(lambda key: self.record(key, whole[key]), whole):
            pass
        for place in list(self._further):
            used = [self.name(self.action(key)) for key in whole if self._places[key] == place]
            deque(self._from(place, lambda remote, name: remote.use(name), used, warn), maxlen=0)
        return list(whole)

    def _from(
        self,
        place: Address,
        function: Callable[[Remote, Thing], Any],
        things: Sequence[Thing],
        warn: Warn,
    ) -> Iterator[tuple[Thing, Any]]:
        """Each thing with what a further store has of it, as far as it has something sound."""
        if not things:
            return
        damaged: dict[Damaged, None] = {}
        try:
            remote = self._further[place] = self._further[place] or connect(place, PATIENCE)
            for thing, found in each(partial(_tried, function, remote), things):
                if isinstance(found, Damaged):
                    damaged[found] = None
                elif found:
                    yield thing, found
        except RemoteError as error:
            del self._further[place]
            warn(f"{passed_over(place.text)}{error}")
        if damaged:
            more = f" (and {len(damaged) - 1:,} more like it)" if len(damaged) > 1 else ""
            warn(f"{place.text}: {next(iter(damaged))}{more}; not used")

    def _record(self, remote: Remote, key: str) -> Action | Damaged | None:
        name = self.name(self.action(key))
        if (content := fetched(remote, name, RECORD_BYTES)) is None:
            return None
        try:
            action = parse(content, key)
            if not self._trusted or self._is_signed(remote, key, action):
                return action
            return Damaged(f"{name} is signed by nobody who is `trusted`")
        except OtherSchema as error:
            found = str(error.schema)[:LONGEST]
            # Without its name, as that is then said once in a run.
            return Damaged(f"it has records of format {found}, and this version knows {SCHEMA}")
        except RecordError as error:
            return Damaged(f"{name} is {error}")

    def _is_signed(self, remote: Remote, key: str, action: Action) -> bool:
        """Whether one of those who are trusted has signed a record there."""
        text = statement(key, action)
        for public in self._trusted:
            signature = fetched(remote, signature_name(key, public), BYTES)
            if signature and is_signed(text, signature, public):
                return True
        return False

    def _object(self, room: Path, remote: Remote, output: Output) -> bool | Damaged:
        name, path = self.name(self.object(output.sha256)), room / output.sha256
        if output.bytes > shutil.disk_usage(room).free:
            return Damaged(f"{name} has {output.bytes:,} bytes, for which there is no room here")
        with path.open("x+b") as sink:
            if not fetch(remote, name, sink, output.bytes):
                return False
            if sink.tell() != output.bytes or stream_sha256(sink) != output.sha256:
                return Damaged(f"{name} is not what its name says")
        self.publish(path)
        return True
