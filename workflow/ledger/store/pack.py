"""Packs: the manifests and sidecars of a directory of results in one zip file, without the data.

A pack is made on one machine to be compared on another, so it is read as something a stranger may
have made: nothing of it is ever written to the disk, and it is refused unless it holds just what
its index lists, unaltered and within limits.
"""

import contextlib
import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ledger import called
from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.canonical import canonical_json
from ledger.errors import InputError
from ledger.jobs.manifest import Manifest, leads_out
from ledger.jobs.results import is_manifest, job_below, sound_manifests
from ledger.store.sidecar import sidecar_path

SCHEMA = 1
INDEX = "index.json"
SUFFIX = ".zip"

MEMBERS = 100_000
"""Most files of a pack."""

MEMBER_BYTES = 1 << 25
"""Most bytes of one file of a pack."""

TOTAL_BYTES = 1 << 29
"""Most bytes of all of them."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How files may be compressed: these two never unpack to more than the zip file says."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip file can hold."""


def write_pack(results: Path, target: Path) -> int:
    """Pack the manifests below a directory, and the sidecars beside them; returns how many.

    The same files always give the same pack (with one version of zlib).

    Raises
    ------
    InputError
        When there is no manifest, they are too many or too large, or the pack's name is no pack's.
    IntegrityError
        When a manifest is damaged.
    """
    if target.suffix != SUFFIX:
        raise InputError(f"{target}: a pack is a zip file; give it a name that ends in {SUFFIX}.")
    files, count = {}, 0
    for path, made in sound_manifests(results):
        count += 1
        files[path.relative_to(results).as_posix()] = made.content()
        sidecar = sidecar_path(path)
        with contextlib.suppress(FileNotFoundError):
            files[sidecar.relative_to(results).as_posix()] = read_bytes(sidecar)
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
    return count


def pack_in(path: Path) -> Path | None:
    """The pack that a path leads to or into, such as `kaggle.zip/ambient`; None where none."""
    places = (place for place in (path, *path.parents) if place.suffix == SUFFIX)
    return next(filter(Path.is_file, places), None)


def read_pack(pack: Path, below: Path) -> dict[str, Manifest]:
    """The manifests in a pack, of all jobs below a directory in it, by what to call the job.

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
            contents = dict(_manifests(archive, home))
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError) as error:
        # A RuntimeError tells of an encrypted file, or one compressed in an unknown way.
        raise _refusal(pack, str(error)) from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _refusal(pack, str(error)) from None
    if not contents:
        raise InputError(f"{pack / below}: holds no manifest.")
    return {
        job_below(home, name): Manifest.parse(content, pack / name)
        for name, content in contents.items()
    }


def _manifests(
    archive: zipfile.ZipFile, home: PurePosixPath
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Name and content of the manifests below a directory, once the whole pack is looked at."""
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
    for name, sha256 in listed.items():
        path = PurePosixPath(name)
        if leads_out(name) or "\\" in name or path.as_posix() != name:
            raise ValueError(f"{name!r} is no path of a file in it")
        if is_manifest(path.name) and path.is_relative_to(home):
            content = archive.read(name)
            if hashlib.sha256(content).hexdigest() != sha256:
                raise ValueError(f"{name} is not what its index says")
            yield path, content


def _exceeds(sizes: list[int]) -> bool:
    return len(sizes) > MEMBERS or max(sizes, default=0) > MEMBER_BYTES or sum(sizes) > TOTAL_BYTES


def _refusal(pack: Path, reason: str) -> InputError:
    return InputError(
        f"{pack}: not a pack as it was made ({reason}). Make it with `{called.name()} pack`, and "
        "copy it anew."
    )
