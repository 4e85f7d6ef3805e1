"""The configuration as Snakemake puts it together: config.yaml, further files, single settings."""

from pathlib import Path

from emodag.config.repeated_keys import refuse_repeated_keys
from emodag.config.sections import Config, load
from ledger.snakemake.combined import combined as values_of
from ledger.snakemake.combined import in_order


def combined(files: list[Path], settings: list[str]) -> Config:
    """The configuration that ``--configfile FILES --config SETTINGS`` gives.

    Raises
    ------
    ConfigError
        As `ledger.snakemake.combined`, and when a file holds a key twice, or the whole is wrong.
    """
    values = values_of(files, settings)
    refuse_repeated_keys(in_order(files))
    return load(values)
