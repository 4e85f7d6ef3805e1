"""JSON values by dotted key, such as `params.least`, and what differs between two."""

from typing import Any


def dotted(value: Any, prefix: str = "") -> dict[str, Any]:
    """Every leaf of a JSON value by its path; positions in lists count from 0.

    An empty object or list is a leaf. The leaf of a bare value has the path "".
    """
    if not isinstance(value, dict | list) or not value:
        return {prefix: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    leaves: dict[str, Any] = {}
    for name, item in items:
        leaves |= dotted(item, f"{prefix}.{name}" if prefix else str(name))
    return leaves


def changes(a: Any, b: Any) -> list[dict[str, Any]]:
    """What differs, as objects with `key`, `a` and `b`; a side without the key has no entry.

    Values of two types differ, even 1 and 1.0: canonical JSON tells them apart.
    """
    left, right = dotted(a), dotted(b)
    keys = [*left, *(key for key in right if key not in left)]
    empty = {key for side in (left, right) for key, leaf in side.items() if leaf in ({}, [])}
    # What fills on one side what is empty on the other is told key by key.
    filled = {key for key in empty if any(other.startswith(f"{key}.") for other in keys)}
    found = []
    for key in keys:
        sides = {name: side[key] for name, side in (("a", left), ("b", right)) if key in side}
        if key not in filled and (len(sides) == 1 or repr(sides["a"]) != repr(sides["b"])):
            found.append({"key": key, **sides})
    return found
