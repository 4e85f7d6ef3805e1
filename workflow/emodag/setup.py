"""The second half of set-up, which envs/setup.sh starts: fill .venv from the locks.

    python -m emodag.setup UV TORCH LAYER...

UV is the command, TORCH cpu or cuda, a LAYER the name of a lock. `local` is built in a directory of
its own, which envs/setup.sh puts in place of .venv; another is added to .venv.
"""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger.environments.installer import Uv
from ledger.errors import ConfigError

VENV = Path(".venv")
NEW = Path(".tools/new")

SIZES = {"dev": 20, "cluster": 30, "conda-test": 30, "remote": 12}
"""MB to download, by layer."""


def main(uv: Uv, torch: str, layers: Sequence[str]) -> None:
    """Build what is to be .venv, where `local` is among the layers, and add the others to .venv.

    Raises
    ------
    ConfigError
        When something cannot be had or written.
    """
    uv.say(f"packages come from {', '.join(_sources(uv))}")
    for layer in layers:
        if layer == "local":
            _base(uv, torch)
        else:
            _add(uv, torch, layer)


def _base(uv: Uv, torch: str) -> None:
    uv.create(NEW, sys.executable)
    size = "200 MB, or 2.5 GB where there is none without CUDA" if torch == "cpu" else "2.5 GB"
    uv.say(f"torch ({size}) and the packages of envs/local.lock (170 MB)")
    uv.install(NEW, _locks(torch))
    uv.say("bytecode (50 MB on the disk)")
    uv.compile(NEW)
    (_packages(NEW) / "emodag.pth").write_text("../../../../workflow\n")
    command = NEW / "bin/emodag"
    command.write_text('#!/bin/sh\nexec "${0%/*}/python" -P -m emodag "$@"\n')
    command.chmod(0o755)
    # Not a symbolic link, so that it stays when the other goes.
    path = os.path.realpath(uv.path)
    try:
        os.link(path, NEW / "bin/uv")
    except OSError:
        shutil.copy(path, NEW / "bin/uv")


def _add(uv: Uv, torch: str, layer: str) -> None:
    """Add a layer to .venv, marked as begun until it is whole, or has failed without a trace."""
    uv.say(f"the packages of envs/{layer}.lock ({SIZES[layer]} MB)")
    made = VENV / "made-from"
    begun = made / "adding"
    # What the layers beneath pin stays, so that they are whole whatever becomes of this one.
    options = [word for lock in _locks(torch) for word in ("--constraints", str(lock))]
    if layer == "cluster":
        # The executor for Slurm asks for another NumPy than jobs have, and needs nothing of it.
        options.append("--no-deps")
    before = sorted(_packages(VENV).iterdir())
    begun.touch()
    try:
        uv.install(VENV, [_lock(layer)], *options)
    except ConfigError:
        if sorted(_packages(VENV).iterdir()) == before:
            begun.unlink()
        raise
    shutil.copy(_lock(layer), made)
    begun.unlink()


def _packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python3*/site-packages")
    return found


def _locks(torch: str) -> list[Path]:
    return [_lock(f"local.torch-{torch}"), _lock("local")]


def _lock(name: str) -> Path:
    return Path("envs", f"{name}.lock")


def _sources(uv: Uv) -> list[str]:
    """Where packages come from, for people to read: without passwords."""
    told = [v for v in uv.indexes if not v.startswith("--")]
    names = ("DEFAULT_INDEX", "INDEX_URL", "INDEX", "EXTRA_INDEX_URL", "FIND_LINKS")
    own = [os.environ.get(f"UV_{name}") for name in names]
    # The first two, or pip's of that kind, stand in for the main index.
    replaced = {"--default-index", "--no-index"} & {*uv.indexes} or any(own[:2])
    places = [re.sub(r"//[^/]*@", "//", place) for place in [*filter(None, own), *told]]
    return places if replaced else [*places, "the main index"]


if __name__ == "__main__":
    command, torch, *layers = sys.argv[1:]
    try:
        main(Uv(command, lambda line: print(f"set-up: {line}", flush=True)), torch, layers)
    except ConfigError as error:
        sys.exit(f"set-up: {error}")
    except KeyboardInterrupt:
        sys.exit("set-up: interrupted; what was whole before stays so.")
    except OSError as error:
        sys.exit(f"set-up: {error.filename2 or error.filename or VENV}: {error.strerror}.")
