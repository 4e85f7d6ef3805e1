"""Where two results part: the first job that differs, why, and how far its values are apart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.compare.contents import Packed
from ledger.compare.dotted import changes
from ledger.compare.file_distance import file_distance
from ledger.disk.regular import size_of
from ledger.errors import InputError, IntegrityError
from ledger.jobs.manifest import Manifest
from ledger.jobs.results import in_order, is_unchanged, job_below, job_of, read_manifests, sound
from ledger.machine.builds import readable
from ledger.store.pack import Made, pack_in, read_pack


def difference(a: Path, b: Path, *, everything: bool = False) -> dict[str, Any]:
    """What tells two directories of results, packs of such, or two manifests, apart, as plain JSON.

    Jobs are compared by their name below the directory. `data_differ` lists what both sides were
    given from outside, raw files above all, and is not the same; `keys_differ` and `values_differ`
    list jobs, each after those it needs; `jobs` describes the first of either list: `key`, the
    ingredients that differ, and in `outputs`, by file that differs, what `file_distance` says, or
    why it is not looked at (`unknown`) and what the manifests say of its columns or tensors: how
    many there are in both, which of them `differ`, which are `only_in_a` or `only_in_b`. With
    `everything`, all jobs are described.

    Raises
    ------
    InputError
        When a path does not exist or holds no manifest, or only one is a manifest, or for a pack
        that cannot be trusted.
    IntegrityError
        When a manifest is damaged.
    """
    left, right = _made(a), _made(b)
    if _is_single(a) != _is_single(b):
        raise InputError(f"{a} and {b}: compare two directories of results, or two manifests.")
    order = [n for n in in_order({n: m.manifest for n, m in left.items()}) if n in right]
    keys = [n for n in order if left[n].manifest.key != right[n].manifest.key]
    values = [n for n in order if left[n].manifest.digests() != right[n].manifest.digests()]
    told = {*keys, *values} if everything else {*keys[:1], *values[:1]}
    return {
        "a": str(a),
        "b": str(b),
        "in_both": len(order),
        "only_in_a": sorted(left.keys() - right.keys()),
        "only_in_b": sorted(right.keys() - left.keys()),
        "data_differ": _data_differ(left, right, order),
        "keys_differ": keys,
        "values_differ": values,
        "jobs": [{"job": n, **_job(left[n], right[n])} for n in order if n in told],
    }


def is_identical(found: Mapping[str, Any]) -> bool:
    """Whether `difference` has found none."""
    parts = ("only_in_a", "only_in_b", "keys_differ", "values_differ")
    return not any(found[part] for part in parts)


def _made(path: Path) -> dict[str, Made]:
    """What the jobs below a directory or in a pack made, by name; of a manifest alone, by ""."""
    if pack := pack_in(path):
        return read_pack(pack, path.relative_to(pack))
    if not path.exists():
        raise InputError(f"{path}: no such directory of results, and no such manifest.")
    if not path.is_dir():
        return {"": Made(_manifest(path), path)}
    return {job_below(path, at): Made(made, at) for at, made in sound(read_manifests(path))}


def _manifest(path: Path) -> Manifest:
    try:
        return Manifest.read(path)
    except IntegrityError as error:
        raise InputError(f"{error} Any other file is compared by the manifest beside it.") from None


def _is_single(path: Path) -> bool:
    return path.is_file() and not pack_in(path)


def _data_differ(
    left: Mapping[str, Made], right: Mapping[str, Made], order: list[str]
) -> list[dict[str, Any]]:
    """What one job reads in one role on both sides, from outside on either, and not the same."""
    sides = [
        (side, None if "" in side else {made.manifest.job for made in side.values()})
        for side in (left, right)
    ]
    found = []
    for name in order:
        given = [_given(side[name].manifest, inside) for side, inside in sides]
        manifests = [side[name].manifest for side, _ in sides]
        for role in sorted(given[0] | given[1]):
            digests = [manifest.inputs.get(role) for manifest in manifests]
            if None not in digests and digests[0] != digests[1]:
                places = [manifest.origins[role].path for manifest in manifests]
                pairs = zip("ab", places, digests, strict=True)
                found.append({s: {"path": path, "digest": d} for s, path, d in pairs})
    return [data for n, data in enumerate(found) if data not in found[:n]]


def _given(manifest: Manifest, inside: set[str] | None) -> set[str]:
    """The roles of inputs that are raw files, or made by jobs outside of what is compared.

    `inside` is None for a manifest by itself, which has nothing inside: raw files alone count.
    """
    return {
        role
        for role, origin in manifest.origins.items()
        if not origin.manifest or (inside is not None and job_of(origin.manifest) not in inside)
    }


def _job(a: Made, b: Made) -> dict[str, Any]:
    left, right = a.manifest, b.manifest
    return {
        "stage": left.stage,
        "keys": {"a": left.key, "b": right.key},
        "key": changes(_ingredients(left, right), _ingredients(right, left)),
        "outputs": {
            name: _output(name, a, b)
            for name in sorted(left.outputs | right.outputs)
            if left.logical(name) != right.logical(name)
        },
    }


def _ingredients(manifest: Manifest, other: Manifest) -> dict[str, Any]:
    """What a key is made of, inputs too, to be told from the other's."""
    environments = (m.ingredients["environment"] for m in (manifest, other))
    return {
        **manifest.ingredients,
        "environment": readable(*environments),
        "inputs": manifest.inputs,
    }


def _output(name: str, a: Made, b: Made) -> dict[str, Any]:
    """How far two files of one name are apart; without the data, in which parts they differ."""
    for side, made in (("a", a), ("b", b)):
        if name not in made.manifest.outputs:
            return {"unknown": f"the job makes no such file in {side}"}
    why = _lacks(a, name) or _lacks(b, name)
    if why is None:
        try:
            apart = file_distance(_file(a, name), _file(b, name))
        except IntegrityError as error:
            why = str(error)
        why = _lacks(a, name) or _lacks(b, name) or why  # a run may have made either anew meanwhile
        if why is None:
            return apart
    left, right = (made.manifest.outputs[name].parts for made in (a, b))
    both = [part for part in left if part in right]
    found = {
        "in_both": len(both),
        "differ": [part for part in both if left[part] != right[part]],
        "only_in_a": [part for part in left if part not in right],
        "only_in_b": [part for part in right if part not in left],
    }
    return {"unknown": why, **(found if left and right else {})}


def _lacks(made: Made, name: str) -> str | None:
    """Why an output file cannot be looked at, None where it can."""
    path = made.path.with_name(name)
    if made.files is not None:
        return None if name in made.files else f"{pack_in(path)} does not hold it"
    if not is_unchanged(made.path, made.manifest):
        return f"{path} is being made anew"
    if (size := size_of(path)) is None:
        return f"{path} is missing"
    if size != made.manifest.outputs[name].bytes:
        return f"{path} is damaged; `verify --repair` restores what can be"
    return None


def _file(made: Made, name: str) -> Path | Packed:
    """An output file that is not lacking."""
    path = made.path.with_name(name)
    return path if made.files is None else Packed(path, made.files[name])
