"""Documents from disk, checked against the dataclasses they are to become."""

from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints


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
