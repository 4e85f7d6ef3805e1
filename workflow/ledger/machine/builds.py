"""Which build of each package is installed: one version number stands for many.

A wheel, a conda package and a copy with an edited file have one version and other bits. What tells
them apart is what the installer recorded: the sha256 of every file. Whether the files still are
what was recorded is found by hashing them once per environment, 1 GB of them; after that a look at
sizes and times is enough.
"""

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from ledger import called
from ledger.disk.canonical import digest, file_sha256
from ledger.disk.documents import keep, recall
from ledger.disk.stamps import stamps_of
from ledger.words import listed

LOADER_VARIABLES = ("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GLIBC_TUNABLES")
"""What the dynamic loader and the C library read when a process starts."""

PARTS = ("builds", "edited", "libraries")
"""The parts of an environment's fingerprint that `builds` finds."""


def builds(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """What of the installed distributions `names`, and of what they load, can move bits.

    Returns
    -------
    ``builds`` : digest by distribution of what was installed. It is the same wherever and by
        whichever installer the same build was installed.
    ``edited`` : sha256 by name of each file that is not what was installed, or ``missing``.
    ``libraries`` : sha256 by name of each numerical library that belongs to no distribution, such
        as the BLAS of conda or Debian, and of each library in LD_PRELOAD.

    Raises
    ------
    EnvironmentMismatch
        When the distributions' libraries cannot be loaded.
    """
    found = {name: next(metadata.distributions(name=name), None) for name in names}
    present = {name: distribution for name, distribution in found.items() if distribution}
    records = [str(Path(d._path, "RECORD")) for d in present.values()]  # it has no public name
    loader = {name: os.environ[name] for name in LOADER_VARIABLES if name in os.environ}
    rules = file_sha256(Path(__file__).with_name("installed.py"))
    place = [rules, sys.prefix, sys.version, loader, records, stamps_of(records)]
    homes = [sys.prefix, "."] if sys.prefix != sys.base_prefix else ["."]
    memories = [home / remembered() / f"{digest(place)}.json" for home in map(Path, homes)]
    for known in filter(None, map(recall, memories)):
        if known["stamps"] == digest(stamps_of(known["watched"])):
            return known["found"]
    from ledger.machine.installed import examine

    watched, stamps, found = examine(present, loader)
    if stamps == stamps_of(watched):  # nothing changed while it was looked at
        for memory in memories:
            with contextlib.suppress(OSError):  # where nothing can be written it is found out again
                keep(memory, {"watched": watched, "stamps": digest(stamps), "found": found})
                break
    return found


def remembered() -> Path:
    """Where it is remembered, in the virtual environment, or else where the workflow runs."""
    return called.home() / "builds"


def readable(environment: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """An environment's fingerprint with its builds by names for people, to be told from `beside`.

    Of a distribution in another version nothing more is told: it is another build, too.
    """
    told = {name: value for name, value in environment.items() if name not in PARTS}
    versions, others = environment["distributions"], beside["distributions"]
    for name, value in environment["builds"].items():
        if versions.get(name) == others.get(name):
            told[f"build of {name} {versions.get(name)}"] = value
    told |= {f"{name}, edited": value for name, value in environment["edited"].items()}
    return told | {f"library {name}": value for name, value in environment["libraries"].items()}


def warning(environment: Mapping[str, Any]) -> str | None:
    """What to say of an environment in which files were edited, in one line."""
    edited = sorted(environment["edited"])
    if not edited:
        return None
    anew = f"; for .venv remove that and run `{setup}`" if (setup := called.setup()) else ""
    return (
        f"not as installed: {listed(edited)}. What is computed so is kept apart from all other "
        f"results. Reinstall the package to undo it{anew}."
    )
