"""`pack OUT.zip [RESULTS]`: what it takes to compare results elsewhere."""

import argparse

from ledger.cli.places import add_results, file_to_write
from ledger.cli.printing import tell
from ledger.store.pack import write_pack
from ledger.words import plural


def add(verbs) -> None:
    """Add the verb to the command line."""
    pack = verbs.add_parser(
        "pack",
        help="put manifests and small outputs into one zip file, to compare results elsewhere",
        description="Put the manifests of results, their sidecars and all outputs of up to 1 MB "
        "(64 MB together) into one zip file. `diff` takes it in place of the results. It holds "
        "such tables, features too, where they are that small, and tells whose labels were "
        "seen, and the names of columns and of this machine.",
    )
    pack.add_argument("out", type=file_to_write, metavar="OUT.zip", help="the zip file to write")
    add_results(pack)
    pack.set_defaults(verb=_pack)


def _pack(options: argparse.Namespace) -> int:
    manifests, outputs = write_pack(options.results, options.out)
    what = f"{plural(manifests, 'manifest')} and {plural(outputs, 'small output')}"
    size = options.out.stat().st_size / 1e6
    tell(f"{options.out}: {what} of {options.results}, {size:.1f} MB.")
    return 0
