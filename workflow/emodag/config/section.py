"""What every section of the configuration is."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section that knows its keys and takes no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def section_in(annotation: Any) -> type[Section] | None:
    """The section that a key's values are, or those that it holds by name; None for others."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(section_in, get_args(annotation))), None)
