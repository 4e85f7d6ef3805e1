"""Write every lock and conda file of this directory: `make lock`, or `make lock ARGS=--upgrade`.

`NAME.in` says what is wanted, `NAME.lock` pins it with all that it needs, hashes included. Pins
that a `.in` leaves open stay as locked until `--upgrade`. At the end those that set-up needs are
resolved for machines that it never ran on. Needs the package index.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent

LINUX = "x86_64-manylinux_2_28"
LINUX_ARM = "aarch64-manylinux_2_28"
MACOS = "aarch64-apple-darwin"

# The oldest macOS that torch's wheels name; uv takes an older one for granted.
ENVIRONMENT = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}


class Lock(NamedTuple):
    """A lock to write.

    name : its file and that of what it is made from, without the ending.
    platform : uv's name of the platform to resolve for.
    agrees_with : locks written before, whose pins it repeats where it needs the same.
    variant_of : a lock written before that it repeats whole, but for what its own source wants.
    joins : a lock written before whose pins it takes whatever its own packages ask for. It is to be
        installed into that environment without pip's looking at what packages need.
    without : distributions that it leaves to the locks it is installed beside.
    """

    name: str
    platform: str
    agrees_with: tuple[str, ...] = ()
    variant_of: str | None = None
    joins: str | None = None
    without: tuple[str, ...] = ()


LOCKS = (
    Lock("uv", LINUX),
    Lock("local", LINUX),
    Lock("local.torch-cuda", LINUX, agrees_with=("local",)),
    Lock("local.torch-macos", MACOS, agrees_with=("local", "local.torch-cuda")),
    # What torch needs on macOS is what its builds without CUDA need on Linux too.
    Lock("local.torch-cpu", MACOS, agrees_with=("local", "local.torch-cuda")),
    # What torch 2.9.1 and 2.8.0 have in an index of their own is not locked: their builds of the
    # main index compute on machines without CUDA too.
    Lock("numpy2", LINUX, variant_of="local"),
    Lock("kaggle", LINUX, variant_of="local"),
    Lock("kaggle.torch-cuda", LINUX, agrees_with=("kaggle",)),
    Lock("reported.torch-cuda", LINUX, agrees_with=("local",)),
    # torch is installed before it, from `local.torch-cpu`; the index's own would bring CUDA along.
    Lock("learners", LINUX, agrees_with=("local",), without=("torch",)),
    Lock("dev", LINUX, agrees_with=("local", "local.torch-cuda")),
    Lock("remote", LINUX, agrees_with=("local", "local.torch-cuda", "dev")),
    Lock("remote-test", LINUX),
    Lock("conda-test", LINUX, agrees_with=("local", "local.torch-cuda", "dev")),
    # The plugin asks for NumPy 2, of which it needs nothing.
    Lock("cluster", LINUX, agrees_with=("local", "local.torch-cuda", "dev"), joins="local"),
)
"""In the order to write them in. Python 3.11 and 3.12 on Linux resolve alike, so no pin needs a
marker."""

CONDA = {
    "local": ("local", "local.torch-cpu"),
    "numpy2": ("numpy2", "local.torch-cpu"),
    "reported": ("local", "reported.torch-cuda"),
    "kaggle": ("kaggle", "kaggle.torch-cuda"),
    "learners": ("local", "local.torch-cpu", "learners"),
}
"""The locks whose pins each conda file holds."""

ELSEWHERE = {
    LINUX_ARM: ("uv", "local", "local.torch-cuda", "learners", "dev"),
    MACOS: ("uv", "local", "local.torch-macos", "learners", "dev"),
}
"""The locks that set up where nothing was ever run. What `local.torch-cpu` pins is not looked up,
since it is in PyTorch's own index, which `make lock` does without."""


class Pin(NamedTuple):
    """One distribution of a lock: `requirement` is ``name==version``, `hashes` are sorted."""

    requirement: str
    hashes: tuple[str, ...]


def read_pins(text: str) -> list[Pin]:
    """Pins of a requirements file, in its order.

    Parameters
    ----------
    text : lines ``name==version``, each followed by its ``--hash=sha256:...`` options, if any.
    """
    return [
        Pin(requirement, tuple(sorted(re.findall(r"sha256:[0-9a-f]{64}", options))))
        for requirement, options in re.findall(
            r"^([\w.-]+==[^\s;\\]+)((?:\s*\\\s*--hash=\S+)*)", text, re.MULTILINE
        )
    ]


def conda_text(pins: list[Pin]) -> str:
    """The conda file that installs `pins` through pip, with their hashes.

    A folded scalar reaches pip as one line, which is what its requirements files want.
    """
    lines = [
        "# Written by `make lock` from the locks of the same environment.",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
        "  - pip:",
    ]
    for pin in sorted(set(pins)):
        lines += ["      - >-", f"        {pin.requirement}"]
        lines += [f"        --hash={digest}" for digest in pin.hashes]
    return "\n".join(lines) + "\n"


def conda_file(name: str, directory: Path = HERE) -> str:
    """The text that the conda file of environment `name` should have, by its locks."""
    texts = [(directory / f"{lock}.lock").read_text() for lock in CONDA[name]]
    return conda_text([pin for text in texts for pin in read_pins(text)])


def with_own_builds(lock: str, source: str) -> str:
    """`lock` with the builds that its source lists by hash, in place of the index's."""
    for pin in read_pins(source):
        if pin.hashes:
            public = re.escape(pin.requirement.partition("+")[0])
            entry = " \\\n    ".join([pin.requirement, *(f"--hash={h}" for h in pin.hashes)])
            options = r"(?: \\\n +--hash=\S+)+$"
            lock = re.sub(f"^{public}{options}", lambda _, e=entry: e, lock, flags=re.MULTILINE)
    return lock


def write_lock(lock: Lock, arguments: list[str]) -> None:
    """Resolve one lock with uv, and write it."""
    source = (HERE / f"{lock.name}.in").read_text()
    path = HERE / f"{lock.name}.lock"
    if lock.variant_of:
        # Only what the source names may differ.
        base = (HERE / f"{lock.variant_of}.lock").read_text()
        own = {pin.requirement.partition("==")[0] for pin in read_pins(source)}
        kept = [pin.requirement for pin in read_pins(base)]
        source += "\n".join(pin for pin in kept if pin.partition("==")[0] not in own) + "\n"
    command = ["uv", "--no-config", "pip", "compile", "--quiet", "--generate-hashes"]
    command += ["--no-annotate", "--custom-compile-command", "make lock"]
    command += ["--python-version", "3.11", "--python-platform", lock.platform]
    for name in lock.agrees_with:
        command += ["--constraint", f"{name}.lock"]
    if lock.joins:
        command += ["--override", f"{lock.joins}.lock"]
    left_out = "".join(f"{name}; python_version < '3'\n" for name in lock.without)
    command += ["-", "--output-file", path.name, *arguments]
    # The index does not know builds with a label; their public version needs the same packages.
    unlabelled = re.sub(r"(==[\w.]+)\+\w+", r"\1", source)
    with tempfile.NamedTemporaryFile("w", suffix=".in") as overrides:
        overrides.write(left_out)
        overrides.flush()
        command += ["--override", overrides.name] if left_out else []
        subprocess.run(command, cwd=HERE, env=ENVIRONMENT, input=unlabelled, text=True, check=True)
    path.write_text(with_own_builds(path.read_text(), source))


def check_elsewhere(platform: str, names: tuple[str, ...]) -> None:
    """Have uv find what some locks pin for another platform, hashes included.

    Raises
    ------
    subprocess.CalledProcessError
        When a package lacks a file for it or a hash, or needs another that is not locked.
    """
    with tempfile.TemporaryDirectory() as nothing:
        command = [
            "uv",
            "--no-config",
            "pip",
            "install",
            "--quiet",
            "--dry-run",
            "--require-hashes",
        ]
        command += ["--target", nothing, "--python-version", "3.11", "--python-platform", platform]
        command += [word for name in names for word in ("-r", f"{name}.lock")]
        subprocess.run(command, cwd=HERE, env=ENVIRONMENT, check=True)


def main(arguments: list[str]) -> None:
    """Write all locks, then the conda files made of them; `arguments` go to uv."""
    for lock in LOCKS:
        print(f"locking {lock.name}", flush=True)
        write_lock(lock, arguments)
    for name in CONDA:
        (HERE / f"{name}.yaml").write_text(conda_file(name))
    for platform, names in ELSEWHERE.items():
        print(f"resolving for {platform}", flush=True)
        check_elsewhere(platform, names)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
