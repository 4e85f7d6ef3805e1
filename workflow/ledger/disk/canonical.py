"""One spelling for every JSON value, so that equal values have equal bytes and equal digests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.disk.regular import naming, open_regular


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no white space (compare RFC 8785).

    Raises
    ------
    ValueError
        For NaN and infinities, which JSON cannot carry.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(value: Any) -> str:
    """sha256, in hex, of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def is_utf8(path: object) -> bool:
    """Whether a path is text in UTF-8: of others no document and no key can tell."""
    return not any("\ud800" <= letter <= "\udfff" for letter in str(path))


def file_sha256(path: Path) -> str:
    """sha256, in hex, of the bytes of a file, read in chunks.

    Raises
    ------
    OSError
        When it cannot be read, or is no file.
    """
    with naming(path), open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted keys."""
    found = {}
    for name, value in values.items():
        nested = isinstance(value, Mapping)
        found |= flat(value, f"{prefix}{name}.") if nested else {prefix + name: value}
    return found


def is_sha256(text: object) -> bool:
    """Whether `text` is a sha256 in lower-case hex; what is not never becomes part of a path."""
    return isinstance(text, str) and len(text) == 64 and set(text) <= set("0123456789abcdef")
