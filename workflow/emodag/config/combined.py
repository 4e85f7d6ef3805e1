"""The configuration as Snakemake puts it together: config.yaml, further files, single settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emodag.config.repeated_keys import refuse_repeated_keys
from emodag.config.sections import Config, load
from emodag.config.taken_out import refuse_taken_out_of_nowhere
from ledger.snakemake.combined import combined as values_of
from ledger.snakemake.combined import in_order


def combined(files: list[Path], settings: list[str]) -> Config:
    """The configuration that ``--configfile FILES --config SETTINGS`` gives.

    Raises
    ------
    ConfigError
        As `ledger.snakemake.combined`, and as `loaded`.
    """
    return loaded(values_of(files, settings), in_order(files))


def loaded(values: Mapping[str, Any], files: list[Path]) -> Config:
    """The configuration that `values` describe, which come from `files` and single settings.

    Raises
    ------
    ConfigError
        When a file holds a key twice or takes out what is not there, or the whole is wrong.
    """
    refuse_repeated_keys(files)
    refuse_taken_out_of_nowhere(values, files)
    return load(values)
