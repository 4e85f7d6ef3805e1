"""The chain: which jobs a configuration asks for, and what each needs and makes.

This is the one table where the rooms meet: it names the stages of `emodag.stages`, the artifacts
they exchange and the parameters each declares, for the planner and for Snakemake's rules alike.
"""

from collections.abc import Iterator
from typing import Any

from emodag.chain.stages import RANDOMNESS, STAGES
from emodag.config.raw_files import by_role, partitions
from emodag.config.sections import Config, Submission
from ledger.jobs.job import Job

SHUFFLE_SEED = 1
"""Seed of stage 0's shuffled KFold in the reported run."""

SCIKIT_LEARN_RESOLUTION = 1e-7
"""Absolute margin below which scikit-learn's QuantileTransformer takes a value for a bound."""

READING = (
    *("label", "group", "id", "test_group", "ignore"),
    *("decimals", "separator", "decimal", "missing_values", "missing", "infinite"),
)
"""The settings by which a table's columns and cells are read."""


def only_one_generation(config: Config) -> str | None:
    """Why there are fewer generations than a configuration asks for, None if there are not."""
    if config.data.has_pool or config.generations == 1:
        return None
    return (
        "no rows without labels, by `data.test` or `data.unlabelled`, and so no pseudo-labels: one "
        f"generation of students in place of {config.generations}"
    )


class Chain:
    """The chain of one configuration in one environment, written down stage by stage.

    Students learn from a pool of rows without labels, too: those of the test table, then those of
    `data.unlabelled`. Without any there are no pseudo-labels, and so a single generation.

    The number of its folds must be known; see `emodag.chain.person_count`.
    """

    def __init__(self, config: Config, env: str) -> None:
        self.config = config
        self.env = env
        self.classes = config.data.classes
        self.no_boost = [1.0] * len(self.classes)
        factors = config.pseudo_labels.boost or {}
        self.boost = [factors.get(name, 1.0) for name in self.classes]
        self.folds = range(config.folds * config.folds_repeats)
        self.has_test, self.has_pool = config.data.has_test, config.data.has_pool
        self.has_unlabelled = config.data.unlabelled is not None
        self.is_by_person = config.scaling.person != "none"
        self.generations = range(1, config.generations + 1 if self.has_pool else 2)
        made = {
            "test.parquet": self.has_pool,
            "test_rows.parquet": self.has_test,
            "unlabelled_rows.parquet": self.has_unlabelled,
            "unlabelled_folds.parquet": self.has_unlabelled,
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
        parts = self.parts(protocol) if self.has_pool else []
        yield from (self.teacher(protocol, seed, fold) for fold in parts)
        for generation in self.generations:
            for fold in parts:
                yield self.pseudo_label(protocol, seed, generation, fold)
            for fold in self.folds:
                yield self.student(protocol, seed, generation, fold)
            if self.has_pool:
                yield self.blend(protocol, seed, generation)

    def parts(self, protocol: str) -> list[int | None]:
        """The parts of the training persons that scalers and teachers are fitted on."""
        return [None] if protocol == "published" else list(self.folds)

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
            | ({"unlabelled": "rows"} if data.unlabelled == "rows" else {})
            | ({"test_blocks": self.test_blocks()} if self.is_by_person else {})
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
        return by_role(table, getattr(self.config.data, table))

    def is_table(self, name: str) -> bool:
        """Whether `train`, `test` or `unlabelled` is a table of its own."""
        if self.config.data.source == "synthetic":
            return name != "unlabelled"
        return getattr(self.config.data, name) not in (None, "rows")

    def truth(self) -> tuple[str, str] | str | None:
        if self.config.data.source == "synthetic":
            return ("raw", "truth.csv")
        return self.config.data.truth

    def written(self) -> dict[str, Any]:
        """How tables of text are written, as `emodag.science.tables.ingest.open_table` takes it."""
        data = self.config.data
        return {
            "separator": data.separator,
            "decimal": data.decimal,
            "missing": data.missing_values,
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
            {**self.labels(), **self.unlabelled("table", "unlabelled_rows.parquet")},
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
            f"{self.env}/by_person",
            "by_person",
            {"kind": self.config.scaling.person},
            {
                **self.matrices(table),
                **self.labels(),
                **({"test_rows": (table, "test_rows.parquet")} if self.has_test else {}),
                **self.unlabelled("table", "unlabelled_rows.parquet"),
            },
        )

    @property
    def table(self) -> str:
        """The job whose matrices are scaled."""
        return f"{self.env}/{'by_person' if self.is_by_person else 'table'}"

    def repeats(self) -> dict:
        """The parameter of stages that must know how often there are so many folds, if several."""
        repeats = self.config.folds_repeats
        return {"repeats": repeats} if repeats > 1 else {}

    def scale(self, protocol: str, fold: int | None) -> Job:
        inputs = self.matrices(self.table)
        if fold is not None:
            inputs |= {**self.fold_input(), **self.unlabelled_folds()}
        params = {**self.config.scaling.model_dump(exclude={"person"}), "fold": fold}
        params |= {"resolution": self.resolution(protocol)}
        return self.job(self.scaled(protocol, fold), "scale", params, inputs)

    def resolution(self, protocol: str) -> float:
        return SCIKIT_LEARN_RESOLUTION if protocol == "published" else 0.0

    def stage0(self, seed: int, fold: int) -> Job:
        return self._fit(
            self.run("published", seed),
            f"stage0/fold{fold}",
            "stage0",
            {
                "seed": seed,
                "fold": fold,
                **self.fit(self.config.training.stage0_epochs, schedule=None, drop_last=False),
            },
            {**self.features("published", None), **self.labels(), **self.fold_input()},
        )

    def teacher(self, protocol: str, seed: int, fold: int | None) -> Job:
        inputs = {**self.features(protocol, fold), **self.labels()}
        if fold is not None:
            inputs |= self.fold_input()
        params = {"seed": seed, "fold": fold, **self.fit(schedule=self.cosine())}
        home = self.run(protocol, seed)
        return self._fit(home, f"gen0/{_part(fold)}", "teacher", params, inputs)

    def pseudo_label(self, protocol: str, seed: int, generation: int, fold: int | None) -> Job:
        before = f"{self.run(protocol, seed)}/gen{generation - 1}"
        blended = fold is None and generation > 1
        origin = f"{before}/{'blend' if blended else _part(fold)}"
        left_out = {} if fold is None else self.unlabelled_folds()
        return self.job(
            f"{self.run(protocol, seed)}/gen{generation}/pseudo_labels/{_part(fold)}",
            "pseudo_label",
            {
                "threshold": self.config.pseudo_labels.threshold,
                "boost": self.boost if generation > 1 else self.no_boost,
                **({"fold": fold} if left_out else {}),
            },
            {"probabilities": (origin, "test.parquet"), **left_out},
        )

    def student(self, protocol: str, seed: int, generation: int, fold: int) -> Job:
        part = None if protocol == "published" else fold
        home = self.run(protocol, seed)
        schedule = self.plateau() if protocol == "published" else self.cosine()
        labels = f"{home}/gen{generation}/pseudo_labels/{_part(part)}"
        pseudo = {"pseudo_labels": (labels, "pseudo_labels.parquet")} if self.has_pool else {}
        return self._fit(
            home,
            f"gen{generation}/fold{fold}",
            "student",
            {
                "seed": seed,
                "generation": generation,
                "fold": fold,
                **self.fit(schedule=schedule),
            },
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
        data = self.config.data
        run = self.run(self.config.protocols[0], self.config.seeds[0])
        return self.job(
            "submission",
            "submission",
            {
                "boost": self.boost,
                "ids": data.id is not None or data.label is not None,
                **self.form(),
            },
            {
                "probabilities": (f"{run}/gen{self.generations[-1]}/blend", "test.parquet"),
                **self.test_rows(),
            },
        )

    def form(self) -> dict:
        """How the submission is written, where it is not as the competition asked for."""
        asked, usual = self.config.submission, Submission()
        heads = [asked.id, asked.label]
        return {
            **({"heads": heads} if heads != [usual.id, usual.label] else {}),
            **({"names": self.classes} if asked.values == "names" else {}),
        }

    def predict(self, name: str, files: list[str]) -> Job:
        """Predictions of the rows in files that came later, called `name`; no target of a run."""
        data, asked, found = self.config.data, self.config.submission, by_role("table", files)
        return self.job(
            f"predictions/{name}",
            "predict",
            {
                **{name: getattr(data, name) for name in READING},
                "person": self.config.scaling.person,
                "resolution": self.resolution(self.config.protocols[0]),
                "model": {**self.config.model.model_dump(), "matmul": self.config.training.matmul},
                "randomness": self.config.training.randomness,
                "classes": self.classes,
                "boost": self.boost,
                "heads": [asked.id, asked.label],
                "values": asked.values,
                **partitions(found),
            },
            {**{role: file for role, (file, _) in found.items()}, **self.models()},
        )

    def models(self) -> dict:
        """The students behind the submission, and all that their inputs are made with."""
        protocol = self.config.protocols[0]
        parts = self.parts(protocol)
        last = f"{self.run(protocol, self.config.seeds[0])}/gen{self.generations[-1]}"
        scalers = {_part(fold): self.scaled(protocol, fold) for fold in parts}
        return {
            "train": (self.table, "train.parquet"),
            **self.labels(),
            **(self.fold_input() if parts != [None] else {}),
            **{f"quantiles/{part}": (name, "quantiles.parquet") for part, name in scalers.items()},
            "scores": (self.scaled(protocol, parts[0]), "train.parquet"),
            **{
                f"weights/fold{fold}": (f"{last}/fold{fold}", "weights.safetensors")
                for fold in self.folds
            },
        }

    def scores(self) -> Job:
        fits = [
            {
                "role": f"{self.run(protocol, seed)}/{stage}/fold{fold}",
                "leak_free": protocol == "nested",
                "env": self.env,
                "protocol": protocol,
                "seed": seed,
                "stage": stage,
                "fold": fold,
            }
            for protocol in self.config.protocols
            for seed in self.config.seeds
            for stage in (["stage0"] if protocol == "published" else [])
            + [f"gen{generation}" for generation in self.generations]
            for fold in self.folds
        ]
        inputs = {entry["role"]: (entry["role"], "fit.json") for entry in fits}
        return self.job(
            "scores", "scores", {"fits": fits}, {**self.labels(), **self.fold_input(), **inputs}
        )

    def leaderboard(self) -> Job:
        blends = [
            {
                "role": f"{self.run(protocol, seed)}/gen{generation}/blend",
                "env": self.env,
                "protocol": protocol,
                "seed": seed,
                "stage": f"gen{generation}",
            }
            for protocol in self.config.protocols
            for seed in self.config.seeds
            for generation in self.generations
        ]
        inputs = {entry["role"]: (entry["role"], "test.parquet") for entry in blends}
        params = {
            "label": self.config.data.label,
            "id": self.config.data.id,
            "written": self.written(),
            "classes": self.classes,
            "boost": self.boost,
            "blends": blends,
        }
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
        made = tuple(file for file in STAGES[stage].makes if file not in self.without)
        facts = {"environment": self.env, "params": params, "inputs": inputs or {}, **more}
        return Job(
            name=name, stage=stage, module=STAGES[stage].module, outputs=made + besides, **facts
        )

    def _fit(self, home: str, fit: str, stage: str, params: dict, inputs: dict) -> Job:
        """A fit; with global randomness it goes on from what the one before in a script left."""
        name, device = f"{home}/{fit}", self.config.training.device
        if self.config.training.randomness == "derived":
            return self.job(name, stage, params, inputs, device=device)
        order = [f"stage0/fold{fold}" for fold in self.folds] + ["gen0/all"] * self.has_pool
        order += [f"gen{number}/fold{fold}" for number in self.generations for fold in self.folds]
        if place := order.index(fit):
            inputs = {**inputs, "randomness": (f"{home}/{order[place - 1]}", RANDOMNESS)}
        return self.job(name, stage, params, inputs, device=device, besides=(RANDOMNESS,))

    def run(self, protocol: str, seed: int) -> str:
        return f"{self.env}/{protocol}/seed{seed}"

    def scaled(self, protocol: str, fold: int | None) -> str:
        return f"{self.env}/{protocol}/scaled/{_part(fold)}"

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

    def unlabelled(self, job: str, file: str) -> dict:
        """What a job says of the unlabelled rows; nothing where there are none."""
        return {"unlabelled": (f"{self.env}/{job}", file)} if self.has_unlabelled else {}

    def unlabelled_folds(self) -> dict:
        """Which unlabelled rows a fold must leave out, being those of people it holds out."""
        return self.unlabelled("folds", "unlabelled_folds.parquet")

    def fold_input(self) -> dict:
        return {"folds": (f"{self.env}/folds", "folds.parquet")}

    def fit(
        self, epochs: int | None = None, *, schedule: dict | None, drop_last: bool = True
    ) -> dict:
        t = self.config.training
        return {
            "classes": len(self.classes),
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


def _part(fold: int | None) -> str:
    """The part of the training persons an artifact belongs to: all, or those of one fold."""
    return "all" if fold is None else f"fold{fold}"
