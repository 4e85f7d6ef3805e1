"""The configuration as Snakemake puts it together: config.yaml, further files, single settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from emodag.errors import ConfigError
from emodag.face.config import Config, load
from emodag.face.repeated_keys import refuse_repeated_keys
from emodag.provenance.atomic import read_bytes

DEFAULT = Path("config.yaml")


def combined(files: list[Path], settings: list[str]) -> Config:
    """The configuration that ``--configfile FILES --config SETTINGS`` gives.

    Later files go before earlier ones and settings (``KEY=VALUE``, the value in YAML) before
    files; mappings are merged, anything else is replaced. Without a config.yaml every key has its
    default.

    Raises
    ------
    ConfigError
        When a file is missing, not YAML or holds a key twice, a setting is not one, or the whole is
        wrong.
    """
    values: Any = {}
    files = [DEFAULT, *files] if os.path.lexists(DEFAULT) else files
    for path in files:
        try:
            values = _merged(values, _mapping(read_bytes(path), str(path)))
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such configuration file") from None
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    refuse_repeated_keys(files)
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--config {setting}: expected KEY=VALUE")
        values = _merged(values, _mapping(f"{key}: {value}", f"--config {setting}"))
    return load(values)


def _mapping(text: str | bytes, where: str) -> Mapping:
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not YAML:", *str(error).splitlines()) from None
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected keys with values, found {values!r}")
    return values


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(new, Mapping):
        return new
    base = old if isinstance(old, Mapping) else {}
    return {**base, **{key: _merged(base.get(key), value) for key, value in new.items()}}
