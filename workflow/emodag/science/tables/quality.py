"""What is odd in a table's numbers: counted while its blocks pass by, and mended by policy."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

HUGE = 1e20
"""Finite values larger than this in size are counted: sensor artefacts, not measurements."""


class ColumnTally:
    """Running counts per column of a table whose rows arrive in blocks of any size.

    Attributes
    ----------
    rows : int
    missing, infinite, huge : int64 arrays of shape (columns,)
        Cells that are NaN, infinite, and finite but larger than `HUGE` in size.
    """

    def __init__(self, columns: int) -> None:
        self.rows = 0
        self.missing = np.zeros(columns, np.int64)
        self.infinite = np.zeros(columns, np.int64)
        self.huge = np.zeros(columns, np.int64)
        self._low = np.full(columns, np.inf)
        self._high = np.full(columns, -np.inf)
        self._digests = [hashlib.blake2b(digest_size=16) for _ in range(columns)]

    def add(self, values: np.ndarray) -> np.ndarray:
        """Count the float64 `values` of shape (rows, columns); return them with ±inf as NaN."""
        missing, infinite = np.isnan(values), np.isinf(values)
        cleaned = values.copy(order="F")
        # One NaN for all, so that columns with the same gaps are equal bit by bit.
        cleaned[missing | infinite] = np.nan
        self.rows += len(values)
        self.missing += missing.sum(axis=0)
        self.infinite += infinite.sum(axis=0)
        # A comparison with NaN is false.
        self.huge += (np.abs(cleaned) > HUGE).sum(axis=0)
        self._low = np.fmin(self._low, np.fmin.reduce(cleaned, axis=0, initial=np.inf))
        self._high = np.fmax(self._high, np.fmax.reduce(cleaned, axis=0, initial=-np.inf))
        for digest, column in zip(self._digests, cleaned.T, strict=True):
            digest.update(column)
        return cleaned

    def all_missing(self) -> np.ndarray:
        """Boolean array of shape (columns,): no finite value at all."""
        return self._low > self._high

    def constant(self) -> np.ndarray:
        """Boolean array of shape (columns,): finite values exist and all are equal."""
        return self._low == self._high

    def duplicates(self, kept: np.ndarray) -> list[list[int]]:
        """Groups of positions, among those where `kept` is true, of columns equal bit by bit."""
        groups: dict[bytes, list[int]] = {}
        for position in np.flatnonzero(kept):
            groups.setdefault(self._digests[position].digest(), []).append(int(position))
        return [group for group in groups.values() if len(group) > 1]

    def record(self, names: Sequence[str]) -> dict[str, Any]:
        """The counts as plain JSON values: a total and the columns affected, for each kind."""
        kinds = {"missing": self.missing, "infinite": self.infinite, "beyond_1e20": self.huge}
        return {
            kind: {
                "total": int(counts.sum()),
                "columns": {names[at]: int(counts[at]) for at in np.flatnonzero(counts)},
            }
            for kind, counts in kinds.items()
        }
