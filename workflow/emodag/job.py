"""Jobs: a stage with its parameters, what it reads and what it makes."""

from dataclasses import dataclass, field
from typing import Any

RESULTS = "results"

OUTPUTS = {
    "synthesize": ("train.parquet", "test.parquet", "truth.csv"),
    "ingest": (
        "train.parquet",
        "test.parquet",
        "train_rows.parquet",
        "test_rows.parquet",
        "quality.json",
        "unlabelled_rows.parquet",
    ),
    "folds": ("folds.parquet", "unlabelled_folds.parquet"),
    "by_person": ("train.parquet", "test.parquet"),
    "scale": ("train.parquet", "test.parquet", "quantiles.parquet"),
    "stage0": ("weights.safetensors", "history.parquet", "fit.json", "validation.parquet"),
    "teacher": ("weights.safetensors", "history.parquet", "fit.json", "test.parquet"),
    "pseudo_label": ("pseudo_labels.parquet",),
    "student": (
        "weights.safetensors",
        "history.parquet",
        "fit.json",
        "validation.parquet",
        "test.parquet",
    ),
    "blend": ("test.parquet",),
    "submission": ("submission.csv",),
    "scores": ("scores.csv",),
    "leaderboard": ("leaderboard.csv",),
    "contrast": ("contrast.json",),
    "drift": ("drift.json", "drift.html"),
    "report": ("report.html",),
    "baseline": ("validation.parquet", "fit.json"),
    "voting": ("validation.parquet", "fit.json"),
    "baselines": ("baselines.csv",),
    "predict": ("predictions.csv", "persons.csv"),
}
"""What each stage can make; `emodag.stages.<stage>` holds its code."""

FITS = ("stage0", "teacher", "student")
"""The stages that fit networks."""

RANDOMNESS = "randomness.json"
"""What each fit makes besides where randomness is global: the state that the next one needs."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job: a stage with its parameters, and where its inputs come from.

    Attributes
    ----------
    name : unique in the chain; also the job's directory below `results`, but for final tables.
    inputs : role -> (job, file) for an artifact, or a path for a raw file.
    describes : the environments whose pins, variables and threads are a parameter of the job.
    cites : the raw files whose names and digests are a parameter of the job.
    packages : the distributions beside the numerical ones whose version its results depend on.
    device : what it may compute on: ``cpu``, ``cuda``, or ``auto`` for a GPU where there is one.
    hands_on : whether it leaves the state of its randomness to the next fit.
    without : what its stage can make and it does not, as the tables have no such rows.
    """

    name: str
    stage: str
    environment: str
    params: dict[str, Any]
    inputs: dict[str, tuple[str, str] | str] = field(default_factory=dict)
    describes: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    device: str = "cpu"
    hands_on: bool = False
    without: tuple[str, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """The files it makes."""
        made = tuple(file for file in OUTPUTS[self.stage] if file not in self.without)
        return made + ((RANDOMNESS,) if self.hands_on else ())

    @property
    def is_final(self) -> bool:
        """Whether the job makes a table that lies directly in `results`."""
        return self.name == self.stage

    @property
    def directory(self) -> str:
        """Where the outputs go."""
        return RESULTS if self.is_final else f"{RESULTS}/{self.name}"

    def path(self, file: str) -> str:
        """The path of one of the outputs."""
        return f"{self.directory}/{file}"

    @property
    def manifest(self) -> str:
        """The manifest's path; final tables share a directory, so theirs bear their name."""
        return f"{self.directory}/{self.name + '.' if self.is_final else ''}manifest.json"
