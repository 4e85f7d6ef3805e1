"""What is installed, hashed file by file, and which libraries come along with it.

This takes seconds; `builds` does it once per environment.
"""

import base64
import contextlib
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple

from ledger.disk.canonical import digest, file_sha256
from ledger.disk.stamps import TICK, stamps_of
from ledger.errors import EnvironmentMismatch

_MODULES = {"scikit-learn": "sklearn"}
"""The module of a distribution that neither is called like it nor says how it is called."""

_UNREAD = re.compile(r"\.pyc$|\.(h|hpp|cuh|pyi)$|(^|/)tests/|^[^/]+\.dist-info/")
"""Bytecode, which Python makes anew; headers, stubs and tests, which no job reads; notes."""

_LIBRARY = re.compile(r"\.so(\.\d+)*$")

_NUMERICAL_LIBRARY = re.compile(
    r"lib(\w*blas|\w*lapack|mkl|blis|flame|\w*atlas|[gi]?omp|gfortran|quadmath|svml|imf|dnnl|sleef"
    r"|arrow|parquet|torch|c10|cu(dnn|fft|rand|solver|sparse))"
)

_LOADER = """\
import contextlib, ctypes, json, os, sys

class Object(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]

@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Object), ctypes.c_size_t, ctypes.c_void_p)
def note(found, size, data):
    names.append(os.fsdecode(found.contents.name or b""))
    return 0

names = []
for path in json.load(sys.stdin):
    with contextlib.suppress(OSError):
        ctypes.PyDLL(path, mode=os.RTLD_LAZY)
ctypes.PyDLL(None).dl_iterate_phdr(note, None)
print(json.dumps(names), flush=True)
os._exit(0)
"""
"""Loads libraries; prints every one that came along, by the path it was found at, links and all."""


class File(NamedTuple):
    """A file of a distribution.

    Attributes
    ----------
    name : relative to the directory of all packages, which differs from place to place.
    path : where it is.
    recorded : its hash as RECORD spells it, ``sha256=...``; None where nothing is recorded.
    """

    name: str
    path: str
    recorded: str | None


def examine(
    present: Mapping[str, metadata.Distribution], loader: Mapping[str, str]
) -> tuple[list[str], list[list[int] | None], dict[str, dict[str, str]]]:
    """Look at everything: the paths it depends on, their stamps, and what `builds` returns.

    A file that is edited within one tick of its file system's clock may keep its times. So a tick
    is let pass between the first look at them and the hashing: whoever edits a file after it was
    hashed gives it other times than those that are remembered.
    """
    files = {name: _files(name, d) for name, d in present.items()}
    listed = [file for group in files.values() for file in group]
    # What is put there later would be loaded in place of what is loaded now.
    watched = [*(file.path for file in listed), *_looked_into(loader)]
    stamps = stamps_of(watched)
    time.sleep(TICK / 1e9)
    conda = _conda_files()
    with ThreadPoolExecutor() as pool:
        hashes = dict(zip(listed, pool.map(_hash, listed), strict=True))
    own = {os.path.realpath(file.path) for file in listed}
    loaded = _loaded([file.path for file in listed if _LIBRARY.search(file.name)], loader)
    libraries = [path for path in loaded if os.path.realpath(path) not in own]
    lent = stamps_of(libraries)
    time.sleep(TICK / 1e9 if libraries else 0)
    told = {name: _build(group, hashes, conda) for name, group in files.items()}
    found = {
        "builds": {name: build for name, (build, _) in told.items()},
        "edited": {file: sha256 for _, edited in told.values() for file, sha256 in edited.items()},
        "libraries": _by_name(libraries),
    }
    return [*watched, *libraries], [*stamps, *lent], found


def _build(
    files: Iterable[File], hashes: Mapping[File, str | None], conda: Mapping[str, dict[str, str]]
) -> tuple[str, dict[str, str]]:
    """The digest of one distribution's build, and its files that are not as installed.

    conda writes its prefix into files after their RECORD was written, and says what came of it.
    """
    rows, edited, strings = [], {}, set()
    for file in files:
        here = hashes[file]
        entry = conda.get(os.path.realpath(file.path), {}) if conda else {}
        rows.append([file.name, file.recorded or here])
        strings.add(entry.get("build"))
        never_there = here is None and conda and not entry
        in_order = {file.recorded, entry.get("hash")} - {None}
        if in_order and here not in in_order and not never_there:
            edited[file.name] = "missing" if here is None else file_sha256(Path(file.path))
    return digest([rows, sorted(filter(None, strings))]), edited


def _by_name(libraries: Iterable[str]) -> dict[str, str]:
    """sha256 by name of libraries; of two with one name, both."""
    found: dict[str, set[str]] = {}
    for path in libraries:
        found.setdefault(Path(path).name, set()).add(file_sha256(Path(path)))
    return {name: " ".join(sorted(digests)) for name, digests in found.items()}


def _files(name: str, distribution: metadata.Distribution) -> list[File]:
    """The files of a distribution that a job could read, sorted."""
    record = None if _is_editable(distribution) else distribution.read_text("RECORD")
    found = _found(name, distribution) if record is None else _recorded(record, distribution)
    return sorted(set(found), key=str)


def _recorded(record: str, distribution: metadata.Distribution) -> Iterator[File]:
    """The files of a distribution with RECORD; the scripts above contain the path to Python."""
    for row in csv.reader(record.splitlines()):
        name, recorded = (*row, "", "")[:2]
        if name and not (_UNREAD.search(name) or name[0] == "/" or ".." in name.split("/")):
            yield File(name, str(distribution.locate_file(name)), recorded or None)


def _found(name: str, distribution: metadata.Distribution) -> Iterator[File]:
    """The files of a distribution without RECORD: whatever lies where it is imported from."""
    for module in _modules(name, distribution):
        try:
            spec = util.find_spec(module)
        except (ImportError, ValueError):
            continue
        for place in spec.submodule_search_locations or [spec.origin] if spec else ():
            top = Path(place)
            for path in top.rglob("*") if top.is_dir() else [top]:
                relative = path.relative_to(top.parent).as_posix()
                if not _UNREAD.search(relative) and path.is_file():
                    yield File(relative, str(path), None)


def _is_editable(distribution: metadata.Distribution) -> bool:
    """Whether RECORD says nothing of the code, which lies where it is worked on."""
    try:
        about = json.loads(distribution.read_text("direct_url.json") or "{}")
        return bool(about["dir_info"]["editable"])
    except (ValueError, LookupError, TypeError):
        return False


def _modules(name: str, distribution: metadata.Distribution) -> list[str]:
    """The modules that a distribution is imported by."""
    listed = (distribution.read_text("top_level.txt") or "").split()
    modules = [module for module in listed if module.isidentifier()]
    return modules or [_MODULES.get(name, name.replace("-", "_"))]


def _conda_files() -> dict[str, dict[str, str]]:
    """Of each file that conda has installed, by real path: the build it is of, and its hash."""
    found = {}
    for record in Path(sys.prefix, "conda-meta").glob("*.json"):
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            about = json.loads(record.read_bytes())
            for file in about["paths_data"]["paths"]:
                entry = {"build": f"{about['name']} {about['build']}"}
                if "sha256_in_prefix" in file:
                    entry["hash"] = _spelled("sha256", bytes.fromhex(file["sha256_in_prefix"]))
                found[os.path.realpath(Path(sys.prefix, file["_path"]))] = entry
    return found


def _loaded(modules: list[str], loader: Mapping[str, str]) -> list[str]:
    """The libraries that can move bits and come along with compiled modules, sorted.

    They are loaded as jobs would load them, in a process of its own, but nothing is imported.
    """
    if sys.platform != "linux":
        return []
    command = [sys.executable, "-P", "-c", _LOADER]
    done = subprocess.run(command, input=json.dumps(modules), capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.splitlines() or [f"status {done.returncode}"])[-1]
        raise EnvironmentMismatch(
            f"the compiled modules in {sys.prefix} cannot be loaded ({why}). Build the environment "
            "anew, or look at LD_PRELOAD and LD_LIBRARY_PATH."
        )
    preloaded = {Path(path).name for path in _preloaded(loader)}
    told = [*map(os.path.realpath, _searched(loader))]
    return sorted(
        path
        for path in set(json.loads(done.stdout))
        if "/" in path  # neither the program itself nor the kernel's part of it
        if Path(path).name in preloaded
        or _NUMERICAL_LIBRARY.match(Path(path).name)
        or any(map(Path(os.path.realpath(Path(path).parent)).is_relative_to, told))
    )


def _looked_into(loader: Mapping[str, str]) -> list[str]:
    """The files and directories that the loader is told to look into."""
    places = _searched(loader)
    below = (Path(place).glob("glibc-hwcaps/*") for place in places)  # looked into first
    return [*_preloaded(loader), *places, *sorted(str(path) for found in below for path in found)]


def _searched(loader: Mapping[str, str]) -> list[str]:
    """The directories of LD_LIBRARY_PATH; nothing between two separators is the present one."""
    told = loader.get("LD_LIBRARY_PATH")
    return [path or "." for path in re.split("[:;]", told)] if told else []


def _preloaded(loader: Mapping[str, str]) -> list[str]:
    return [path for path in re.split(r"[ :]+", loader.get("LD_PRELOAD", "")) if path]


def _hash(file: File) -> str | None:
    """What RECORD would say of a file as it is now, None where there is no such file."""
    algorithm = (file.recorded or "").partition("=")[0]
    algorithm = algorithm if algorithm in ("sha384", "sha512") else "sha256"
    try:
        if not Path(file.path).is_file():
            return None
        with Path(file.path).open("rb") as stream:
            return _spelled(algorithm, hashlib.file_digest(stream, algorithm).digest())
    except (OSError, ValueError):
        return None


def _spelled(algorithm: str, content: bytes) -> str:
    """A hash as RECORD spells it."""
    return f"{algorithm}={base64.urlsafe_b64encode(content).decode().rstrip('=')}"
