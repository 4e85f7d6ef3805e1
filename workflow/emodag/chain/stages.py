"""The table of stages: what each is called, where its results lie, what it makes, who reads it.

All that a stage is beside its code, in `emodag.stages.<name>`, and its parameters and inputs, which
`emodag.chain.chain` makes of a configuration.
"""

from dataclasses import dataclass
from typing import Any

RANDOMNESS = "randomness.json"
"""What each fit makes besides where randomness is global: the state that the next one needs."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of the chain.

    Attributes
    ----------
    name : the rule, the module of `emodag.stages` and the log are called so, too.
    title : what Snakemake says as one of its jobs starts, with wildcards.
    place : the names of its jobs, with wildcards; also their directories below `results`, but those
        whose names end with the stage's lie directly in the directory above. `{at}` is empty, or
        says of which variant a job is; `{network}` and `{learner}` are the same for those whose
        learner is the network, or another one.
    makes : the files it can make.
    threads : how many a job takes, None for as many as its environment is given.
    carries : those of them whose numbers later stages compute with, which contrasts compare.
    report : those of them that the report reads.
    is_fit : whether it fits a network.
    shown : how Snakemake's own report shows what it makes.
    """

    name: str
    title: str
    place: str
    makes: tuple[str, ...]
    threads: int | None = 1
    carries: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    is_fit: bool = False
    shown: dict[str, Any] | None = None

    @property
    def module(self) -> str:
        """The module with its code."""
        return f"emodag.stages.{self.name}"

    @property
    def beside(self) -> bool:
        """Whether what it makes lies beside what others make."""
        return self.place == self.name


def _shown(category: str, what: str) -> dict[str, Any]:
    return {"category": category, "labels": {"what": what}}


WEIGHTS, HISTORY, FACTS = "weights.safetensors", "history.parquet", "fit.json"
TRAIN, TEST, VALIDATION = "train.parquet", "test.parquet", "validation.parquet"
HELD_OUT, ANSWERS = "held_out.parquet", "answers.parquet"
TRAIN_ROWS, TEST_ROWS = "train_rows.parquet", "test_rows.parquet"
UNLABELLED_ROWS, UNLABELLED_FOLDS = "unlabelled_rows.parquet", "unlabelled_folds.parquet"

TABLE = (
    Stage(
        name="synthesize",
        title="Generate the synthetic tables",
        place="raw",
        makes=(TRAIN, TEST, "truth.csv"),
    ),
    Stage(
        name="ingest",
        title="Read the raw tables ({env})",
        place="{env}/table",
        makes=(TRAIN, TEST, TRAIN_ROWS, TEST_ROWS, "quality.json", UNLABELLED_ROWS),
        threads=2,
        carries=(TRAIN, TEST),
        report=(TRAIN, TRAIN_ROWS, TEST_ROWS, "quality.json"),
    ),
    Stage(
        name="folds",
        title="Assign persons to folds ({env})",
        place="{env}/folds",
        makes=("folds.parquet", UNLABELLED_FOLDS),
        report=("folds.parquet",),
    ),
    Stage(
        name="by_person",
        title="Put each person's features relative to that person ({env})",
        place="{at}{env}/by_person",
        makes=(TRAIN, TEST),
        threads=2,
        carries=(TRAIN, TEST),
    ),
    Stage(
        name="scale",
        title="Scale the features, {part} ({env}, {protocol})",
        place="{at}{env}/{protocol}/scaled/{part}",
        makes=(TRAIN, TEST, "quantiles.parquet"),
        threads=2,
        carries=(TRAIN, TEST),
    ),
    Stage(
        name="stage0",
        title="Train stage 0, fold {fold} ({env}, seed {seed})",
        place="{network}{env}/published/seed{seed}/stage0/fold{fold}",
        makes=(WEIGHTS, HISTORY, FACTS, VALIDATION),
        threads=None,
        report=(HISTORY, VALIDATION),
        is_fit=True,
    ),
    Stage(
        name="teacher",
        title="Train generation 0, the teacher, {part} ({env}, {protocol}, seed {seed})",
        place="{network}{env}/{protocol}/seed{seed}/gen0/{part}",
        makes=(WEIGHTS, HISTORY, FACTS, VALIDATION, TEST),
        threads=None,
        carries=(TEST,),
        report=(HISTORY, VALIDATION),
        is_fit=True,
    ),
    Stage(
        name="calibrate",
        title="Calibrate the teacher, {part} ({env}, {protocol}, seed {seed})",
        place="{at}{env}/{protocol}/seed{seed}/gen0/temperature/{part}",
        makes=("temperature.json",),
        report=("temperature.json",),
    ),
    Stage(
        name="pseudo_label",
        title="Select pseudo-labels of generation {gen}, {part} ({env}, {protocol}, seed {seed})",
        place="{at}{env}/{protocol}/seed{seed}/gen{gen}/pseudo_labels/{part}",
        makes=("pseudo_labels.parquet",),
        report=("pseudo_labels.parquet",),
    ),
    Stage(
        name="student",
        title="Train generation {gen}, fold {fold} ({env}, {protocol}, seed {seed})",
        place="{network}{env}/{protocol}/seed{seed}/gen{gen}/fold{fold}",
        makes=(WEIGHTS, HISTORY, FACTS, VALIDATION, TEST),
        threads=None,
        carries=(TEST,),
        report=(HISTORY, VALIDATION),
        is_fit=True,
    ),
    Stage(
        name="learner",
        title="Fit another learner, {fit} ({learner}{env}, {protocol}, seed {seed})",
        place="{learner}{env}/{protocol}/seed{seed}/{fit}",
        makes=(FACTS, VALIDATION, TEST),
        carries=(TEST,),
        report=(VALIDATION,),
    ),
    Stage(
        name="blend",
        title="Blend the folds of generation {blend} ({env}, {protocol}, seed {seed})",
        place="{at}{env}/{protocol}/seed{seed}/gen{blend}/blend",
        makes=(TEST,),
        carries=(TEST,),
        report=(TEST,),
    ),
    Stage(
        name="submission",
        title="Write the submission",
        place="submission",
        makes=("submission.csv",),
        shown=_shown("Tables", "the submission"),
        report=("submission.csv",),
    ),
    Stage(
        name="scores",
        title="Collect the scores",
        place="scores",
        makes=("scores.csv",),
        report=("scores.csv",),
        shown=_shown("Tables", "cross-validated scores"),
    ),
    Stage(
        name="leaderboard",
        title="Score the submissions against the truth",
        place="leaderboard",
        makes=("leaderboard.csv",),
        shown=_shown("Tables", "scores on the hidden people"),
        report=("leaderboard.csv",),
    ),
    Stage(
        name="contrast",
        title="Compare {contrast}",
        place="drift/{contrast}",
        makes=("contrast.json",),
    ),
    Stage(
        name="drift",
        title="Report the drift",
        place="drift",
        makes=("drift.json", "drift.html"),
        shown=_shown("Reports", "drift between environments"),
    ),
    Stage(
        name="held_out",
        title="Collect what {variant} says",
        place="variants/{variant}/held_out",
        makes=(HELD_OUT, ANSWERS),
    ),
    Stage(
        name="suggest",
        title="Draw round {round} of the search",
        place="search/round{round}",
        makes=("suggested.json",),
    ),
    Stage(
        name="vote",
        title="Have variants vote, {vote}",
        place="variants/{vote}/vote",
        makes=(HELD_OUT, ANSWERS, "weights.json"),
    ),
    Stage(
        name="variants",
        title="Compare the variants",
        place="variants",
        makes=("variants.csv", "selection.json"),
        shown=_shown("Tables", "the variants, compared"),
        report=("variants.csv", "selection.json"),
    ),
    Stage(
        name="report",
        title="Report the results",
        place="report",
        makes=("report.html",),
        threads=None,
        shown=_shown("Reports", "the whole run"),
    ),
    Stage(
        name="predict",
        title="Predict the rows of {name}",
        place="predictions/{name}",
        makes=("predictions.csv", "persons.csv"),
    ),
)

STAGES = {stage.name: stage for stage in TABLE}
"""Each stage by its name, in the order of the chain."""

FITS = tuple(stage.name for stage in TABLE if stage.is_fit)
"""The stages that fit networks."""

FINALS = (
    *(file for stage in TABLE if stage.beside for file in stage.makes),
    "variants/*/submission.csv",
    "variants/*/scores.csv",
)
"""The tables and pages to be read that some configuration can have below `results`."""
