"""Checkpoints: how far a computation has come, so that a rerun after a kill can go on from there.

A checkpoint is one safetensors file: arrays, with JSON and a digest of everything in its metadata.
It bears the name of the action's key, so only the very same computation ever finds it, and it
appears by a rename, so it is whole or absent whoever else writes it. It is a convenience: one that
cannot be written or trusted costs time, never the result.
"""

import contextlib
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ledger.disk.canonical import digest
from ledger.disk.regular import open_regular
from ledger.errors import UserError
from ledger.run.talk import Talk
from ledger.store.store import Store

if TYPE_CHECKING:
    import numpy as np

SCHEMA = 1


class Checkpoint:
    """The checkpoint of the computation with one key; see `ledger.context.Checkpoint`."""

    def __init__(self, store: Store, key: str, every: int, talk: Talk) -> None:
        self.every = every
        self._store, self._key, self._talk = store, key, talk
        self._path = store.checkpoint(key)

    def load(self) -> "tuple[dict[str, np.ndarray], dict[str, Any]] | None":
        """The arrays and facts last saved; None, with a warning, where they are damaged."""
        from safetensors import SafetensorError, safe_open

        try:
            open_regular(self._path).close()  # refuses what safetensors would wait for
            with safe_open(self._path, framework="numpy") as file:
                metadata = file.metadata()
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if metadata["digest"] != self._digest(arrays, metadata["facts"]):
                raise ValueError("its content does not match its own digest")
        except FileNotFoundError:
            return None
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            self._talk.warn(f"{self._path}: damaged checkpoint ({error}); starting over")
            return None
        return arrays, json.loads(metadata["facts"])

    def save(self, arrays: "Mapping[str, np.ndarray]", facts: Mapping[str, Any]) -> None:
        """Keep `arrays` and `facts` instead of what was saved before; failing is a warning."""
        from safetensors.numpy import save

        # Not canonical JSON, which has no infinities: a plateau schedule holds one.
        text = json.dumps(facts)
        content = save(dict(arrays), metadata={"facts": text, "digest": self._digest(arrays, text)})
        try:
            with self._store.scratch() as scratch:
                file = scratch / self._path.name
                file.write_bytes(content)
                self._store.make(self._path.parent)
                file.replace(self._path)
        except (UserError, OSError) as error:
            self._talk.warn(f"no checkpoint: {error}")

    def remove(self) -> None:
        """Forget it, once the result is recorded."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _digest(self, arrays: "Mapping[str, np.ndarray]", facts: str) -> str:
        """Of everything in the checkpoint, and of the key, so that no file can change places."""
        values = [
            [name, str(array.dtype), array.shape, sha256(array.tobytes()).hexdigest()]
            for name, array in sorted(arrays.items())
        ]
        return digest([SCHEMA, self._key, facts, values])
