"""A stand-in for the `conda` command, on py-rattler. It is not conda, and only for these tests.

It answers what Snakemake 9.27 asks (`snakemake/deployment/conda.py`) and refuses everything else.
Solving and linking are py-rattler's, the `pip:` section goes to the new environment's own pip as
conda hands it over, and `activate` changes PATH by conda's rules.

`BASE` stands in for conda's own installation:

    bin/conda, bin/activate    this command, and what Snakemake sources before each job
    channels/NAME              where a channel called NAME really is: `conda-forge` is a local one
    pkgs                       unpacked packages

Usage: python -I front_end.py BASE ARGUMENTS...
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from rattler import (
    Channel,
    Gateway,
    MatchSpec,
    RepoDataRecord,
    Subdir,
    VirtualPackage,
    install,
    solve,
)

CLAIMED = "24.7.1"
"""The oldest conda that Snakemake accepts."""

QUIET = ("--quiet", "--no-default-packages", "--yes")
"""Options of conda that are this command's only way."""


class Refusal(Exception):
    """What conda would report and end with; nothing may be left of the environment."""


def create_from_yaml(base: Path, file: Path, prefix: Path) -> None:
    """Solve and install an environment file; pip installs what its `pip:` section pins."""
    wanted = yaml.safe_load(file.read_text())
    if unknown := wanted.keys() - {"channels", "dependencies"}:
        raise Refusal(f"{file}: keys unknown to this front end: {sorted(unknown)}")
    # `nodefaults` is no channel: it keeps conda from adding Anaconda's.
    channels = [_url(base, name) for name in wanted["channels"] if name != "nodefaults"]
    specs = [entry for entry in wanted["dependencies"] if isinstance(entry, str)]
    sections = [entry for entry in wanted["dependencies"] if not isinstance(entry, str)]
    asyncio.run(_solve_and_link(base, channels, specs, prefix))
    for section in sections:
        (requirements,) = section.values()
        _pip_install(prefix, requirements, file.parent)


def _url(base: Path, channel: str) -> str:
    """Where a channel is; the tests' YAML names conda-forge, which is mapped to a local one."""
    place = base / "channels" / channel
    if not place.is_dir():
        raise Refusal(f"this front end has no channel {channel!r}")
    return place.resolve().as_uri()


async def _solve_and_link(base: Path, channels: list[str], specs: list[str], prefix: Path) -> None:
    records = await solve(
        [Channel(url) for url in channels],
        [MatchSpec(spec) for spec in specs],
        gateway=Gateway(cache_dir=base / "repodata"),
        platforms=[Subdir.current(), "noarch"],
        virtual_packages=VirtualPackage.detect(),
    )
    await _link(base, records, prefix)


async def _link(base: Path, records: list[RepoDataRecord], prefix: Path) -> None:
    await install(records, prefix, cache_dir=base / "pkgs", show_progress=False)


def _pip_install(prefix: Path, requirements: list[str], directory: Path) -> None:
    """Let the environment's pip install requirements, each of which may hold `--hash` options."""
    with tempfile.NamedTemporaryFile("w", suffix=".requirements.txt") as file:
        file.write("\n".join(requirements))
        file.flush()
        command = [prefix / "bin" / "python", "-m", "pip", "install", "-U", "-r", file.name]
        path = f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [*command, "--exists-action=b"], cwd=directory, env={**os.environ, "PATH": path}
        )
    if done.returncode:
        raise Refusal("pip failed to install the `pip:` section")


def create_from_pins(base: Path, file: Path, prefix: Path) -> None:
    """Install the package files that a pin file lists below `@EXPLICIT`, which needs no solving."""
    _, found, listed = file.read_text().partition("@EXPLICIT\n")
    if not found:
        raise Refusal(f"{file}: this front end reads only explicit lists of packages")
    archives = [url.removeprefix("file://") for url in listed.split()]

    async def link() -> None:
        await _link(base, [await RepoDataRecord.from_package_archive(a) for a in archives], prefix)

    asyncio.run(link())


def answer(base: Path, arguments: argparse.Namespace) -> None:
    """Do what one command line asks."""
    match arguments.command:
        case "info":
            platform = str(Subdir.current())
            print(json.dumps({"conda_prefix": str(base), "platform": platform}))
        case "config":
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case "env":
            create_from_yaml(base, arguments.file, arguments.prefix)
        case "create":
            create_from_pins(base, arguments.file, arguments.prefix)
        case "clean":
            # py-rattler unpacks as it reads, so there are no tarballs to remove.
            if arguments.packages:
                shutil.rmtree(base / "pkgs", ignore_errors=True)


def parser() -> argparse.ArgumentParser:
    """The command lines that Snakemake uses."""
    top = argparse.ArgumentParser(prog="conda", allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"conda {CLAIMED}")
    commands = top.add_subparsers(dest="command", required=True)

    commands.add_parser("info").add_argument("--json", action="store_true", required=True)

    config = commands.add_parser("config")
    config.add_argument("--get", choices=["channel_priority"], required=True)
    config.add_argument("--json", action="store_true", required=True)

    from_yaml = commands.add_parser("env").add_subparsers(required=True).add_parser("create")
    for create in (from_yaml, commands.add_parser("create")):
        create.add_argument("--file", type=Path, required=True)
        create.add_argument("--prefix", type=Path, required=True)
        for option in QUIET:
            create.add_argument(option, action="store_true")

    clean = commands.add_parser("clean")
    clean.add_argument("-y", action="store_true", required=True)
    clean.add_argument("--tarballs", action="store_true")
    clean.add_argument("--packages", action="store_true")
    return top


def main(base: Path, arguments: list[str]) -> int:
    """Returns the exit status."""
    try:
        answer(base, parser().parse_args(arguments))
    except Exception as error:
        print(f"conda (test front end): {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main(Path(sys.argv[1]), sys.argv[2:])
    sys.stdout.flush()
    # py-rattler's threads can abort an interpreter that shuts down while they come to rest.
    os._exit(status)
