"""A directory of results, seen through its manifests."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from emodag.errors import InputError
from emodag.provenance.manifest import Manifest


def manifest_paths(results: Path) -> list[Path]:
    """Where the manifests below a directory lie, sorted.

    Raises
    ------
    InputError
        When there is no such directory, or no manifest below it.
    """
    if (results / "results").is_dir():
        raise InputError(f"{results}: is where results lie; name them: {results / 'results'}")
    if not results.is_dir():
        raise InputError(f"{results}: no such directory of results.")
    if not (found := sorted(_walk(results))):
        raise InputError(f"{results}: holds no manifest. Name a directory that `snakemake` filled.")
    return found


def is_manifest(name: str) -> bool:
    """Whether a file of this name is a job's manifest."""
    return name == "manifest.json" or name.endswith(".manifest.json")


def job_below(results: PurePath, manifest: PurePath) -> str:
    """What to call the job of a manifest, relative to a directory above; "" right in it."""
    home = manifest.parent.relative_to(results)
    name = (home / manifest.name.removesuffix("manifest.json").rstrip(".")).as_posix()
    return "" if name == "." else name


def in_order(manifests: Mapping[str, Manifest]) -> list[str]:
    """Names of manifests, each after one that made each of its inputs; by name where free.

    Inputs are found by their logical digests, so this holds for manifests of any origin.
    """
    makers: dict[str, set[str]] = {}
    for name, manifest in manifests.items():
        for output in manifest.outputs.values():
            makers.setdefault(output.logical, set()).add(name)
    needs = {
        name: [makers[digest] - {name} for digest in manifest.inputs.values() if digest in makers]
        for name, manifest in manifests.items()
    }
    ordered: dict[str, None] = {}
    while len(ordered) < len(manifests):
        left = sorted(manifests.keys() - ordered)
        ready = [name for name in left if all(some & ordered.keys() for some in needs[name])]
        # Manifests of several runs, mixed, may leave nothing ready.
        ordered.update(dict.fromkeys(ready or left[:1]))
    return list(ordered)


def _walk(results: Path) -> Iterator[Path]:
    for directory, below, files in os.walk(results):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in files:
            if is_manifest(name):
                yield Path(directory, name)
