"""The sections of what is made for people: submission, drift, report."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from emodag.config.kinds import ClassName
from emodag.config.section import Section


class Submission(Section):
    """How `results/submission.csv` is written."""

    id: ClassName = Field("ID", description="head of the rows' ids")
    label: ClassName = Field("Predicted", description="head of the predicted classes")
    values: Literal["numbers", "names"] = Field(
        "numbers", description="classes by their positions from 0, or by their names"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.id == self.label:
            raise ValueError(f"`id` and `label` are both {self.id!r}; give two different heads")
        return self


class Drift(Section):
    """What `results/drift.html` compares, stage by stage."""

    contrasts: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        [["local", "numpy2"], ["local", "avx2"], ["local", "threads2"]],
        description="pairs of environments, each run with every seed of `drift.seeds`",
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2)] = Field(
        [1, 2, 3, 4, 5], description="run seeds, whose spread is the yardstick"
    )


class Report(Section):
    """What `results/report.html` tells besides the chain's own results."""

    drift: bool = Field(
        False,
        description="whether it tells what results/drift.html found; that takes the runs of "
        "`drift` first",
    )
