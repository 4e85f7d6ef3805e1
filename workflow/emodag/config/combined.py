"""The configuration as Snakemake puts it together: config.yaml, further files, single settings."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emodag.config.repeated_keys import refuse_repeated_keys
from emodag.config.sections import Config, load
from ledger.errors import ConfigError
from ledger.snakemake.combined import combined as values_of
from ledger.snakemake.combined import in_order, read


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
    _refuse_taken_out_of_nowhere(values, files)
    return load(values)


def _refuse_taken_out_of_nowhere(values: Mapping[str, Any], files: list[Path]) -> None:
    """Refuse null, which takes a variant or blend out, where no file has it; a line for each."""
    taken = [
        (key, name)
        for key in ("variants", "blends")
        for name, entry in _entries(values, key).items()
        if entry in (None, "null")  # `--config` passes it on as text
    ]
    written = [read(path) for path in files] if taken else []
    lines = []
    for key, name in taken:
        entries = [_entries(found, key) for found in written]
        known = {each for one in entries for each, entry in one.items() if entry is not None}
        if name not in known:
            near = difflib.get_close_matches(str(name), sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "leave this line out"
            lines.append(f"  {key}.{name}: null takes it out, and no file has it; {hint}")
    if lines:
        raise ConfigError("the configuration is wrong:", *lines)


def _entries(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}
