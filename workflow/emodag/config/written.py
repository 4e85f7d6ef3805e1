"""config.yaml and the JSON schema, both written from the models of `emodag.config.sections`."""

import json
from typing import Any

import yaml
from pydantic import BaseModel

from emodag.config.sections import Config

HEADER = """\
# The default run. Every key has this default, so a file of your own needs only what differs:
#   snakemake -c8 results/submission.csv --configfile mine.yaml
"""

EFFECTIVE = """\
# The configuration of the last run in this directory, whole; to have its results again:
#   snakemake -c8 {target} --configfile results/configuration.yaml
# As with any --configfile, environments and variables that config.yaml has beyond these stay.
"""


def default_yaml() -> str:
    """The default configuration as YAML, each key with its description."""
    return HEADER + "\n".join(_lines(Config(), 0)) + "\n"


def effective_yaml(config: Config) -> str:
    """A whole configuration as YAML, as it came to be from files and single settings."""
    target = "results/submission.csv" if config.data.has_test else "results/scores.csv"
    header = EFFECTIVE.format(target=target)
    return header + "\n".join(_lines(config, 0, whole=True)) + "\n"


def json_schema() -> str:
    """The JSON schema of the configuration, for editors and for `snakemake.utils.validate`."""
    return json.dumps(Config.model_json_schema(), indent=1, sort_keys=True) + "\n"


def _lines(section: BaseModel, depth: int, *, whole: bool = False) -> list[str]:
    """A section's keys; of several entries of a kind all but the first by changes, unless whole."""
    indent, lines = "  " * depth, []
    for name, field in type(section).model_fields.items():
        value, note = getattr(section, name), f"# {field.description}"
        if isinstance(value, BaseModel):
            lines += [f"{indent}{name}:  {note}", *_lines(value, depth + 1, whole=whole)]
        elif isinstance(value, dict) and any(isinstance(v, BaseModel) for v in value.values()):
            lines.append(f"{indent}{name}:  {note}")
            for number, (key, item) in enumerate(value.items()):
                lines.append(f"{indent}  {flow(key)}:")
                is_whole = whole or number == 0
                lines += _lines(item, depth + 2) if is_whole else _changes(item, depth + 2)
        else:
            lines.append(f"{indent}{name}: {flow(value)}  {note}")
    return lines


def _changes(section: BaseModel, depth: int) -> list[str]:
    """What is not as in the models; the descriptions stand at the first of a kind."""
    values = {name: getattr(section, name) for name in type(section).model_fields}
    defaults = type(section)()
    return [
        f"{'  ' * depth}{name}: {flow(value)}"
        for name, value in values.items()
        if value != getattr(defaults, name)
    ]


def flow(value: Any) -> str:
    """One value on one line."""
    look = {"default_flow_style": True, "width": 10**6, "sort_keys": False}
    for is_plain in (True, False):  # escaped where letters could steer a terminal
        text = yaml.safe_dump(value, allow_unicode=is_plain, **look)
        text = text.removesuffix("\n").removesuffix("\n...")
        if text.isprintable():
            break
    return text
