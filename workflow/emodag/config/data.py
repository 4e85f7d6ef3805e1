"""The section of the tables."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from emodag.config.kinds import ClassName, Column, File, Files, Positive, Written
from emodag.config.section import Section

_MARKS = {"comma": ",", "semicolon": ";", "tab": r"\t", "space": " ", "bar": "|", "pipe": "|"}
"""What people call what separates cells."""


def _separator(mark: str) -> str:
    r"""One character that is in no number and no name; a tab may be written \t."""
    mark = "\t" if mark == r"\t" else mark
    if len(mark) != 1 or not mark.isascii() or mark.isalnum() or mark in "\"'+-._\r\n\0":
        meant = f"; did you mean '{_MARKS[mark]}'?" if mark in _MARKS else ""
        raise ValueError(
            f"{mark!r} cannot separate cells: give one character such as ',' or ';'{meant}"
        )
    return mark


class Data(Section):
    """Where the tables come from and how they are read."""

    source: Literal["synthetic", "files"] = Field(
        "synthetic", description="synthetic: a generated twin; files: the tables named below"
    )
    size: Literal["demo", "competition"] = Field("demo", description="size of the synthetic twin")
    seed: int = Field(0, ge=0, description="seed of the synthetic twin")
    train: Files | None = Field(
        None,
        description="training table: .csv, .tsv (also with .gz, .xz, .bz2, .zst, .zip), .parquet "
        "or .feather; several files are a list, a folder, or a pattern such as S*.csv",
    )
    test: Files | None = Field(
        None,
        description="test table, the same kinds of file; null: there is none, and the run ends in "
        "scores",
    )
    unlabelled: Literal["rows"] | Files | None = Field(
        None,
        description="more rows without a label that students learn from; rows: such rows of the "
        "training table; else a table of them, with the column of persons",
    )
    truth: File | None = Field(
        None,
        description="true labels by the submission's ID or in its order, for leaderboard.csv only",
    )
    label: Column = Field(
        None, description="label column; null: the column before the last, as in the competition"
    )
    group: Column = Field(
        None,
        description="person column; file: each person's rows are a file, which is called so; null: "
        "the last column, as in the competition",
    )
    test_group: Column = Field(
        None,
        description="person column of the test table, for warnings, intervals, `scaling.person` "
        "and `training.adapt`; null: `group`, if it is there",
    )
    test_blocks: Positive | Annotated[list[Positive], Field(min_length=1)] | None = Field(
        None,
        description="where the test table has no column of persons, the rows of each of them, who "
        "follow one another: a number, or a list of numbers",
    )
    id: Column = Field(
        None,
        description="id column; null: the first one, or, where label and group are named, an index "
        "that was saved along, if any",
    )
    ignore: list[Written] = Field(
        [],
        description="columns of either table that are no features, by name or pattern as raw_*; '' "
        "is an index without a name",
    )
    classes: Annotated[list[ClassName], Field(min_length=2)] = Field(
        ["LVLA", "HVLA", "LVHA", "HVHA"],
        description="names of the classes; the tables hold names or positions from 0",
    )
    decimals: Literal["nearest", "pandas"] = Field(
        "nearest",
        description="numbers in a CSV: the nearest float64, or what pandas.read_csv takes for it",
    )
    separator: Annotated[str, AfterValidator(_separator)] | None = Field(
        None, description="what separates cells; null: comma, semicolon, tab or |, as it is found"
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="the decimal mark in tables of text; null: as it is found"
    )
    missing_values: list[Written] = Field(
        [],
        description="spellings of a missing cell besides those of pandas.read_csv, such as '?'; "
        "numbers such as -999 are meant however they are written; ids are never missing by them",
    )
    missing: Literal["impute", "error"] = Field(
        "impute", description="empty cells and NaN: impute the training median, or refuse"
    )
    infinite: Literal["missing", "error"] = Field(
        "missing", description="infinite cells: treat as missing, or refuse"
    )
    all_missing: Literal["drop", "error"] = Field(
        "drop", description="columns without any finite training value: drop, or refuse"
    )
    constant: Literal["keep", "drop"] = Field(
        "keep", description="columns with one training value: keep, or drop"
    )
    min_rows_per_person: Positive = Field(
        2, description="fewer rows than this of one person are refused as a likely mistake"
    )

    @property
    def has_test(self) -> bool:
        """Whether there are rows to submit."""
        return self.source == "synthetic" or self.test is not None

    @property
    def has_pool(self) -> bool:
        """Whether there are rows without labels to learn from, those to submit among them."""
        return self.has_test or self.unlabelled is not None

    @property
    def files(self) -> dict[str, str | list[str]]:
        """What is named of files, by key; nothing where the tables are generated."""
        named = {key: getattr(self, key) for key in ("train", "test", "unlabelled", "truth")}
        return {key: entry for key, entry in named.items() if entry not in (None, "rows")}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.source == "files" and not self.train:
            raise ValueError("source 'files' needs `train`, a table with labels and persons")
        own = "train test unlabelled truth label group test_group test_blocks id"
        for name in own.split():
            if self.source == "synthetic" and getattr(self, name) is not None:
                raise ValueError(f"`{name}` is for tables of your own: set `source: files` too")
        for name in ("truth", "test_group", "test_blocks"):
            if self.test is None and getattr(self, name) is not None:
                raise ValueError(f"`{name}` is about the test table: name that in `test` too")
        if self.test_group is not None and self.test_blocks is not None:
            raise ValueError(
                "`test_group` and `test_blocks` both tell whose the test rows are; take one out"
            )
        if (self.label is None) != (self.group is None):
            raise ValueError(
                "name both `label` and `group`, or neither; `group: file` is one file per person"
            )
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("`classes` holds a name twice")
        return self
