"""Logical digests: what an artifact says, not how its file is laid out.

The bytes of one Parquet table differ between pyarrow releases, and so does the place where a chunk
ends; the values do not. A logical digest covers the values only, so it is what keys are made of,
while the sha256 of the file guards the copy on disk.

Rules: integers and floats as little-endian bytes at their stored width; every NaN counts as one
canonical NaN, whatever its payload; -0.0 differs from 0.0, since 1/x tells them apart; a missing
value is recorded by its row; text as UTF-8 with its length.
"""

import hashlib
import json
from pathlib import Path

from ledger.disk.canonical import digest, file_sha256

DIGITS = 8
"""How many of the digest of a part, which tells where files differ and keys nothing."""

MANY = 10_000
"""Of a file with more parts than this, none is told."""


def logical_digest(path: Path) -> str:
    """The logical digest of an artifact file, chosen by its suffix.

    `.parquet` by table, `.safetensors` by tensor, `.json` by value, anything else by its bytes.

    Raises
    ------
    TypeError
        For a column type that has no rule here (nested types, timestamps, decimals).
    """
    return digests(path)[0]


def digests(path: Path) -> tuple[str, dict[str, str]]:
    """The logical digest of a file, and short ones of its parts: columns or tensors, by name.

    A part's digest covers its name, type, shape and values. Only tables and tensors have parts.
    """
    match path.suffix:
        case ".parquet":
            rows, entries = _columns(path)
            whole = {"kind": "table", "rows": rows, "columns": entries}
        case ".safetensors":
            entries = _tensors(path)
            whole = {"kind": "tensors", "tensors": entries}
        case ".json":
            return digest(json.loads(path.read_bytes())), {}
        case _:
            return file_sha256(path), {}
    few = entries if len(entries) <= MANY else []
    return digest(whole), {entry[0]: digest(entry)[:DIGITS] for entry in few}


def _tensors(path: Path) -> list[list]:
    """`[name, type, shape, digest]` of each tensor of a safetensors file, by name.

    Read from the file itself: an eight-byte header length, a JSON header, then the data
    (https://github.com/huggingface/safetensors#format), so no tensor library is needed.
    """
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
        start = 8 + length
        names = sorted(set(header) - {"__metadata__"})
        entries = []
        for name in names:
            entry = header[name]
            begin, end = entry["data_offsets"]
            stream.seek(start + begin)
            content = stream.read(end - begin)
            entries.append(
                [name, entry["dtype"], entry["shape"], hashlib.sha256(content).hexdigest()]
            )
    return entries


def _columns(path: Path) -> tuple[int, list[list[str]]]:
    """Row count of a Parquet table, and `[name, type, digest]` of each column.

    A column's digest is that of its missing rows and its values, streamed by row group.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as source:
        rows = source.metadata.num_rows
        heads = [[field.name, _type_name(field)] for field in source.schema_arrow]
        hashers = [_ColumnHasher() for _ in heads]
        for group in range(source.num_row_groups):
            batch = source.read_row_group(group, use_threads=False)
            for number, column in enumerate(batch.columns):
                for chunk in column.chunks:
                    hashers[number].update(chunk)
    found = zip(heads, hashers, strict=True)
    return rows, [[*head, hasher.hexdigest()] for head, hasher in found]


def _type_name(field) -> str:
    """A type's name here: storage variants of text are one type, nothing else is."""
    import pyarrow as pa

    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return str(kind)
    raise TypeError(f"column {field.name!r}: no digest rule for values of type {kind}")


class _ColumnHasher:
    """Values and missing rows of one column, hashed apart so that chunk borders leave no trace."""

    def __init__(self) -> None:
        self.values, self.missing, self.rows = hashlib.sha256(), hashlib.sha256(), 0

    def update(self, chunk) -> None:
        """Take the next cells."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        offset, self.rows = self.rows, self.rows + len(chunk)
        if pa.types.is_dictionary(chunk.type):
            chunk = chunk.dictionary_decode()
        if chunk.null_count:
            missing = np.flatnonzero(chunk.is_null().to_numpy(zero_copy_only=False)) + offset
            self.missing.update(missing.astype("<i8").tobytes())
            chunk = chunk.drop_null()
        if pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type):
            lengths = pc.binary_length(chunk).to_pylist()
            for length, text in zip(lengths, chunk.to_pylist(), strict=True):
                self.values.update(length.to_bytes(8, "little") + text.encode())
            return
        values = chunk.to_numpy(zero_copy_only=False)
        if values.dtype.kind == "f" and (is_nan := np.isnan(values)).any():
            values = np.where(is_nan, values.dtype.type("nan"), values)
        self.values.update(np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")))

    def hexdigest(self) -> str:
        return digest([self.values.hexdigest(), self.missing.hexdigest()])
