"""The configuration as Snakemake puts it together, for who asks without running it."""

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ledger.disk.atomic import read_bytes
from ledger.errors import ConfigError
from ledger.words import LONG

DEFAULT = Path("config.yaml")


def combined(files: list[Path], settings: list[str]) -> dict[str, Any]:
    """The values that ``--configfile FILES --config SETTINGS`` gives on top of config.yaml.

    Later files go before earlier ones and settings before files; mappings are merged, anything else
    is replaced. Without a config.yaml there is nothing to be on top of.

    Raises
    ------
    ConfigError
        When a file is missing or not a mapping in YAML or JSON, or a setting is not one.
    """
    from snakemake.utils import update_config

    values: dict[str, Any] = {}
    for path in in_order(files):
        update_config(values, read(path))
    if settings:
        from snakemake.cli import parse_config  # which takes a second

        try:
            update_config(values, parse_config(settings))
        except ValueError as error:
            raise ConfigError(f"--config {' '.join(settings)}: {error}") from None
    return values


def in_order(files: list[Path]) -> list[Path]:
    """The configuration files, config.yaml first if there is one."""
    return [DEFAULT, *files] if os.path.lexists(DEFAULT) else files


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
        found = textwrap.shorten(repr(values), LONG, placeholder="...")
        raise ConfigError(f"{where}: expected a configuration, keys with values; found {found}")
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
