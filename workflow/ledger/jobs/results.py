"""A directory of results, seen through its manifests, perhaps while a run makes some of them anew.

A run takes a manifest away before it changes the files beside it, and writes the new one after
them. So a manifest that was found may be gone when it is to be read, which is no damage; and what
was seen of the files holds only if the manifest is the same afterwards.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath

from ledger import called
from ledger.disk.canonical import file_sha256
from ledger.errors import InputError, IntegrityError
from ledger.jobs.job import RESULTS
from ledger.jobs.manifest import Manifest, NoManifest

_MANIFEST = re.compile(r"(^|[./])manifest\.json$")
"""How the path of a manifest ends, behind the job's name."""


def read_manifests(results: Path) -> Iterator[tuple[Path, Manifest | IntegrityError]]:
    """Each manifest below a directory, sorted by path; of one that is damaged, what is wrong.

    One that is taken away meanwhile is left out.

    Raises
    ------
    InputError
        When there is no such directory, or no manifest below it.
    OSError
        When a directory cannot be read.
    """
    if (results / "results").is_dir():
        raise InputError(f"{results}: is where results lie; name them: {results / 'results'}")
    if not results.is_dir():
        raise InputError(f"{results}: no such directory of results.")
    is_empty = True
    for path, made in manifests_below(results):
        is_empty = False
        yield path, made
    if is_empty:
        raise InputError(f"{results}: holds no manifest. Name a directory that `snakemake` filled.")


def manifests_below(directory: Path) -> Iterator[tuple[Path, Manifest | IntegrityError]]:
    """The same of any directory: none where there is none, or where it is not there.

    Raises
    ------
    OSError
        When a directory cannot be read.
    """
    for path in sorted(_walk(directory)):
        if made := _read(path):
            yield path, made


def sound(
    manifests: Iterable[tuple[Path, Manifest | IntegrityError]],
) -> Iterator[tuple[Path, Manifest]]:
    """The manifests that have been read, of which none may be damaged.

    Raises
    ------
    IntegrityError
        When one is.
    """
    for path, made in manifests:
        if isinstance(made, IntegrityError):
            raise made
        yield path, made


def verified(manifest: Path, file: str) -> Path:
    """The path of an output beside its manifest, once its bytes are what that says.

    Raises
    ------
    IntegrityError
        When they are not, or there is no sound manifest.
    """
    path, made = manifest.parent / file, Manifest.read(manifest)
    if not path.is_file() or file_sha256(path) != made.outputs[file].sha256:
        raise IntegrityError(
            f"{path}: is missing or damaged; run `{called.name()} verify --repair`"
        )
    return path


def is_unchanged(path: Path, manifest: Manifest) -> bool:
    """Whether a manifest that was read is still there, and so the files beside it were its own."""
    return _read(path) == manifest


def is_manifest(name: str) -> bool:
    """Whether a file of this name is a job's manifest."""
    return _MANIFEST.search(name) is not None


def job_below(results: PurePath, manifest: PurePath) -> str:
    """What to call the job of a manifest, relative to a directory above; "" right in it."""
    return _MANIFEST.sub("", manifest.relative_to(results).as_posix())


def job_of(manifest: str | PurePath) -> str:
    """The job that a manifest in the results is of, by its path."""
    return _MANIFEST.sub("", str(manifest).removeprefix(f"{RESULTS}/"))


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


def _read(path: Path) -> Manifest | IntegrityError | None:
    """The manifest at a path, what is wrong with it, or None where nothing is there."""
    try:
        return Manifest.read(path)
    except NoManifest as error:
        return error if path.is_symlink() else None
    except IntegrityError as error:
        return error


def _walk(results: Path) -> Iterator[Path]:
    """Manifests, behind links, too; a link to what it lies in is not followed."""
    above = {os.fspath(results): frozenset[Path]()}
    for directory, below, files in os.walk(results, onerror=_refuse, followlinks=True):
        chain = above.pop(directory) | {Path(directory).resolve()}
        below[:] = [
            name
            for name in below
            if not name.startswith(".") and Path(directory, name).resolve() not in chain
        ]
        above |= {os.path.join(directory, name): chain for name in below}  # noqa: PTH118
        for name in files:
            if is_manifest(name):
                yield Path(directory, name)


def _refuse(error: OSError) -> None:
    """Have a directory that cannot be read be no empty one; one that was taken away is."""
    if not isinstance(error, FileNotFoundError):
        raise error
