"""Keys that a configuration file holds twice: YAML would silently drop all but the last."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from ledger.disk.atomic import read_bytes
from ledger.errors import ConfigError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where PyYAML was built with libyaml, as its wheels are."""


def refuse_repeated_keys(files: list[Path]) -> None:
    """Refuse configuration files in which one mapping holds a key twice.

    Files that cannot be read, or are no YAML, are left to whoever loads them.

    Raises
    ------
    ConfigError
        One line for each such key of all files: the file, the key and the lines it stands on.
    """
    faults = []
    for path in files:
        try:
            faults += repeated_keys(read_bytes(path), _shown(path))
        except (OSError, yaml.YAMLError):
            continue
    if faults:
        raise ConfigError("the configuration holds keys twice; keep one of each:", *faults)


def repeated_keys(text: str | bytes, where: str) -> list[str]:
    """One line for each key that a mapping in `text`, which is YAML or JSON, holds twice.

    Raises
    ------
    yaml.YAMLError
        When it is neither.
    """
    # JSON may be indented by tabs, which YAML takes for an error.
    tab, space = (b"\t", b" ") if isinstance(text, bytes) else ("\t", " ")
    root = yaml.compose(text.replace(tab, space), LOADER)
    return [
        f"  {where}: {'.'.join(key)}: on lines {', '.join(map(str, lines))}"
        for key, lines in _repeated(root, (), set())
    ]


def _repeated(
    node: yaml.Node | None, path: tuple[str, ...], above: set[int]
) -> Iterator[tuple[tuple[str, ...], list[int]]]:
    """The path of each key that stands more than once, and the lines it stands on."""
    if id(node) in above:  # an anchor within itself
        return
    above = above | {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _repeated(item, (*path, str(number)), above)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[tuple[str, str], list[int]] = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            lines.setdefault((key.tag, key.value), []).append(key.start_mark.line + 1)
    for (_, name), places in lines.items():
        if len(places) > 1:
            yield (*path, name), places
    for key, value in node.value:
        yield from _repeated(value, (*path, str(key.value)), above)


def _shown(path: Path) -> str:
    """As seen from the working directory, where it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
