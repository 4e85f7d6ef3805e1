"""What every section of the configuration is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section that knows its keys and takes no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
