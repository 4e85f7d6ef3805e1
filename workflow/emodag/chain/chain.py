"""The chain: which jobs a configuration asks for, and what each needs and makes.

This is the one table where the rooms meet: it names the stages of `emodag.stages`, the artifacts
they exchange and the parameters each declares, for the planner and for Snakemake's rules alike.
"""

from collections.abc import Iterator
from typing import Any

from emodag.chain.learners import environment_of, packages_of
from emodag.chain.stages import RANDOMNESS, STAGES
from emodag.config.data import Data
from emodag.config.output import Submission
from emodag.config.raw_files import by_role, partitions
from emodag.config.sections import Config
from emodag.science.tables.spelling import have_other_numbers
from ledger.jobs.job import Job

SHUFFLE_SEED = 1
"""Seed of stage 0's shuffled KFold in the reported run."""

SCIKIT_LEARN_RESOLUTION = 1e-7
"""Absolute margin below which scikit-learn's QuantileTransformer takes a value for a bound."""

SUBMITTED = "submission"
"""The stage, in the leaderboard, of what is submitted where a variant or blend is."""

KINDS = {"group_kfold": "group_fold", "kfold": "row_fold"}
"""The kind of fold by which each scheme holds rows out; see `emodag.science.folds.held_out`."""

READING = (
    *("label", "group", "id", "test_group", "ignore"),
    *("decimals", "separator", "decimal", "missing_values", "missing", "infinite"),
)
"""The settings by which a table's columns and cells are read."""


def only_one_generation(config: Config) -> str | None:
    """Why there are fewer generations than a configuration asks for, None if there are not."""
    if config.data.has_pool or config.generations <= 1:
        return None
    return (
        "no rows without labels, by `data.test` or `data.unlabelled`, and so no pseudo-labels: one "
        f"generation of students in place of {config.generations}"
    )


def positions_of_numbers(config: Config) -> str | None:
    """That predicted classes are told by numbers that are not their names, None if they are not."""
    if config.submission.values == "names" or not have_other_numbers(config.data.classes):
        return None
    return (
        "what is predicted is written as positions from 0, and classes are called by other "
        "numbers; `submission: {values: names}` writes their names"
    )


INNER = "inner_fit/"
"""What stands before the part of those fits that leave out more persons, to calibrate by them."""


class Chain:
    """The chain of one configuration in one environment, written down stage by stage.

    Students learn from a pool of rows without labels, too: those of the test table, then those of
    `data.unlabelled`. Without any there are no pseudo-labels, and so a single generation.

    The number of its folds must be known; see `emodag.chain.person_count`.

    Parameters
    ----------
    at : what the names of its jobs begin with, but for tables and folds: nothing, or
        ``variants/NAME/``.
    """

    def __init__(self, config: Config, env: str, at: str = "") -> None:
        self.config = config
        self.env = env
        self.at = at
        self.classes = config.data.classes
        self.no_boost = [1.0] * len(self.classes)
        factors = config.pseudo_labels.factors
        self.boost = [factors.get(name, 1.0) for name in self.classes]
        self.folds = range(config.folds * config.folds_repeats)
        self.has_test, self.has_pool = config.data.has_test, config.data.has_pool
        self.has_unlabelled = config.data.unlabelled is not None
        # A table of one's own may name the persons of its test rows; blocks are of nobody known.
        is_own = self.has_test and config.data.source == "files"
        self.may_name_tested = is_own and config.data.test_blocks is None
        self.is_by_person = config.scaling.person != "none"
        self.last = config.generations if self.has_pool else min(config.generations, 1)
        self.generations = range(1, self.last + 1)
        self.has_teachers = self.has_pool or self.last == 0
        is_asked = config.pseudo_labels.calibrate == "temperature"
        self.is_calibrated = is_asked and self.has_pool and self.last > 0
        made = {
            "test.parquet": self.has_pool,
            "test_rows.parquet": self.has_test,
            "answers.parquet": self.has_test,
            "unlabelled_rows.parquet": self.has_unlabelled,
            "unlabelled_folds.parquet": self.has_unlabelled or self.may_name_tested,
        }
        self.without = {file for file, is_made in made.items() if not is_made}

    def jobs(self) -> Iterator[Job]:
        """Everything but the comparison of environments."""
        yield from self.tables()
        for protocol in self.config.protocols:
            yield from self.protocol(protocol)
            for seed in self.config.seeds:
                if protocol == "published":
                    yield from (self.stage0(seed, fold) for fold in self.folds)
                yield from self.fits(protocol, seed)
        if self.has_test:
            yield self.submission()
        yield self.scores()
        if self.truth():
            yield self.leaderboard()

    def compared(self, seed: int) -> Iterator[Job]:
        """What contrasts look at: the first protocol with one run seed."""
        yield from self.tables()
        yield from self.protocol(self.config.protocols[0])
        if self.config.training.randomness == "global":
            yield from (self.stage0(seed, fold) for fold in self.folds)
        yield from self.fits(self.config.protocols[0], seed)

    def tables(self) -> Iterator[Job]:
        """What both protocols and all seeds share."""
        if self.config.data.source == "synthetic":
            yield self.synthesize()
        yield self.ingest()
        yield self.fold_table()
        if self.is_by_person:
            yield self.by_person()

    def protocol(self, protocol: str) -> Iterator[Job]:
        """What all seeds of a protocol share."""
        yield from (self.scale(protocol, fold) for fold in self.parts(protocol))

    def fits(self, protocol: str, seed: int) -> Iterator[Job]:
        """The teacher, and every generation; the students alone where there is no pool."""
        parts = self.parts(protocol)
        if self.has_teachers:
            yield from (self.teacher(protocol, seed, fold) for fold in parts)
        if self.has_pool and protocol == "nested":
            yield self.blend(protocol, seed, 0)
        if self.is_calibrated:
            yield from (self.teacher(protocol, seed, fold, inner=True) for fold in parts)
            yield from (self.calibrate(protocol, seed, fold) for fold in parts)
        for generation in self.generations:
            for fold in parts if self.has_pool else []:
                yield self.pseudo_label(protocol, seed, generation, fold)
            for fold in self.folds:
                yield self.student(protocol, seed, generation, fold)
            if self.has_pool:
                yield self.blend(protocol, seed, generation)

    def parts(self, protocol: str) -> list[int | None]:
        """The parts of the training persons that scalers and teachers are fitted on."""
        return [None] if protocol == "published" else list(self.folds)

    def scored(self, protocol: str) -> list[str]:
        """The stages, as results call them, whose fits are scored on the rows they hold out."""
        first = ["stage0"] if protocol == "published" else ["gen0"] * self.has_teachers
        return first + [f"gen{generation}" for generation in self.generations]

    def predicted(self, protocol: str, seed: int, generation: int) -> str:
        """The job that predicts the pool with all fits of a generation."""
        is_one = protocol == "published" and generation == 0
        return f"{self.run(protocol, seed)}/gen{generation}/{_part(None) if is_one else 'blend'}"

    def synthesize(self) -> Job:
        data = self.config.data
        return self.job("raw", "synthesize", {"size": data.size, "seed": data.seed})

    def ingest(self) -> Job:
        data = self.config.data
        names = (*READING, "classes", "all_missing", "constant", "min_rows_per_person")
        files = self._files("train") | self._files("test") | self._files("unlabelled")
        return self.job(
            f"{self.env}/table",
            "ingest",
            {name: getattr(data, name) for name in names}
            | asked_for(
                unlabelled="rows" if data.unlabelled == "rows" else None,
                presumed=bool(data.label) and data.classes == Data().classes,
                test_blocks=self.test_blocks(),
                needs_persons=self.config.needs_persons,
            )
            | partitions(files),
            {role: origin for role, (origin, _) in files.items()},
        )

    def _files(self, table: str) -> dict[str, tuple[tuple[str, str] | str, dict]]:
        """The file of a raw table by its role, or files by roles in the order of their rows.

        Each with the columns that its folders' names are. Nothing where there is no such table.
        """
        if not self.is_table(table):
            return {}
        if self.config.data.source == "synthetic":
            return {table: (("raw", f"{table}.parquet"), {})}
        data = self.config.data
        group = data.test_group if table == "test" else None
        return by_role(table, getattr(data, table), group or data.group)

    def is_table(self, name: str) -> bool:
        """Whether `train`, `test` or `unlabelled` is a table of its own."""
        if self.config.data.source == "synthetic":
            return name != "unlabelled"
        return name in self.config.data.files

    def truth(self) -> tuple[str, str] | str | None:
        if self.config.data.source == "synthetic":
            return ("raw", "truth.csv")
        return self.config.data.truth

    def of_truth(self) -> dict[str, Any]:
        """How the truth is read; see `emodag.science.tables.ingest.true_classes`."""
        data = self.config.data
        written = {"separator": data.separator, "decimal": data.decimal}
        return {
            "label": data.label,
            "id": data.id,
            "written": {**written, "missing": data.missing_values},
            "classes": self.classes,
        }

    def fold_table(self) -> Job:
        return self.job(
            f"{self.env}/folds",
            "folds",
            {
                "folds": self.config.folds,
                "assignment": self.config.fold_assignment,
                "shuffle_seed": SHUFFLE_SEED,
                "classes": self.classes,
                **self.repeats(),
            },
            {
                **self.labels(),
                **({"test_rows": self.test_rows()["rows"]} if self.may_name_tested else {}),
                **self.unlabelled(),
            },
        )

    def test_blocks(self) -> int | list[int] | None:
        """The rows of each person in the test table, if they follow one another."""
        if self.config.data.source == "files":
            return self.config.data.test_blocks
        from emodag.science.synthetic import SIZES

        twin = SIZES[self.config.data.size]
        return twin.trials * twin.windows

    def by_person(self) -> Job:
        table = f"{self.env}/table"
        return self.job(
            f"{self.home}/by_person",
            "by_person",
            {"kind": self.config.scaling.person},
            {**self.matrices(table), **self.persons()},
        )

    def persons(self) -> dict:
        """Of whom all rows of a job's matrices are, by their roles."""
        tested = {"test_rows": self.test_rows()["rows"]} if self.has_test else {}
        return {**self.labels(), **tested, **self.unlabelled()}

    @property
    def table(self) -> str:
        """The job whose matrices are scaled."""
        return f"{self.home}/by_person" if self.is_by_person else f"{self.env}/table"

    @property
    def home(self) -> str:
        """Where all lies that a variant may have of its own."""
        return f"{self.at}{self.env}"

    def repeats(self) -> dict:
        """The parameter of stages that must know how often there are so many folds, if several."""
        repeats = self.config.folds_repeats
        return asked_for(repeats=repeats if repeats > 1 else None)

    def scale(self, protocol: str, fold: int | None) -> Job:
        inputs = self.matrices(self.table)
        if fold is not None:
            inputs |= {**self.fold_input(), **self.unlabelled_folds()}
        params = {**self.config.scaling.model_dump(exclude={"person"}), **self.fold(fold)}
        params |= {"resolution": self.resolution(protocol)}
        return self.job(self.scaled(protocol, fold), "scale", params, inputs)

    def resolution(self, protocol: str) -> float:
        return SCIKIT_LEARN_RESOLUTION if protocol == "published" else 0.0

    def fold(self, fold: int | None) -> dict:
        """A fold, and the kind of folds it is one of; None for all labelled rows."""
        return {"fold": fold, "kind": KINDS[self.config.scheme]}

    def stage0(self, seed: int, fold: int) -> Job:
        usual = self.fit(self.config.training.stage0_epochs, schedule=None, drop_last=False)
        return self._fit(
            self.run("published", seed),
            f"stage0/fold{fold}",
            "stage0",
            {"seed": seed, "fold": fold, "kind": KINDS["kfold"]},
            usual,
            {**self.features("published", None), **self.labels(), **self.fold_input()},
        )

    def teacher(self, protocol: str, seed: int, fold: int | None, *, inner: bool = False) -> Job:
        inputs = {**self.features(protocol, fold), **self.labels()}
        if fold is not None:
            inputs |= self.fold_input()
        own = {"seed": seed, **self.fold(fold), **asked_for(inner=inner)}
        fit = f"gen0/{INNER if inner else ''}{_part(fold)}"
        usual = self.fit(schedule=self.cosine())
        return self._fit(self.run(protocol, seed), fit, "teacher", own, usual, inputs)

    def calibrate(self, protocol: str, seed: int, fold: int | None) -> Job:
        home = f"{self.run(protocol, seed)}/gen0"
        fit = (f"{home}/{INNER}{_part(fold)}", "validation.parquet")
        return self.job(
            f"{home}/temperature/{_part(fold)}",
            "calibrate",
            {},
            {"validation": fit, **self.labels()},
        )

    def pseudo_label(self, protocol: str, seed: int, generation: int, fold: int | None) -> Job:
        run = self.run(protocol, seed)
        origin = f"{run}/gen{generation - 1}/{_part(fold)}"
        if fold is None:
            origin = self.predicted(protocol, seed, generation - 1)
        inputs = {} if fold is None else self.unlabelled_folds()
        params = {
            **self.config.pseudo_labels.selection,
            **asked_for(soft=self.config.learns_softly),
            "boost": self.boost if generation > 1 else self.no_boost,
            **({"fold": fold} if inputs else {}),
        }
        if self.is_calibrated:
            inputs |= {"temperature": (f"{run}/gen0/temperature/{_part(fold)}", "temperature.json")}
        if self.config.pseudo_labels.align == "labelled":
            params |= {"align": True, **self.fold(fold)}
            inputs |= {**self.labels(), **(self.fold_input() if fold is not None else {})}
        return self.job(
            f"{run}/gen{generation}/pseudo_labels/{_part(fold)}",
            "pseudo_label",
            params,
            {"probabilities": (origin, "test.parquet"), **inputs},
        )

    def student(self, protocol: str, seed: int, generation: int, fold: int) -> Job:
        part = None if protocol == "published" else fold
        home = self.run(protocol, seed)
        schedule = self.plateau() if protocol == "published" else self.cosine()
        labels = f"{home}/gen{generation}/pseudo_labels/{_part(part)}"
        pseudo = {"pseudo_labels": (labels, "pseudo_labels.parquet")} if self.has_pool else {}
        is_last = self.has_pool and generation == self.last
        own = {"seed": seed, "generation": generation, **self.fold(fold)}
        return self._fit(
            home,
            f"gen{generation}/fold{fold}",
            "student",
            own | asked_for(control=is_last and self.config.pseudo_labels.control),
            self.fit(schedule=schedule),
            {
                **self.features(protocol, part),
                **self.labels(),
                **self.fold_input(),
                **pseudo,
            },
        )

    def blend(self, protocol: str, seed: int, generation: int) -> Job:
        home = f"{self.run(protocol, seed)}/gen{generation}"
        return self.job(
            f"{home}/blend",
            "blend",
            {"folds": len(self.folds)},
            {f"fold{fold}": (f"{home}/fold{fold}", "test.parquet") for fold in self.folds},
        )

    def submission(self) -> Job:
        first = self.predicted(self.config.protocols[0], self.config.seeds[0], self.last)
        return self.submission_of((first, "test.parquet"), self.boost)

    def submission_of(self, predicted: tuple[str, str], boost: list[float]) -> Job:
        """The submission of probabilities of which the first are the test rows'."""
        data = self.config.data
        return self.job(
            f"{self.at}submission",
            "submission",
            {
                "boost": boost,
                "ids": data.id is not None or data.label is not None,
                **self.form(),
            },
            {"probabilities": predicted, **self.test_rows()},
        )

    def form(self) -> dict:
        """How the submission is written, where it is not as the competition asked for."""
        asked, usual = self.config.submission, Submission()
        heads = [asked.id, asked.label]
        return asked_for(
            heads=heads if heads != [usual.id, usual.label] else None,
            names=self.classes if asked.values == "names" else None,
        )

    def predict(self, name: str, files: list[str], person: str | None = None) -> Job:
        """Predictions of the rows in files that came later, called `name`; no target of a run.

        Their column of persons is `person`, where the configuration names none.
        """
        data, asked = self.config.data, self.config.submission
        group = data.test_group or data.group
        are_named = any(group in said for _, said in self._files("train").values())
        found = by_role("table", files, group, is_said=self.config.uses_persons and are_named)
        return self.job(
            f"predictions/{name}",
            "predict",
            {
                **{name: getattr(data, name) for name in READING},
                "test_group": data.test_group or (None if data.group else person),
                "person": self.config.scaling.person,
                **asked_for(adapt=self.config.training.adapt != "none"),
                "resolution": self.resolution(self.config.protocols[0]),
                "kind": KINDS[self.config.scheme],
                "model": {**self.config.model.model_dump(), "matmul": self.config.training.matmul},
                "randomness": self.config.training.randomness,
                "classes": self.classes,
                "boost": self.boost,
                "heads": [asked.id, asked.label],
                "values": asked.values,
                **partitions(found),
            },
            {role: file for role, (file, _) in found.items()}
            | {"quality": (f"{self.env}/table", "quality.json")}
            | self.models(),
        )

    def models(self) -> dict:
        """The students behind the submission, and all that their inputs are made with."""
        protocol = self.config.protocols[0]
        parts = self.parts(protocol)
        last = f"{self.run(protocol, self.config.seeds[0])}/gen{self.last}"
        scalers = {_part(fold): self.scaled(protocol, fold) for fold in parts}
        return {
            "train": (self.table, "train.parquet"),
            **self.labels(),
            **(self.fold_input() if parts != [None] else {}),
            **{f"quantiles/{part}": (name, "quantiles.parquet") for part, name in scalers.items()},
            "scores": (self.scaled(protocol, parts[0]), "train.parquet"),
            **{
                f"weights/{_part(fold)}": (f"{last}/{_part(fold)}", "weights.safetensors")
                for fold in self.folds
            },
        }

    def scores(self) -> Job:
        fits = [
            {
                "role": f"{self.run(protocol, seed)}/{stage}/fold{fold}",
                "leak_free": protocol == "nested" and self.config.scheme == "group_kfold",
                "env": self.env,
                "protocol": "kfold" if self.config.scheme == "kfold" else protocol,
                "seed": seed,
                "stage": stage,
                "fold": fold,
            }
            for protocol in self.config.protocols
            for seed in self.config.seeds
            for stage in self.scored(protocol)
            for fold in self.folds
        ]
        inputs = {entry["role"]: (entry["role"], "fit.json") for entry in fits}
        tables = {**self.labels(), **self.fold_input()}
        return self.job(f"{self.at}scores", "scores", {"fits": fits}, {**tables, **inputs})

    def leaderboard(self, submitted: Job | None = None) -> Job:
        """The scores on the test table; `submitted`, where it is of a variant or blend, has one."""
        blends: list[dict[str, Any]] = [
            {
                "role": self.predicted(protocol, seed, generation),
                "env": self.env,
                "protocol": protocol,
                "seed": seed,
                "stage": f"gen{generation}",
            }
            for protocol in self.config.protocols
            for seed in self.config.seeds
            for generation in range(self.last + 1)
        ]
        inputs = {entry["role"]: (entry["role"], "test.parquet") for entry in blends}
        if submitted:
            about = {"env": self.env, "protocol": "nested", "seed": self.config.seeds[0]}
            made = {"role": "probabilities", "boost": submitted.params["boost"]}
            blends.append({**made, **about, "stage": SUBMITTED})
            inputs |= submitted.inputs
        params = {**self.of_truth(), "boost": self.boost, "blends": blends}
        truth = {"truth": self.truth(), **self.test_rows()}
        return self.job("leaderboard", "leaderboard", params, {**truth, **inputs})

    def job(
        self,
        name: str,
        stage: str,
        params: dict,
        inputs: dict | None = None,
        *,
        besides: tuple[str, ...] = (),
        **more: Any,
    ) -> Job:
        """A job of a stage, which makes what the tables have the rows for, and files `besides`."""
        declared = STAGES[stage]
        made = tuple(file for file in declared.makes if file not in self.without)
        return Job(
            name=name,
            stage=stage,
            module=declared.module,
            outputs=made + besides,
            beside=declared.beside and name != stage,
            **{"environment": self.env, "params": params, "inputs": inputs or {}, **more},
        )

    def _fit(self, home: str, fit: str, stage: str, own: dict, network: dict, inputs: dict) -> Job:
        """A fit of the learner; `own` are its parameters, `network` those of a network besides."""
        name, device = f"{home}/{fit}", self.config.training.device
        learner = self.config.learner
        if learner != "network":
            settings = getattr(self.config.learners, learner).model_dump()
            about = {"classes": len(self.classes), "learner": learner, "settings": settings}
            return self.job(
                name,
                "learner",
                {**own, "stage": stage, **about},
                inputs,
                environment=environment_of(learner, self.env),
                packages=packages_of(learner),
            )
        params = {**own, **network}
        if self.config.training.adapt != "none":
            params |= {"adapt": True}
            inputs = {**inputs, **self.persons()}
        if self.config.training.randomness == "derived":
            return self.job(name, stage, params, inputs, device=device)
        # With global randomness it goes on from what the fit before in a script left.
        order = [f"stage0/fold{fold}" for fold in self.folds] + ["gen0/all"] * self.has_teachers
        order += [f"gen{number}/fold{fold}" for number in self.generations for fold in self.folds]
        if place := order.index(fit):
            inputs = {**inputs, "randomness": (f"{home}/{order[place - 1]}", RANDOMNESS)}
        return self.job(name, stage, params, inputs, device=device, besides=(RANDOMNESS,))

    def run(self, protocol: str, seed: int) -> str:
        return f"{self.home}/{protocol}/seed{seed}"

    def scaled(self, protocol: str, fold: int | None) -> str:
        return f"{self.home}/{protocol}/scaled/{_part(fold)}"

    def features(self, protocol: str, fold: int | None) -> dict:
        return self.matrices(self.scaled(protocol, fold))

    def matrices(self, job: str) -> dict:
        """The training rows and the pool of a job that makes matrices, by their roles."""
        tables = ("train", "test") if self.has_pool else ("train",)
        return {table: (job, f"{table}.parquet") for table in tables}

    def labels(self) -> dict:
        return {"rows": (f"{self.env}/table", "train_rows.parquet")}

    def test_rows(self) -> dict:
        return {"rows": (f"{self.env}/table", "test_rows.parquet")}

    def unlabelled(self) -> dict:
        """Whose the unlabelled rows are; nothing where there are none."""
        rows = (f"{self.env}/table", "unlabelled_rows.parquet")
        return {"unlabelled": rows} if self.has_unlabelled else {}

    def unlabelled_folds(self) -> dict:
        """Which rows of the pool a fold must leave out, being those of people it holds out."""
        if self.config.scheme == "kfold" or "unlabelled_folds.parquet" in self.without:
            return {}
        return {"unlabelled": (f"{self.env}/folds", "unlabelled_folds.parquet")}

    def fold_input(self) -> dict:
        return {"folds": (f"{self.env}/folds", "folds.parquet")}

    def fit(
        self, epochs: int | None = None, *, schedule: dict | None, drop_last: bool = True
    ) -> dict:
        t = self.config.training
        return {
            "classes": len(self.classes),
            **asked_for(targets=t.targets),
            "randomness": t.randomness,
            "model": {**self.config.model.model_dump(), "matmul": t.matmul},
            "training": {
                "epochs": epochs or t.epochs,
                "batch": t.batch,
                "learning_rate": t.learning_rate,
                "weight_decay": t.weight_decay,
                "mixup": t.mixup,
                "reconstruction": t.reconstruction,
                "drop_last": drop_last,
                "schedule": schedule,
            },
        }

    def cosine(self) -> dict:
        return {"end": self.config.training.min_learning_rate}

    def plateau(self) -> dict:
        t = self.config.training
        return {"factor": t.plateau_factor, "patience": t.plateau_patience}


def asked_for(**options: Any) -> dict[str, Any]:
    """Those parameters that a configuration asks for: others are none, so that no key has them."""
    return {name: value for name, value in options.items() if value}


def _part(fold: int | None) -> str:
    """The part of the training persons an artifact belongs to: all, or those of one fold."""
    return "all" if fold is None else f"fold{fold}"
