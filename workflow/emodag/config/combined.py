"""The configuration as Snakemake puts it together: config.yaml, further files, single settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from emodag.config.repeated_keys import refuse_repeated_keys
from emodag.config.sections import Config, load
from ledger.disk.atomic import read_bytes
from ledger.errors import ConfigError

DEFAULT = Path("config.yaml")


def combined(files: list[Path], settings: list[str]) -> Config:
    """The configuration that ``--configfile FILES --config SETTINGS`` gives.

    Later files go before earlier ones and settings (``KEY=VALUE``) before
    files; mappings are merged, anything else is replaced. Without a config.yaml every key has its
    default.

    Raises
    ------
    ConfigError
        When a file is missing, not YAML or holds a key twice, a setting is not one, or the whole is
        wrong.
    """
    from snakemake.utils import update_config

    values: dict[str, Any] = {}
    files = [DEFAULT, *files] if os.path.lexists(DEFAULT) else files
    for path in files:
        update_config(values, read(path))
    refuse_repeated_keys(files)
    if settings:
        from snakemake.cli import parse_config  # which takes a second

        try:
            update_config(values, parse_config(settings))
        except ValueError as error:
            raise ConfigError(f"--config: {error}") from None
    return load(values)


def read(path: Path) -> Mapping:
    """What one file holds.

    Raises
    ------
    ConfigError
        When it is missing, cannot be read, or does not hold keys with values as YAML.
    """
    try:
        return _mapping(read_bytes(path), str(path))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _mapping(text: str | bytes, where: str) -> Mapping:
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}{_complaint(error, text)}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected keys with values, found {values!r}")
    return values


def _complaint(error: yaml.YAMLError, text: str | bytes) -> str:
    """Where and why a text is no YAML."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        where = getattr(error, "position", 0)
        line = text.count(b"\n" if isinstance(text, bytes) else "\n", 0, where) + 1
        return f", line {line}: holds characters that are not UTF-8 text; save it again as UTF-8"
    begun = (
        error.context_mark and f"{error.context} that begins on line {error.context_mark.line + 1},"
    )
    reason = " ".join(filter(None, (begun, error.problem)))
    tab = "; indent by spaces, not by tabs" if r"'\t'" in reason else ""
    return f", line {mark.line + 1}, column {mark.column + 1}: not YAML: {reason}{tab}"
