"""Packs: manifests and sidecars of a directory of results, and small outputs, in one zip file.

A pack is made on one machine to be compared on another, so it is read as something a stranger may
have made: nothing of it is ever written to the disk, and it is refused unless it holds just what
its index lists, unaltered and within limits, and of outputs what their manifests say.
"""

import contextlib
import hashlib
import io
import itertools
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ledger import called
from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.canonical import canonical_json
from ledger.disk.documents import MALFORMED, stays_below
from ledger.disk.regular import size_of
from ledger.disk.sources import refuse_raw
from ledger.errors import InputError
from ledger.jobs.manifest import Manifest, Source
from ledger.jobs.results import is_manifest, job_below, read_manifests, sound
from ledger.store.sidecar import sidecar_path

SCHEMA = 2
"""Version 2 has outputs; a pack of another version is refused."""

INDEX = "index.json"
SUFFIX = ".zip"

MEMBERS = 100_000
"""Most files of a pack."""

MEMBER_BYTES = 1 << 25
"""Most bytes of one file of a pack."""

TOTAL_BYTES = 1 << 29
"""Most bytes of all of them."""

SMALL_BYTES = 1 << 20
"""Most bytes of an output that a pack carries."""

SMALL_TOTAL = 1 << 26
"""Most bytes of all of them; of more, the smallest are carried."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How files may be compressed: these two never unpack to more than the zip file says."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip file can hold."""


class Made(NamedTuple):
    """A job's manifest, where it lies, and in a pack the job's outputs that the pack carries."""

    manifest: Manifest
    path: Path
    files: dict[str, bytes] | None = None


def write_pack(results: Path, target: Path) -> tuple[int, int]:
    """Pack the manifests below a directory, the sidecars beside them, and sound small outputs.

    The same files always give the same pack (with one version of zlib).

    Returns
    -------
    How many manifests and how many outputs.

    Raises
    ------
    InputError
        When there is no manifest, they are too many or too large, or the pack's name is no pack's
        or a raw file's.
    IntegrityError
        When a manifest is damaged.
    """
    if target.suffix != SUFFIX:
        raise InputError(f"{target}: a pack is a zip file; give it a name that ends in {SUFFIX}.")
    manifests = dict(sound(read_manifests(results)))
    origins = (origin for made in manifests.values() for origin in made.origins.values())
    refuse_raw(target, [results.parent / o.path for o in origins if isinstance(o, Source)])
    outputs = _small_outputs(manifests)
    files = outputs | {path: made.content() for path, made in manifests.items()}
    for sidecar in map(sidecar_path, manifests):
        with contextlib.suppress(FileNotFoundError):
            files[sidecar] = read_bytes(sidecar)
    files = {path.relative_to(results).as_posix(): content for path, content in files.items()}
    index = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    files[INDEX] = canonical_json({"schema": SCHEMA, "files": index})
    if _exceeds([len(content) for content in files.values()]):
        raise InputError(f"{results}: is too large for a pack. Pack a directory below it.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in (INDEX, *index):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    write_bytes(target, packed.getvalue())
    return len(manifests), len(outputs)


def _small_outputs(manifests: Mapping[Path, Manifest]) -> dict[Path, bytes]:
    """The outputs that are small, and whose bytes are what their manifests say."""
    found = sorted(
        (output.bytes, path.with_name(name), output.sha256)
        for path, made in manifests.items()
        for name, output in made.outputs.items()
        if output.bytes <= SMALL_BYTES and name != INDEX
    )
    sizes = itertools.accumulate(size for size, _, _ in found)
    contents = {}
    for (size, path, sha256), total in zip(found, sizes, strict=True):
        if total <= SMALL_TOTAL and size_of(path) == size:
            with contextlib.suppress(OSError):
                content = read_bytes(path)
                if hashlib.sha256(content).hexdigest() == sha256:
                    contents[path] = content
    return contents


def pack_in(path: Path) -> Path | None:
    """The pack that a path leads to or into, such as `kaggle.zip/ambient`; None where none."""
    places = (place for place in (path, *path.parents) if place.suffix == SUFFIX)
    return next(filter(Path.is_file, places), None)


def read_pack(pack: Path, below: Path) -> dict[str, Made]:
    """What a pack holds of all jobs below a directory in it, by what to call the job.

    Raises
    ------
    InputError
        When it is no pack, or not as it was made, or nothing is below that directory.
    IntegrityError
        When a manifest in it is damaged.
    """
    home = PurePosixPath(below.as_posix())
    if pack.stat().st_size > TOTAL_BYTES:
        raise _refusal(pack, "it is larger than a pack may be")
    try:
        with zipfile.ZipFile(pack) as archive:
            listed = _listed(archive)
            read = cache(lambda name: _read(archive, name, listed[name]))
            homes = [name for name in map(PurePosixPath, listed) if name.is_relative_to(home)]
            found = {
                job_below(home, name): _job(name, pack, listed, read)
                for name in homes
                if is_manifest(name.name)
            }
            if sum(len(f) for job in found.values() for f in job.files.values()) > SMALL_TOTAL:
                raise ValueError("it holds more of outputs than a pack may")
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError) as error:
        # A RuntimeError tells of an encrypted file, or one compressed in an unknown way.
        raise _refusal(pack, str(error)) from None
    except MALFORMED as error:
        raise _refusal(pack, str(error)) from None
    if not found:
        raise InputError(f"{pack / below}: holds no manifest.")
    return found


def _listed(archive: zipfile.ZipFile) -> dict[str, str]:
    """The sha256 of every file but the index, by name, once the whole pack is looked at."""
    entries = archive.infolist()
    if _exceeds([entry.file_size for entry in entries]):
        raise ValueError("it holds more than a pack may")
    if any(entry.compress_type not in METHODS for entry in entries):
        raise ValueError("its files are compressed in another way")
    index = json.loads(archive.read(INDEX))
    if index["schema"] != SCHEMA:
        raise ValueError("another schema version")
    listed: dict[str, str] = index["files"]
    if sorted(entry.filename for entry in entries) != sorted([INDEX, *listed]):
        raise ValueError("it does not hold just what its index lists")
    for name in listed:
        if not stays_below(name) or "\\" in name or PurePosixPath(name).as_posix() != name:
            raise ValueError(f"{name!r} is no path of a file in it")
    return listed


def _job(
    name: PurePosixPath, pack: Path, listed: Mapping[str, str], read: Callable[[str], bytes]
) -> Made:
    """A job's manifest, read and checked, and those of its outputs that are listed."""
    manifest = Manifest.parse(read(str(name)), pack / name)
    files = {}
    for file, output in manifest.outputs.items():
        if (member := str(name.with_name(file))) in listed:
            said = listed[member] == output.sha256 and len(read(member)) == output.bytes
            if not said or output.bytes > SMALL_BYTES:
                raise ValueError(f"{member} is not what its manifest says, or too large")
            files[file] = read(member)
    return Made(manifest, pack / name, files)


def _read(archive: zipfile.ZipFile, name: str, sha256: str) -> bytes:
    content = archive.read(name)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{name} is not what its index says")
    return content


def _exceeds(sizes: list[int]) -> bool:
    return len(sizes) > MEMBERS or max(sizes, default=0) > MEMBER_BYTES or sum(sizes) > TOTAL_BYTES


def _refusal(pack: Path, reason: str) -> InputError:
    return InputError(
        f"{pack}: not a pack as it was made ({reason}). Make it with `{called.name()} pack`, and "
        "copy it anew."
    )
