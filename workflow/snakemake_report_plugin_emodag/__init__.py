"""Has a configuration file that cannot be read end a run with a sentence, not with a traceback.

Snakemake reads the files of `--configfile` before the Snakefile. All that it imports of ours
earlier is a package with the name of a plugin; this one plugs in what Snakemake has already.
"""

import sys
from pathlib import Path
from typing import Any

from snakemake.common import configfile
from snakemake.report.html_reporter import Reporter as Reporter
from snakemake.settings import types

_load = configfile.load_configfile


def load(path: str | Path) -> dict[str, Any]:
    """What a configuration file holds, as Snakemake has it; nothing of an empty one.

    Ends the process where `ledger.snakemake.combined.read` finds what is wrong with the file.
    """
    try:
        return _load(path)
    except Exception:
        from ledger.errors import ConfigError
        from ledger.snakemake.combined import read

        try:
            if read(Path(path)):  # then it is wrong in a way that only Snakemake knows
                raise
        except ConfigError as error:
            sys.exit(f"emodag: error: {error}")
    return {}


configfile.load_configfile = types.load_configfile = load
