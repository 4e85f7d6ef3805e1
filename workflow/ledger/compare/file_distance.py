"""How far apart two output files are: by cell where they hold numbers, by line otherwise."""

import json
from collections.abc import Callable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ledger.compare.contents import Packed, opened
from ledger.compare.distance import Distance, distance
from ledger.compare.dotted import changes
from ledger.errors import IntegrityError


def file_distance(a: Path | Packed, b: Path | Packed) -> dict[str, Any]:
    """What tells two files of one name apart, as plain JSON.

    For `.parquet` and `.safetensors`: `whole`, the figures of `Distance` over everything that both
    hold, `parts`, those of each column or tensor that differs, and where they are not of one
    shape: `rows`, `shapes`, `types`, `only_in_a`, `only_in_b`. For `.json`: `changes` by dotted
    key. For text: `lines`, how many there are and differ, and `first`, the first that does.

    Raises
    ------
    IntegrityError
        When a file cannot be read as what its name says.
    """
    try:
        for file in (a, b):
            opened(file).close()  # what libraries would wait for is refused here
        match a.suffix:
            case ".parquet":
                return _tables(a, b)
            case ".safetensors":
                return _tensors(a, b)
            case ".json":
                return {"changes": changes(*(json.loads(_content(file)) for file in (a, b)))}
            case _:
                return _texts(a, b)
    except (OSError, ValueError, TypeError, LookupError, RuntimeError, MemoryError) as error:
        # What is no such file makes libraries raise any of these; deep JSON is a RuntimeError.
        raise IntegrityError(
            f"{a} and {b} cannot be compared ({error}). Run `verify` on both directories."
        ) from None


def _content(file: Path | Packed) -> bytes:
    with opened(file) as stream:
        return stream.read()


def _tables(a: Path | Packed, b: Path | Packed) -> dict[str, Any]:
    from ledger.compare.table_distance import Table, table_distances

    left, right = Table.open(a), Table.open(b)
    found = _unshared(left.types, right.types)
    rows = [sum(left.rows()), sum(right.rows())]
    if rows[0] != rows[1]:
        return {**found, "rows": rows}
    return {**found, **_summary(table_distances(left, right))}


def _tensors(a: Path | Packed, b: Path | Packed) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        # It hands them out in any order, and a sum of floats depends on it.
        left, right = (dict(sorted(load(_content(file)).items())) for file in (a, b))
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    shapes = [{name: list(tensor.shape) for name, tensor in x.items()} for x in (left, right)]
    types = [{name: tensor.dtype for name, tensor in x.items()} for x in (left, right)]
    equal = [name for name in left if shapes[0][name] == shapes[1].get(name)]
    found = {**_unshared(*types), **_pairs("shapes", *shapes)}
    return {**found, **_summary({name: distance(left[name], right[name]) for name in equal})}


def _summary(parts: Mapping[str, Distance]) -> dict[str, Any]:
    return {
        "whole": sum(parts.values(), Distance()).figures(),
        "parts": {name: part.figures() for name, part in parts.items() if part.differing},
    }


def _unshared(a: Mapping[str, object], b: Mapping[str, object]) -> dict[str, Any]:
    """Names that one side lacks, and those whose types differ; nothing where there are none."""
    found = {"only_in_a": [n for n in a if n not in b], "only_in_b": [n for n in b if n not in a]}
    return {name: names for name, names in found.items() if names} | _pairs("types", a, b, str)


def _pairs(
    what: str, a: Mapping[str, Any], b: Mapping[str, Any], show: Callable = lambda x: x
) -> dict[str, Any]:
    pairs = {n: [show(a[n]), show(b[n])] for n in a if n in b and a[n] != b[n]}
    return {what: pairs} if pairs else {}


def _texts(a: Path | Packed, b: Path | Packed) -> dict[str, Any]:
    left, right = (_content(file).decode(errors="replace").splitlines() for file in (a, b))
    differing = [n for n, (x, y) in enumerate(zip_longest(left, right)) if x != y]
    found: dict[str, Any] = {"lines": {"a": len(left), "b": len(right), "differ": len(differing)}}
    if differing:
        n = differing[0]
        sides = {s: x[n] for s, x in (("a", left), ("b", right)) if n < len(x)}
        found["first"] = {"line": n + 1, **sides}
    return found
