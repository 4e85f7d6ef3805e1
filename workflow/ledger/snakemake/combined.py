"""The configuration as Snakemake puts it together, for who asks without running it."""

from pathlib import Path
from typing import Any

from ledger.errors import ConfigError


def combined(files: list[Path], settings: list[str]) -> dict[str, Any]:
    """The values that ``--configfile FILES --config SETTINGS`` gives on top of config.yaml.

    Snakemake reads them, so they are those of its `config`. Without a config.yaml there is nothing
    to be on top of.

    Raises
    ------
    ConfigError
        When a file is missing or not a mapping in YAML or JSON, or a setting is not one.
    """
    from snakemake.cli import parse_config
    from snakemake.common.configfile import load_configfile
    from snakemake.exceptions import WorkflowError
    from snakemake.utils import update_config

    values: dict[str, Any] = {}
    default = Path("config.yaml")
    for path in [default, *files] if default.exists() else files:
        try:
            update_config(values, load_configfile(path))
        except (OSError, WorkflowError) as error:
            raise ConfigError(f"{path}: {error}") from None
    try:
        update_config(values, parse_config(settings))
    except ValueError as error:
        raise ConfigError(f"--config {' '.join(settings)}: {error}") from None
    return values
