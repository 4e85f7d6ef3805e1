"""Variants and blends that a configuration file takes out, by null in their place."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.errors import ConfigError
from ledger.snakemake.combined import read


def refuse_taken_out_of_nowhere(values: Mapping[str, Any], files: list[Path]) -> None:
    """Refuse null for a variant or blend that no file has.

    Parameters
    ----------
    values : the configuration that the files, and single settings, give together.

    Raises
    ------
    ConfigError
        One line for each.
    """
    lines = []
    for key in ("variants", "blends"):
        entries = [_entries(read(path), key) for path in files]
        known = {name for found in entries for name, entry in found.items() if entry is not None}
        for name, entry in _entries(values, key).items():
            if entry in (None, "null") and name not in known:  # `--config` passes it on as text
                near = difflib.get_close_matches(str(name), sorted(known), n=1)
                hint = f"did you mean {near[0]!r}?" if near else "leave this line out"
                lines.append(f"  {key}.{name}: null takes it out, and no file has it; {hint}")
    if lines:
        raise ConfigError("the configuration is wrong:", *lines)


def _entries(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}
