"""The configuration as Snakemake puts it together: config.yaml, further files, single settings."""

from pathlib import Path

from emodag.config.repeated_keys import refuse_repeated_keys
from emodag.config.sections import Config, load
from ledger.snakemake import combined as values


def combined(files: list[Path], settings: list[str]) -> Config:
    """The configuration that ``--configfile FILES --config SETTINGS`` gives.

    Raises
    ------
    ConfigError
        As `ledger.snakemake.combined`, and when a file holds a key twice, or the whole is wrong.
    """
    found = values.combined(files, settings)
    refuse_repeated_keys(values.in_order(files))
    return load(found)
