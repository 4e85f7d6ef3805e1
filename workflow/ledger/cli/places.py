"""Where results and the store are, for the verbs that look into them."""

import argparse
import contextlib
import os
from pathlib import Path

from ledger.called import store_variable
from ledger.disk.atomic import read_bytes
from ledger.disk.regular import other_kind
from ledger.jobs.job import RESULTS
from ledger.remote.address import address
from ledger.store.place import NOTE, asked_store, at_home

ELSEWHERE = {
    "ssh": "give the command on {host}, with `--store {path}`",
    "s3": "copy it, as by `aws s3 sync {text} copy`, and give `--store copy`; a lifecycle rule of "
    "the bucket removes what is old",
}
"""What to do with a store that is no directory here, by the kind of its address."""


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the argument RESULTS."""
    parser.add_argument(
        "results",
        type=Path,
        nargs="?",
        default=RESULTS,
        metavar="RESULTS",
        help=f"the directory of results (default: {RESULTS})",
    )


def add_configuration(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the options `--configfile` and `--config`, as Snakemake has them."""
    parser.add_argument(
        "--configfile",
        "--configfiles",
        nargs="+",
        action="extend",
        type=Path,
        default=[],
        metavar="FILE",
        help=f"configuration files on top of config.yaml (default: {default})",
    )
    parser.add_argument(
        "--config",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="single settings on top of these, the value in YAML",
    )


def directory(text: str) -> Path:
    """The directory of a store, for argparse; a leading ~ is a home directory."""
    try:
        place = address(at_home(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if place.kind:
        advice = ELSEWHERE[place.kind].format_map(place._asdict())
        raise argparse.ArgumentTypeError(f"{text} is no directory of this machine; {advice}")
    return Path(place.path)


def file_to_write(text: str) -> Path:
    """A file that is to be written, for argparse; what is there may be another file only."""
    path = Path(text)
    with contextlib.suppress(OSError):
        if kind := other_kind(path.stat().st_mode):
            raise argparse.ArgumentTypeError(f"{text} is {kind}; name a file")
    return path


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the option `--store`."""
    parser.add_argument(
        "--store",
        type=directory,
        metavar="DIR",
        help=f"the store (default: {store_variable()}, else the one that the results were made "
        "with)",
    )


def store_path(options: argparse.Namespace, results: Path) -> Path:
    """The store that is meant: by the option, the environment, the results or the configuration.

    Raises
    ------
    ConfigError
        When the configuration has to be asked and is wrong.
    """
    if chosen := options.store or asked_store():
        return Path(chosen)
    with contextlib.suppress(OSError):
        return results.parent / os.fsdecode(read_bytes(results / NOTE.relative_to(RESULTS)))
    return Path(options.application.configured([], []).store)
