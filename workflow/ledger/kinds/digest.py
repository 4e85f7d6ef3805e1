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
from typing import TYPE_CHECKING

from ledger.disk.canonical import digest, file_sha256

if TYPE_CHECKING:
    from ledger.kinds.sketch import Sketcher


def logical_digest(path: Path, sketcher: "Sketcher | None" = None) -> str:
    """The logical digest of an artifact file, chosen by its suffix.

    `.parquet` by table, `.safetensors` by tensor, `.json` by value, anything else by its bytes.

    Parameters
    ----------
    sketcher : sketches tables, tensors and the lines of a `.csv` while they are read.
    """
    match path.suffix:
        case ".parquet":
            return table(path, sketcher)
        case ".safetensors":
            return tensors(path, sketcher)
        case ".json":
            return json_value(path)
    found = file_sha256(path)
    if sketcher and path.suffix == ".csv":
        sketcher.sketch_lines(path.read_bytes(), found)
    return found


def json_value(path: Path) -> str:
    """Digest of the value a JSON file holds."""
    return digest(json.loads(path.read_bytes()))


def tensors(path: Path, sketcher: "Sketcher | None" = None) -> str:
    """Digest of the names, types, shapes and values of a safetensors file.

    Read from the file itself: an eight-byte header length, a JSON header, then the data
    (https://github.com/huggingface/safetensors#format), so no tensor library is needed.
    """
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
        start = 8 + length
        names = sorted(set(header) - {"__metadata__"})
        if sketcher:
            sketcher.begin((name, header[name]["dtype"], header[name]["shape"]) for name in names)
        entries = []
        for number, name in enumerate(names):
            entry = header[name]
            begin, end = entry["data_offsets"]
            stream.seek(start + begin)
            content = stream.read(end - begin)
            entries.append(
                [name, entry["dtype"], entry["shape"], hashlib.sha256(content).hexdigest()]
            )
            if sketcher:
                sketcher.add_tensor(number, content)
    if sketcher:
        sketcher.end(entry[-1] for entry in entries)
    return digest({"kind": "tensors", "tensors": entries})


def table(path: Path, sketcher: "Sketcher | None" = None) -> str:
    """Digest of a Parquet table: row count, then name, type, missing rows and values by column."""
    return digest({"kind": "table", **columns(path, sketcher)})


def columns(path: Path, sketcher: "Sketcher | None" = None) -> dict:
    """Row count and `[name, type, digest]` per column, streamed by row group.

    Raises
    ------
    TypeError
        For a column type that has no rule here (nested types, timestamps, decimals).
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as source:
        rows = source.metadata.num_rows
        heads = [[field.name, _type_name(field)] for field in source.schema_arrow]
        if sketcher:
            sketcher.begin((*head, [rows]) for head in heads)
        hashers = [_ColumnHasher() for _ in heads]
        for group in range(source.num_row_groups):
            batch = source.read_row_group(group, use_threads=False)
            for number, column in enumerate(batch.columns):
                for chunk in column.chunks:
                    values = hashers[number].update(chunk)
                    if sketcher and values is None:
                        sketcher.add_chunk(number, chunk)
                    elif sketcher:
                        sketcher.add_values(number, values)
    digests = [hasher.hexdigest() for hasher in hashers]
    if sketcher:
        sketcher.end(digests)
    entries = [[*head, found] for head, found in zip(heads, digests, strict=True)]
    return {"rows": rows, "columns": entries}


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

    def update(self, chunk):
        """Take the next cells; returns them as an array if they are numbers and none is missing."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from ledger.kinds.ordinals import with_one_nan

        whole, offset, self.rows = not chunk.null_count, self.rows, self.rows + len(chunk)
        if pa.types.is_dictionary(chunk.type):
            chunk = chunk.dictionary_decode()
        if not whole:
            missing = np.flatnonzero(chunk.is_null().to_numpy(zero_copy_only=False)) + offset
            self.missing.update(missing.astype("<i8").tobytes())
            chunk = chunk.drop_null()
        if pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type):
            lengths = pc.binary_length(chunk).to_pylist()
            for length, text in zip(lengths, chunk.to_pylist(), strict=True):
                self.values.update(length.to_bytes(8, "little") + text.encode())
            return None
        values = with_one_nan(chunk.to_numpy(zero_copy_only=False))
        values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        self.values.update(values)
        return values if whole else None

    def hexdigest(self) -> str:
        return digest([self.values.hexdigest(), self.missing.hexdigest()])
