"""The configuration: one model per section, from which the JSON schema and config.yaml follow.

Every key has a default, so an empty configuration is the default run. Unknown keys are errors.
"""

import difflib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from emodag.config.learners import Learner, Learners
from emodag.config.section import Section
from emodag.config.variants import (
    BASE,
    FIXED,
    OPEN,
    ROUND,
    Blend,
    Compare,
    Draw,
    Search,
    drawn,
)
from ledger.errors import ConfigError
from ledger.store.place import at_home


def _as_written(name: Any) -> Any:
    """The text in a table: whole numbers need no quotes, but YAML's no is none."""
    if isinstance(name, bool):
        words = "yes, on or true" if name else "no, off or false"
        raise ValueError(f"YAML reads {words} without quotes as a truth value: write it in quotes")
    if name is None:
        raise ValueError("YAML reads null, ~ or nothing at all as no value: write it in quotes")
    if isinstance(name, float | date):
        kind = "number" if isinstance(name, float) else "time"
        raise ValueError(f"{name} is a {kind}: write it in quotes, as in the table")
    return str(name) if isinstance(name, int) else name


def _as_written_if_any(name: Any) -> Any:
    return None if name is None else _as_written(name)


def _folds(value: Any, known: ValidatorFunctionWrapHandler) -> Any:
    try:
        return known(value)
    except ValidationError:
        raise ValueError(
            "expected a whole number from 2 on, or `persons`, which holds out each person once; "
            f"found {value!r}"
        ) from None


def _separator(mark: str) -> str:
    r"""One character that is in no number and no name; a tab may be written \t."""
    mark = "\t" if mark == r"\t" else mark
    if len(mark) != 1 or not mark.isascii() or mark.isalnum() or mark in "\"'+-._\r\n\0":
        raise ValueError(f"{mark!r} cannot separate cells: give one character such as ',' or ';'")
    return mark


Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Written = Annotated[str, BeforeValidator(_as_written)]
ClassName = Annotated[str, Field(min_length=1), BeforeValidator(_as_written)]
Column = Annotated[str | None, BeforeValidator(_as_written_if_any)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
File = Annotated[str, AfterValidator(at_home)]
Files = File | Annotated[list[File], Field(min_length=1)]


RESERVED = {"raw", "drift", "variants", "search", "predictions"}
"""What stands beside the environments in the results."""


class Environment(Section):
    """One environment: what must be installed and how a job runs in it."""

    locks: list[str] = Field(
        ["envs/local.lock", "envs/local.torch-cpu.lock"],
        description="hashed requirement files whose pins must be installed; [] takes what is there",
    )
    python: Annotated[str, Field(min_length=1)] = Field(
        "running",
        description="running: the interpreter of Snakemake; built: a virtual environment made "
        "from the locks with its Python; else the interpreter, such as python3.12, to make it with",
    )
    conda: str | None = Field(
        "envs/local.yaml",
        description="the same for snakemake --use-conda; null takes what is there",
    )
    variables: dict[str, str] = Field({}, description="environment variables of every job")
    threads: Positive = Field(1, description="threads of one job; fits run in parallel as jobs")


AVX2 = {
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_KNL AVX512_KNM AVX512_SKX AVX512_CLX "
    "AVX512_CNL AVX512_ICL",
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
"""What makes NumPy, OpenBLAS, torch, oneDNN and MKL compute as on a processor without AVX-512."""


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
        None, description="person column; null: the last column, as in the competition"
    )
    test_group: Column = Field(
        None,
        description="person column of the test table, for warnings, `scaling.person` and "
        "`training.adapt`; null: `group`, if it is there",
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
        if (self.label is None) != (self.group is None):
            raise ValueError("name both `label` and `group`, or neither")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("`classes` holds a name twice")
        return self


class Scaling(Section):
    """Quantile transform to a normal distribution, as in scikit-learn's QuantileTransformer."""

    person: Literal["none", "centre", "z", "rank"] = Field(
        "none",
        description="before it, each person's features relative to that person, without labels: "
        "less the median; also divided by the spread; or the normal score of the rank",
    )
    n_quantiles: Annotated[int, Field(ge=2)] = Field(1000, description="quantiles per feature")
    subsample: Annotated[int, Field(ge=2)] = Field(
        10000, description="rows that the quantiles are estimated from"
    )
    random_state: int = Field(42, ge=0, lt=2**32, description="seed of that subsample")


class Model(Section):
    """The attentive denoising autoencoder."""

    hidden: Positive = Field(512, description="width of the encoder's and decoder's hidden layer")
    code: Positive = Field(128, description="width of the code")
    head: Positive = Field(128, description="width of the classifier's hidden layer")
    attention: bool = Field(True, description="a gate that weighs the features of each row")
    gate_ratio: Positive = Field(4, description="features per unit of the attention's bottleneck")
    dropout: Share = Field(0.3, description="dropout in the encoder and the classifier")
    residual: bool = Field(True, description="a residual block in the encoder")
    corruption: Share = Field(
        0.1, description="share of input cells masked while training; 0 is a plain autoencoder"
    )


class Training(Section):
    """How one fit goes."""

    epochs: Positive = Field(50, description="epochs of the teacher and of every student")
    stage0_epochs: Positive = Field(20, description="epochs of the stage 0 baseline")
    batch: Annotated[int, Field(ge=2)] = Field(128, description="rows per batch")
    learning_rate: Annotated[float, Field(gt=0)] = Field(1e-3, description="AdamW's, at the start")
    min_learning_rate: Annotated[float, Field(ge=0)] = Field(
        1e-6, description="where cosine annealing ends"
    )
    weight_decay: Annotated[float, Field(ge=0)] = Field(1e-3, description="AdamW's")
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.5, description="published students: factor when validation F1 stops rising"
    )
    plateau_patience: Annotated[int, Field(ge=0)] = Field(
        8, description="published students: epochs without a rise before that"
    )
    mixup: Annotated[float, Field(ge=0)] = Field(
        0.4, description="alpha of mixup's Beta(alpha, alpha); 0 turns mixup off"
    )
    reconstruction: Annotated[float, Field(ge=0)] = Field(
        0.1, description="weight of the reconstruction loss"
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        description="weights of classes in the cross-entropy; balanced: labelled rows / (classes x "
        "labelled rows of the class)",
    )
    label_smoothing: Share = Field(
        0.0, description="what part of a row's target goes to all classes alike"
    )
    adapt: Literal["none", "persons"] = Field(
        "none",
        description="persons: predictions normalise batches by the means and variances of all rows "
        "of the person who is predicted, without labels, in place of those of training",
    )
    randomness: Literal["derived", "global"] = Field(
        "derived",
        description="derived: each fit has streams of its own; global: one goes through all fits, "
        "as in a plain script, see workflow/config/replay.yaml",
    )
    device: Literal["cpu", "cuda", "auto"] = Field(
        "cpu",
        description="where fits run; cuda: an NVIDIA GPU; auto: one where a job finds one",
    )
    matmul: Literal["ordered", "torch", "bfloat16"] = Field(
        "ordered",
        description="products of matrices; ordered: the same bits on every x86-64 processor "
        "with AVX2; torch: as torch computes them, with MKL there; bfloat16: less exact while "
        "training; see docs/speed.md",
    )
    checkpoint_every: Positive = Field(
        10, description="epochs between checkpoints; a killed fit resumes from its last one"
    )

    @property
    def targets(self) -> dict[str, Any]:
        """What is changed about the targets of fits; see `emodag.science.fit.targets`."""
        found: dict[str, Any] = {"balanced": True} if self.class_weights == "balanced" else {}
        return found | ({"smoothing": self.label_smoothing} if self.label_smoothing else {})


class PseudoLabels(Section):
    """Which test rows a student learns from, and as what."""

    select: Literal["threshold", "flexmatch", "freematch", "share"] = Field(
        "threshold",
        description="threshold: the same for all classes; flexmatch: lower where fewer rows reach "
        "it; freematch: from the mean confidence, lower where a class is predicted less; share: "
        "the surest of each class",
    )
    threshold: Annotated[float, Field(gt=0, le=1)] = Field(
        0.9, description="least confidence of a pseudo-label, for `threshold` and `flexmatch`"
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.2, description="what part of the rows predicted as a class is chosen, for `share`"
    )
    boost: dict[ClassName, Annotated[float, Field(gt=0)]] | None = Field(
        {"HVHA": 1.5},
        description="factors on the probabilities of classes, by name, from generation 2 on; "
        "HVHA's applies where there is such a class; null: none",
    )
    align: Literal["none", "labelled"] = Field(
        "none",
        description="labelled: probabilities are changed so that their mean is the shares of "
        "classes among the labelled rows, in place of any `boost`",
    )
    soft: bool = Field(
        False,
        description="whether a network learns from the probabilities, by the weight of the "
        "confidence, in place of the most probable class",
    )

    @property
    def factors(self) -> dict[str, float]:
        """The boost of classes by name; none where probabilities are aligned."""
        return {} if self.align != "none" else self.boost or {}

    @property
    def selection(self) -> dict[str, Any]:
        """The parameters by which rows are chosen, less what is not asked for."""
        asked = {"threshold": ["threshold"], "flexmatch": ["select", "threshold"]}
        asked |= {"freematch": ["select"], "share": ["select", "share"]}
        names = [*asked[self.select], *(["soft"] if self.soft else [])]
        return {name: getattr(self, name) for name in names}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        # The default stands in every configuration; another boost somebody has written.
        if self.align != "none" and self.boost not in (None, type(self)().boost):
            raise ValueError(
                f"`align: {self.align}` takes the place of a boost, and `boost` is "
                f"{self.boost}; set `boost: null` or `align: none`"
            )
        return self


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
        description="pairs of environments, each run with every run seed",
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2)] = Field(
        [1, 2, 3, 4, 5], description="run seeds whose spread is the yardstick"
    )


class Report(Section):
    """What `results/report.html` tells besides the chain's own results."""

    drift: bool = Field(
        False,
        description="whether it tells what results/drift.html found; that takes the runs of "
        "`drift` first",
    )


class Config(Section):
    """The whole configuration."""

    environment: str = Field("local", description="the environment, by its name below")
    environments: dict[Name, Environment] = Field(
        {
            "local": Environment(),
            "numpy2": Environment(
                locks=["envs/numpy2.lock", "envs/local.torch-cpu.lock"],
                python="built",
                conda="envs/numpy2.yaml",
            ),
            "reported": Environment(
                locks=["envs/local.lock", "envs/reported.torch-cuda.lock"],
                python="built",
                conda="envs/reported.yaml",
            ),
            "kaggle": Environment(
                locks=["envs/kaggle.lock", "envs/kaggle.torch-cuda.lock"],
                python="built",
                conda="envs/kaggle.yaml",
            ),
            "learners": Environment(
                locks=["envs/local.lock", "envs/local.torch-cpu.lock", "envs/learners.lock"],
                python="built",
                conda="envs/learners.yaml",
            ),
            "ambient": Environment(locks=[], conda=None),
            "avx2": Environment(variables=AVX2),
            "threads2": Environment(threads=2),
        },
        description="environments by name",
    )
    store: File = Field(
        ".emodag/store",
        min_length=1,
        description="content-addressed store; EMODAG_STORE takes precedence",
    )
    data: Data = Field(Data(), description="the tables")
    protocols: Annotated[list[Literal["published", "nested"]], Field(min_length=1)] = Field(
        ["published", "nested"],
        description="published: as reported, leaky; nested: leak-free; the first one submits",
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        [1], description="run seeds; the first one submits"
    )
    folds: Annotated[Annotated[int, Field(ge=2)] | Literal["persons"], WrapValidator(_folds)] = (
        Field(5, description="folds of the cross-validation; persons: one for each training person")
    )
    folds_repeats: Positive = Field(
        1,
        description="how often there are so many folds, each time with others held out together",
    )
    fold_assignment: Literal["stable", "scikit_learn"] = Field(
        "stable",
        description="among persons of equal size, by id; or as the installed scikit-learn does, "
        "which up to 1.8 leaves it to NumPy and the processor",
    )
    scheme: Literal["group_kfold", "kfold"] = Field(
        "group_kfold",
        description="folds hold persons out; kfold, for a variant: rows of all persons, which is "
        "leaky",
    )
    generations: Annotated[int, Field(ge=0)] = Field(
        2, description="student generations; 0: the teacher alone, without self-training"
    )
    learner: Learner = Field(
        "network", description="what teacher and students are; see docs/variants.md"
    )
    learners: Learners = Field(Learners(), description="settings of learners but the network")
    scaling: Scaling = Field(Scaling(), description="quantile scaling")
    model: Model = Field(Model(), description="the network")
    training: Training = Field(Training(), description="the fits")
    pseudo_labels: PseudoLabels = Field(PseudoLabels(), description="self-training")
    submission: Submission = Field(Submission(), description="the form of submission.csv")
    drift: Drift = Field(Drift(), description="comparison of environments")
    report: Report = Field(Report(), description="the report")
    variants: dict[Name, dict[str, Any]] = Field(
        {},
        description="by name, what differs from the rest of the configuration, such as {no_mixup: "
        "{training: {mixup: 0}}}; compared in results/variants.csv",
    )
    search: Search = Field(Search(), description="more variants, drawn")
    _suggested: list[list[float]] = PrivateAttr([])
    blends: dict[Name, Blend] = Field(
        {}, description="votes of variants by name, such as {all: {of: [base, no_mixup]}}"
    )
    compare: Compare = Field(Compare(), description="the comparison of variants")
    submit: str = Field(BASE, description="the variant or blend that results/submission.csv is of")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.environment not in self.environments:
            raise ValueError(
                f"`environment` is {self.environment!r}, and `environments` holds "
                f"{', '.join(self.environments)}"
            )
        for name, entry in self.environments.items():
            if entry.python != "running" and not entry.locks:
                raise ValueError(f"`environments.{name}` has nothing to build: name its `locks`")
        for name in RESERVED.intersection(self.environments):
            raise ValueError(f"`environments` holds {name!r}, which is the name of other results")
        values = {"protocols": self.protocols, "seeds": self.seeds}
        values |= {"drift.seeds": self.drift.seeds}
        values |= {"drift.contrasts": [tuple(pair) for pair in self.drift.contrasts]}
        for name, found in values.items():
            if len(set(found)) != len(found):
                raise ValueError(f"`{name}` holds a value twice")
        for a, b in self.drift.contrasts:
            for name in {a, b} - set(self.environments):
                raise ValueError(
                    f"`drift.contrasts` names {name!r}, and `environments` holds "
                    f"{', '.join(self.environments)}"
                )
            if a == b:
                raise ValueError(f"`drift.contrasts` compares {a!r} with itself")
        # The default's class may be none of the tables'; a name that somebody has written must be.
        for name in set(self.pseudo_labels.boost or {}).difference(
            self.data.classes, PseudoLabels().boost or {}
        ):
            raise ValueError(
                f"`pseudo_labels.boost` names {name!r}, and `data.classes` holds "
                f"{', '.join(self.data.classes)}"
            )
        if self.folds == "persons" and self.folds_repeats > 1:
            raise ValueError(
                f"`folds_repeats` is {self.folds_repeats}, and with `folds: persons` each person "
                "is held out alone every time; leave `folds_repeats` out"
            )
        if self.pseudo_labels.soft and self.learner != "network":
            raise ValueError(
                f"`learner: {self.learner}` learns from classes alone; set `pseudo_labels.soft: "
                "false` with it"
            )
        if self.training.randomness == "global":
            self._replayable()
        self._comparable()
        return self

    def _comparable(self) -> None:
        """Whether learner, variants and blends can be run."""
        for key, is_asked in {
            f"learner: {self.learner}": self.learner != "network",
            "generations: 0": not self.generations,
            "training.adapt: persons": self.training.adapt != "none",
        }.items():
            if is_asked and self.protocols != ["nested"]:
                raise ValueError(
                    f"`{key}` is nothing that the published protocol knows: set `protocols: "
                    "[nested]`, or leave it to a variant"
                )
        if self.training.randomness == "global" and (self.variants or self.search.trials):
            raise ValueError(
                "`training.randomness: global` has one stream for all fits of a script; variants "
                "need `derived`"
            )
        trials = self.trial_names
        taken = {BASE, *self.variants, *trials}
        if BASE in self.variants:
            raise ValueError("`variants` holds 'base', which is the configuration itself")
        for name in {*self.variants}.intersection(trials):
            raise ValueError(f"`variants` holds {name!r}, which is the name of a trial of `search`")
        for name, blend in self.blends.items():
            if name in taken:
                raise ValueError(f"`blends` holds {name!r}, which is a variant's name")
            if len(set(blend.of)) != len(blend.of):
                raise ValueError(f"`blends.{name}.of` holds a value twice")
            for member in blend.of:
                self._known(f"blends.{name}.of", member, taken)
            twin = next(n for n in self.blends if self._votes(n) == self._votes(name))
            if twin != name:
                raise ValueError(f"`blends` holds {name!r}, which is the same vote as {twin!r}")
            if len({self._is_leaky(member) for member in blend.of}) > 1:
                raise ValueError(
                    f"`blends.{name}.of` holds variants of both schemes, which hold out other rows"
                )
        self._known("compare.baseline", self.compare.baseline, taken)
        self._known("submit", self.submit, taken | {*self.blends})
        for key, name in {"compare.baseline": self.compare.baseline, "submit": self.submit}.items():
            if self._is_leaky(name):
                raise ValueError(f"`{key}` names {name!r}, which is leaky by its `scheme: kfold`")
        if self.submit != BASE and not self.data.has_test:
            raise ValueError("`submit` names a variant, and there is no `data.test` to submit")

    def _is_leaky(self, name: str) -> bool:
        if name in self.blends:
            return any(map(self._is_leaky, self.blends[name].of))
        return {**self.variants, **self.trials}.get(name, {}).get("scheme") == "kfold"

    def _votes(self, name: str) -> tuple[set[str], str]:
        return {*self.blends[name].of}, self.blends[name].weights

    def _known(self, key: str, name: str, names: set[str]) -> None:
        if name not in names:
            near = difflib.get_close_matches(name, sorted(names), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(names))}"
            raise ValueError(f"`{key}` names {name!r}, which is no variant; {hint}")

    @cached_property
    def draws(self) -> dict[str, Draw]:
        """Each trial of the search by its name; with `tpe` those that are known so far."""
        found = enumerate(drawn(self.search, self._suggested), start=1)
        return {f"t{number:03}": draw for number, draw in found}

    @cached_property
    def trials(self) -> dict[str, dict[str, Any]]:
        """What each trial of the search changes, by its name."""
        return {name: draw.changes for name, draw in self.draws.items()}

    @property
    def trial_names(self) -> list[str]:
        """How trials are called, also those that are not known yet."""
        if self.search.sampler != "tpe":
            return list(self.draws)
        return [f"t{number:03}" for number in range(1, self.search.trials + 1)]

    def with_suggested(self, rows: list[list[float]]) -> Self:
        """The same with the trials that were drawn from scores, and without what needs later ones.

        Parameters
        ----------
        rows : the shares of those after the first `ROUND`, see `emodag.config.variants.Draw`.
        """
        found = self.model_copy()
        found._suggested = rows
        for name in ("draws", "trials"):  # as they were before
            found.__dict__.pop(name, None)
        known = {BASE, *self.variants, *found.trials}
        less = {"blends": {n: b for n, b in self.blends.items() if known.issuperset(b.of)}}
        if self.compare.baseline not in known:
            less |= {"compare": Compare()}
        return found.model_copy(update=less)

    @property
    def compared_names(self) -> set[str]:
        """The variants and trials that are named somewhere."""
        members = {member for blend in self.blends.values() for member in blend.of}
        return {*members, self.compare.baseline, self.submit}

    @property
    def next_round(self) -> int | None:
        """Which round of trials, from 2 on, is to be drawn next; None where none is."""
        number = len(self._suggested) // ROUND + 2
        is_full = len(self.draws) == (number - 1) * ROUND < self.search.trials
        return number if self.search.sampler == "tpe" and is_full else None

    @cached_property
    def knows_persons(self) -> bool:
        """Whether it, or a variant, needs to know of whom each row is, those to predict too."""
        changes = [*self.variants.values(), *self.trials.values()]
        asked = [change.get(name) for change in changes for name in ("scaling", "training")]
        return {self.scaling.person, self.training.adapt} != {"none"} or any(
            isinstance(section, Mapping) and {"person", "adapt"} & {*section} for section in asked
        )

    @property
    def has_variants(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.variants or self.blends or self.search.trials)

    def _replayable(self) -> None:
        """Whether a plain script's stream has a place for all that would be drawn."""
        why = "and `training.randomness: global` draws what the published script draws"
        if self.protocols != ["published"]:
            raise ValueError(f"`protocols` holds 'nested', {why}; set `protocols: [published]`")
        if self.training.device != "cpu":
            raise ValueError(
                f"`training.device` is {self.training.device!r}, {why} on a processor; set "
                "`training.device: cpu`"
            )
        if self.training.matmul != "torch":
            raise ValueError(
                f"`training.matmul` is {self.training.matmul!r}, {why} and multiplies as torch "
                "does; set `training.matmul: torch`"
            )
        if self.folds_repeats > 1:
            raise ValueError(
                f"`folds_repeats` is {self.folds_repeats}, {why}, which has one assignment of "
                "folds; set `folds_repeats: 1`"
            )
        if self.model.corruption:
            raise ValueError(f"`model.corruption` masks input, {why}; set `model.corruption: 0`")
        if max(self.seeds) >= 2**32:
            raise ValueError(f"`seeds` holds one from 2**32 on, {why}; NumPy takes none so large")


def load(values: Mapping[str, Any]) -> Config:
    """The configuration that a mapping describes.

    Raises
    ------
    ConfigError
        One line per mistake: the key, what was expected, what was found, the nearest known key.
    """
    try:
        config = Config.model_validate(_with_nulls(values))
    except ValidationError as error:
        raise ConfigError("the configuration is wrong:", *_explained(error)) from None
    if config.scheme == "kfold":
        raise ConfigError(
            "the configuration is wrong:",
            "  scheme: kfold is for a variant, to be compared with; the configuration's own score "
            "is that of people whom its models have not seen",
        )
    variants_of(config)
    return config


def variants_of(config: Config) -> dict[str, Config]:
    """The configuration itself, called `base`, and each variant: whole, leak-free, by name.

    Raises
    ------
    ConfigError
        When a variant is wrong, cannot be compared with the others, or is one that is there twice.
    """
    if not config.has_variants:
        return {}
    changes = {BASE: {}, **config.variants, **config.trials}
    lines: list[str] = []
    # `emodag.chain.person_count` has put a number in the place of `folds: persons`.
    counted = {"folds": config.folds, "fold_assignment": config.fold_assignment}
    values = config.model_dump(exclude={*counted, "variants", "search", "blends", "compare"})
    values |= {"protocols": ["nested"], "submit": BASE}
    found: dict[str, Config] = {}
    for name, change in changes.items():
        if lines and name in config.trials:  # what is wrong with one is wrong with all
            break
        where = _where(config, name)
        refused = list(_not_comparable(where, change))
        lines += refused
        if not refused:
            try:
                made = Config.model_validate(_merged(values, _with_nulls(change)))
                found[name] = made.model_copy(update=counted)
            except ValidationError as error:
                lines += _explained(error, f"{where}.")
    known: dict[str, str] = {}
    for name, made in found.items():
        other = known.setdefault(made.model_dump_json(), name)
        if other != name and name in config.variants:
            lines.append(f"  {_where(config, name)}: changes nothing that {other!r} does not")
    if lines:
        raise ConfigError("the configuration is wrong:", *lines)
    return found


def _where(config: Config, name: str) -> str:
    return f"variants.{name}" if name in config.variants else f"search, trial {name}"


def _not_comparable(where: str, changes: Mapping[str, Any]) -> Iterator[str]:
    for key in changes:
        if key in FIXED:
            yield (
                f"  {where}.{key}: {FIXED[key]}, so its scores cannot be compared with "
                "those of the others; give it a configuration file of its own"
            )
        elif key in Config.model_fields and key not in OPEN:
            yield f"  {where}.{key}: is the same for all variants; leave it out there"


def _merged(values: Any, changes: Any) -> Any:
    """Values with those of sections replaced one by one, and all others whole."""
    if not isinstance(values, Mapping) or not isinstance(changes, Mapping):
        return changes
    whole = {"boost"}
    return {
        **values,
        **{k: v if k in whole else _merged(values.get(k), v) for k, v in changes.items()},
    }


def _with_nulls(value: Any) -> Any:
    """Snakemake's `--config` passes `null` on as text."""
    if isinstance(value, Mapping):
        return {key: _with_nulls(item) for key, item in value.items()}
    return None if value == "null" else value


def _explained(error: ValidationError, before: str = "") -> list[str]:
    return [_explain(mistake, before) for mistake in error.errors()]


def _explain(mistake: Mapping[str, Any], before: str) -> str:
    parts = [str(part) for part in mistake["loc"] if part != "[key]"]
    where = before + (".".join(parts) or "(top level)")
    if mistake["type"] == "extra_forbidden":
        return f"  {where}: no such key{_suggestion(mistake['loc'])}"
    if mistake["type"] == "list_type":
        found = mistake["input"]
        return f"  {where}: expected a list, such as [{found}]; found {found!r}"
    if mistake["type"] == "dict_type":
        return f"  {where}: expected values by name, such as {{a: 1}}; found {mistake['input']!r}"
    message = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "value_error":
        return f"  {where}: {message}"
    if mistake["type"] in ("too_long", "too_short"):
        message = message.replace("List", "it").replace(" after validation", "")
    return f"  {where}: {message[0].lower()}{message[1:]}; found {mistake['input']!r}"


_OTHER_WORDS = {
    **dict.fromkeys(("person", "persons", "subject", "subjects", "participant", "groups"), "group"),
    **dict.fromkeys(("target", "labels", "y"), "label"),
    **dict.fromkeys(("sep", "delimiter"), "separator"),
    **dict.fromkeys(("exclude", "drop", "ignored"), "ignore"),
    "na_values": "missing_values",
}
"""What people call keys, as elsewhere they are called so."""


def _suggestion(location: tuple) -> str:
    """The key of that section that it is a slip of, else the same key elsewhere, else the nearest.

    `seed` is far more often `seeds` than `data.seed`, and `epochs` always `training.epochs`.
    """
    *path, key = location
    section: Any = Config
    for part in path:
        field = getattr(section, "model_fields", {}).get(part)
        section = Environment if field is None else field.annotation
    known = list(getattr(section, "model_fields", {}))
    places = {name: name for name in Config.model_fields}
    for name, field in Config.model_fields.items():
        places |= {f"{name}.{own}": own for own in getattr(field.annotation, "model_fields", {})}
    elsewhere = [place for place, own in places.items() if own == key]
    near = (
        [name for name in known if name == _OTHER_WORDS.get(str(key))]
        or difflib.get_close_matches(str(key), known, n=1, cutoff=0.8)
        or elsewhere
        or difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
    )
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known here: {', '.join(known)}"
