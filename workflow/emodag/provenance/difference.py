"""Where two results part: the first job that differs, why, and how far its values are apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emodag.errors import InputError, IntegrityError
from emodag.provenance.dotted import changes
from emodag.provenance.file_distance import file_distance
from emodag.provenance.manifest import Manifest
from emodag.provenance.results import in_order, job_below, manifest_paths


@dataclass(frozen=True)
class Made:
    """What a job made: its manifest, and the directory where that and the files lie."""

    manifest: Manifest
    directory: Path

    def digests(self) -> dict[str, str]:
        """Logical digest by output file."""
        return {name: output.logical for name, output in self.manifest.outputs.items()}


CELLS = 1 << 20
"""How many differing cells of each table are looked at, unless everything is."""


def difference(a: Path, b: Path, *, everything: bool = False) -> dict[str, Any]:
    """What tells two directories of results, or two manifests, apart, as plain JSON.

    Jobs are compared by their name below the directory. `keys_differ` and `values_differ` list
    jobs, each after those it needs; `jobs` describes the first of either list: `key`, the
    ingredients that differ, and in `outputs`, by file that differs, what `file_distance` says, or
    why it is `unknown`. With `everything`, all jobs are described, and of large tables all cells.

    Raises
    ------
    InputError
        When a path does not exist or holds no manifest, or only one is a directory.
    IntegrityError
        When a manifest is damaged.
    """
    for path in (a, b):
        if not path.exists():
            raise InputError(f"{path}: no such directory of results, and no such manifest.")
    if a.is_dir() != b.is_dir():
        raise InputError(f"{a} and {b}: compare two directories of results, or two manifests.")
    left, right = _made(a), _made(b)
    order = [n for n in in_order({n: m.manifest for n, m in left.items()}) if n in right]
    keys = [n for n in order if left[n].manifest.key != right[n].manifest.key]
    values = [n for n in order if left[n].digests() != right[n].digests()]
    limit = None if everything else CELLS
    told = {*keys, *values} if everything else {*keys[:1], *values[:1]}
    return {
        "a": str(a),
        "b": str(b),
        "in_both": len(order),
        "only_in_a": sorted(left.keys() - right.keys()),
        "only_in_b": sorted(right.keys() - left.keys()),
        "keys_differ": keys,
        "values_differ": values,
        "jobs": [{"job": n, **_job(left[n], right[n], limit)} for n in order if n in told],
    }


def is_identical(found: Mapping[str, Any]) -> bool:
    """Whether `difference` has found none."""
    parts = ("only_in_a", "only_in_b", "keys_differ", "values_differ")
    return not any(found[part] for part in parts)


def _made(path: Path) -> dict[str, Made]:
    """What the jobs below a directory made, by name; of a manifest alone, under an empty name."""
    if path.is_dir():
        found = {job_below(path, manifest): manifest for manifest in manifest_paths(path)}
    else:
        found = {"": path}
    return {name: Made(Manifest.read(path), path.parent) for name, path in found.items()}


def _job(a: Made, b: Made, limit: int | None) -> dict[str, Any]:
    left, right = a.manifest, b.manifest
    return {
        "stage": left.stage,
        "keys": {"a": left.key, "b": right.key},
        "key": changes(*({**m.ingredients, "inputs": m.inputs} for m in (left, right))),
        "outputs": {
            name: _output(name, a, b, limit)
            for name in sorted(left.outputs | right.outputs)
            if a.digests().get(name) != b.digests().get(name)
        },
    }


def _output(name: str, a: Made, b: Made, limit: int | None) -> dict[str, Any]:
    for side, made in (("a", a), ("b", b)):
        output, path = made.manifest.outputs.get(name), made.directory / name
        if output is None:
            return {"unknown": f"the job makes no such file in {side}"}
        if not path.is_file():
            return {"unknown": f"{path} is missing"}
        if path.stat().st_size != output.bytes:
            return {"unknown": f"{path} is damaged; `verify --repair` restores what can be"}
    try:
        return file_distance(a.directory / name, b.directory / name, limit=limit)
    except IntegrityError as error:
        return {"unknown": str(error)}
