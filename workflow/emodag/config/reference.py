"""docs/configuration.md, written from the models of `emodag.config.sections`."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from emodag.config.section import section_in
from emodag.config.sections import Config
from emodag.config.written import flow

HEADER = """\
# Configuration

<!-- Written by `python -m emodag config --reference`; do not edit. -->

This page lists every key of the configuration. Each has a default, so a file of your own names only
what differs, and is given to Snakemake by `--configfile`; of several, a later one takes precedence,
key by key. A single value can be given as `--config folds=4` or, inside a section, as
`--config 'training={epochs: 20}'`. A key that does not exist, and a value that is not allowed, is
an error that names it. [config.yaml](../config.yaml) holds the defaults as YAML,
[environments.md](environments.md) describes the environments there, and
`workflow/schemas/config.schema.json` is the schema for editors.
"""

HEADS = "| key | default | values | meaning |\n|---|---|---|---|"

BOUNDS = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "up to {}",
    "exclusiveMaximum": "below {}",
}


def reference() -> str:
    """The reference of every key: its default, the values it takes, and what it means."""
    schema = Config.model_json_schema()
    return "\n".join([HEADER, *_section(Config, schema, schema["$defs"], "")])


def _section(
    model: type[BaseModel], schema: dict[str, Any], known: dict[str, Any], path: str
) -> Iterator[str]:
    """A table of a section's own keys, then the sections inside of it."""
    inner = {name: section_in(field.annotation) for name, field in model.model_fields.items()}
    yield HEADS
    for name, field in model.model_fields.items():
        if inner[name] is None:
            default = flow(field.get_default(call_default_factory=True))
            values = _values(schema["properties"][name], known)
            meaning = (field.description or "").replace("|", "\\|")
            yield f"| `{path}{name}` | `{default}` | {values} | {meaning} |"
    yield ""
    for name, section in inner.items():
        if section is None:
            continue
        field = model.model_fields[name]
        key = path + name + ("" if isinstance(field.annotation, type) else ".NAME")
        yield f"## `{key}`: {field.description}\n"
        yield from _section(section, known[section.__name__], known, f"{key}.")


def _values(schema: dict[str, Any], known: dict[str, Any]) -> str:
    """The values that a key takes, in words."""
    if "$ref" in schema:
        return _values(known[schema["$ref"].rpartition("/")[2]], known)
    if "anyOf" in schema:
        return " or ".join(_values(option, known) for option in schema["anyOf"])
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{choice}`" for choice in choices)
    match schema["type"]:
        case "array":
            least, most = schema.get("minItems", 0), schema.get("maxItems")
            size = f" of {least}" if least == most else f" of {least} or more" if least else ""
            return f"list{size}: {_values(schema['items'], known)}"
        case "object":
            if "properties" in schema:
                return ", ".join(f"`{{{name}: …}}`" for name in schema["properties"])
            named = schema.get("patternProperties", {}).values()
            each = schema.get("additionalProperties") or next(iter(named))
            told = "keys of this page" if each is True else _values(each, known)
            return f"names, each with: {told}"
        case "integer" | "number" as kind:
            bounds = [text.format(schema[key]) for key, text in BOUNDS.items() if key in schema]
            return " ".join([{"integer": "whole number", "number": "number"}[kind], *bounds])
        case kind:
            return {"boolean": "`true`, `false`", "string": "text", "null": "`null`"}[kind]
