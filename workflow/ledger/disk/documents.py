"""JSON documents on disk, which vouch for themselves, and the dataclasses they become."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache, partial
from pathlib import Path, PurePosixPath
from types import UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.canonical import digest, is_sha256
from ledger.words import LONG

MALFORMED = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""What taking apart a document raises that is not what it should be."""

MEMORY = 1
"""The schema of what is remembered."""


class OtherSchema(ValueError):
    """A document is sound, and of another version.

    Attributes
    ----------
    schema : what it says of its version, whatever that be.
    """

    def __init__(self, schema: Any) -> None:
        super().__init__("another schema version")
        self.schema = schema


def sealed(body: Mapping[str, Any], schema: int) -> bytes:
    """A document with the number of its schema and its own digest."""
    body = {"schema": schema, **body}
    text = json.dumps({**body, "digest": digest(body)}, sort_keys=True, indent=1)
    return text.encode() + b"\n"


def unsealed(content: bytes, schema: int) -> dict[str, Any]:
    """What is in such a document.

    Raises
    ------
    OtherSchema
        When it is of another schema.
    MALFORMED
        When it is no such document, or was altered.
    """
    body = json.loads(content)
    if body.pop("digest") != digest(body):
        raise ValueError("its content does not match its own digest")
    if (found := body.pop("schema")) != schema:
        raise OtherSchema(found)
    return body


def read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file that nothing depends on; None where there is none to read."""
    try:
        found = json.loads(read_bytes(path))
    except (OSError, *MALFORMED):
        return None
    return found if isinstance(found, dict) else None


def recall(memory: Path) -> dict[str, Any]:
    """What is remembered to save work; nothing where the file is not as it was written."""
    try:
        return unsealed(read_bytes(memory), MEMORY)["facts"]
    except (OSError, *MALFORMED):
        return {}


def keep(memory: Path, facts: dict[str, Any]) -> None:
    """Remember these facts instead of what was remembered before."""
    write_bytes(memory, sealed({"facts": facts}, MEMORY))


def typed(kind: Any, value: Any) -> Any:
    """A JSON value as an annotation says: of objects dataclasses, of lists tuples.

    An annotation may be `Annotated` with a check and what that checks for, as `Sha256` is.

    Raises
    ------
    MALFORMED
        When it is something else; the error says what.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is Annotated:
        plain, is_right, what = parts
        if not is_right(typed(plain, value)):
            raise ValueError(f"{repr(value)[:LONG]} {what}")
        return value
    if origin is UnionType:
        for part in parts:
            with contextlib.suppress(*MALFORMED):
                return typed(part, value)
    elif origin is dict and type(value) is dict:
        return {typed(parts[0], name): typed(parts[1], item) for name, item in value.items()}
    elif origin is tuple and type(value) is list:
        return tuple(typed(parts[0], item) for item in value)
    elif is_dataclass(kind):
        kinds = _kinds(kind)
        return kind(**{name: typed(kinds[name], item) for name, item in value.items()})
    elif type(value) is kind:
        return value
    raise TypeError(f"{repr(value)[:LONG]} is not {kind}")


_kinds = cache(partial(get_type_hints, include_extras=True))


def is_file_name(text: str) -> bool:
    """Whether `text` names a file in a directory, and nothing above or below it."""
    return "/" not in text and "\0" not in text and text not in ("", ".", "..")


def stays_below(path: str) -> bool:
    """Whether a path written in a file cannot lead out of the directory that it is relative to."""
    pure = PurePosixPath(path)
    return "\0" not in path and not pure.is_absolute() and ".." not in pure.parts


Sha256 = Annotated[str, is_sha256, "is not a sha256"]
FileName = Annotated[str, is_file_name, "is not a plain file name"]
Below = Annotated[str, stays_below, "leads out of the working directory"]
