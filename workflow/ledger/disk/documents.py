"""JSON documents on disk, which vouch for themselves, and the dataclasses they are to become."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from ledger.disk.atomic import read_bytes
from ledger.disk.canonical import digest

MALFORMED = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""What taking apart a document raises that is not what it should be."""


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


def check(document: object) -> None:
    """Check every field of a dataclass instance, nested ones included, against its annotation.

    Raises
    ------
    TypeError
        Naming the first field of another type.
    """
    kinds = _kinds(type(document))
    for field in fields(document):
        if not _conforms(getattr(document, field.name), kinds[field.name]):
            raise TypeError(f"`{field.name}` is not {kinds[field.name]}")


_kinds = cache(get_type_hints)


def _conforms(value: Any, kind: Any) -> bool:
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if origin is UnionType:
        return any(_conforms(value, part) for part in parts)
    if origin is dict:
        return isinstance(value, dict) and all(
            _conforms(name, parts[0]) and _conforms(item, parts[1]) for name, item in value.items()
        )
    if origin is tuple:
        return isinstance(value, tuple) and all(_conforms(item, parts[0]) for item in value)
    if type(value) is not kind:
        return False
    if is_dataclass(kind):
        check(value)
    return True
