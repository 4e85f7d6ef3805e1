"""Virtual environments built from hashed locks, each in a directory named by what it is made of.

A directory counts as an environment only with its mark, the last file written; it is built under
another name and renamed. An interrupted build is never taken for a whole one, and of two builders
at once the first to finish wins.
"""

import contextlib
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ledger import called
from ledger.disk.atomic import write_bytes
from ledger.environments.installer import Uv, interpreter
from ledger.errors import ConfigError
from ledger.machine.fingerprint import differences, installed_versions
from ledger.words import SHORT

MARK = "ready.json"
"""The file that says an environment is whole, and what it was made of."""

BUILT = "built"
"""In place of an interpreter's name: build with the interpreter that the running one rests on."""


def directory(name: str, locks: Sequence[Path], python: str) -> Path:
    """Where the environment `name` of these locks belongs, built with the interpreter `python`."""
    content = hashlib.sha256()
    for lock in locks:
        content.update(hashlib.sha256(lock.read_bytes()).digest())
    content.update((sys.version if python == BUILT else python).encode())
    return called.home() / "environments" / f"{name}-{content.hexdigest()[:SHORT]}"


def damages(environment: Path, required: Mapping[str, str]) -> list[str]:
    """What an environment that is marked as built does not hold as it should.

    Only the packages' records are looked at, so it costs milliseconds.
    """
    if not (environment / MARK).exists():
        return []
    # A link to an interpreter that is gone does not exist.
    found = [] if interpreter(environment).exists() else ["its Python is gone"]
    packages = [*map(str, environment.glob("lib/python3*/site-packages"))]
    return found + differences(required, installed_versions(required, packages))


def build(
    environment: Path, locks: Sequence[Path], python: str, say: Callable[[str], None]
) -> None:
    """Build a virtual environment, every package's hash checked, unless it is there already.

    Parameters
    ----------
    environment : the directory it shall have.
    locks : hashed requirement files.
    python : an interpreter's name or path, or `BUILT`.
    say : told each step.

    Raises
    ------
    ConfigError
        When there is no such interpreter, or a lock cannot be installed; names it and says why.
    """
    base = _base(python)
    for lock in locks:
        if not lock.is_file():
            raise ConfigError(f"{lock}: no such lock")
    if (environment / MARK).exists():
        return
    uv = Uv.found(say)
    environment.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=environment.parent) as scratch:
        place = Path(scratch) / environment.name
        say(f"{environment.name}: creating it with {base}")
        uv.create(place, base)
        say(f"{environment.name}: installing {', '.join(map(str, locks))}")
        uv.install(place, locks)
        say(f"{environment.name}: compiling")
        uv.compile(place)
        record = {"python": base, "locks": [str(lock) for lock in locks]}
        write_bytes(place / MARK, json.dumps(record, indent=1).encode() + b"\n")
        _publish(place, environment)


def _publish(place: Path, environment: Path) -> None:
    with contextlib.suppress(OSError):  # somebody else may have been faster
        if environment.exists() and not (environment / MARK).exists():
            shutil.rmtree(environment)
        place.rename(environment)
    if not (environment / MARK).exists():
        raise ConfigError(f"{environment}: cannot be written. Remove it and try again.")


def _base(python: str) -> str:
    if python == BUILT:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return str(Path(sys.base_prefix, "bin", version))
    found = shutil.which(python)
    if found is None:
        raise ConfigError(
            f"no interpreter {python!r} on this machine. Install it, or change the environment's "
            f"`python` in the configuration; `{BUILT}` takes the one that runs Snakemake."
        )
    return found
