"""`pack OUT.zip [RESULTS]`: what it takes to compare results elsewhere."""

import argparse
from pathlib import Path

from ledger.cli.printing import tell


def add(verbs) -> None:
    """Add the verb to the command line."""
    pack = verbs.add_parser(
        "pack",
        help="put all manifests into one zip file, to compare results elsewhere",
        description="Put the manifests of results and their sidecars into one zip file, without "
        "the data. `diff` takes it in place of the results. It tells whose labels were seen, and "
        "the names of columns and of this machine.",
    )
    pack.add_argument("out", type=Path, metavar="OUT.zip", help="the zip file to write")
    pack.add_argument(
        *("results",),
        **{"type": Path, "nargs": "?", "default": "results", "metavar": "RESULTS"},
        help="the directory of results (default: results)",
    )
    pack.set_defaults(verb=_pack)


def _pack(options: argparse.Namespace) -> int:
    from ledger.store.pack import write_pack

    count = write_pack(options.results, options.out)
    size = options.out.stat().st_size / 1e6
    tell(f"{options.out}: {count} manifests of {options.results}, {size:.1f} MB, no data.")
    return 0
