"""`python -m emodag check [FILE]`: what is understood of the tables, and what a run will take."""

import argparse
import importlib
import json
import os
import shlex
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from emodag.chain.stages import FITS
from ledger.cli.printing import tell
from ledger.errors import ConfigError, UserError
from ledger.jobs.job import Job
from ledger.words import duration, listed, naturally, plural

if TYPE_CHECKING:
    from emodag.config.sections import Config

TABLES = ("synthesize", "ingest", "folds")
SCORED = ("submission", "scores", "leaderboard")

START = 0.3
"""Seconds of a job besides what its stage takes."""

SCALED, COLUMNS = 1 << 21, 16
"""Cells that scaling is measured with, and columns at least."""

WIDEST = 4096
"""Features that the step is measured with at most; of more the weights grow with the square."""


def add(verbs) -> None:
    """Add the verb to the command line."""
    check = verbs.add_parser(
        "check",
        help="read the tables and say what was understood, and what a run will take",
        description="Read the tables that a configuration names, as the run would, and say what "
        "was understood of them, what is suspicious, and how many jobs and minutes the run will "
        "take. Writes nothing.",
    )
    check.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="configuration files on top of config.yaml",
    )
    check.set_defaults(verb=_check)


def _check(options: argparse.Namespace) -> int:
    from emodag.chain.chain import only_one_generation, positions_of_numbers
    from emodag.chain.jobs import jobs
    from emodag.chain.settled import settled
    from emodag.chain.variants import fewer_trials
    from emodag.config.combined import combined
    from ledger.machine.fingerprint import THREAD_VARIABLES

    config = settled(combined(options.files, []), read_only=True)
    chain = jobs(config)
    threads = config.environments[config.environment].threads
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))  # before torch is loaded
    looking = Looking()
    with TemporaryDirectory() as directory:
        where = Path(directory)
        try:
            reading = _make_tables(config, chain, where, looking)
            _require_truth(chain, where, looking)
            _require_batches(config, where)
        except UserError as error:
            raise type(error)(*(part.replace(f"{where}/", "") for part in error.args)) from error
        quality = json.loads(
            (where / config.environment / "table/quality.json").read_text(encoding="utf-8")
        )
        tell(*_understood(config, quality))
        tell(*(_line("note", note) for note in looking.notes))
        tell(*(f"WARNING {warning}" for warning in looking.warnings))
        features = quality["features"]
        scaling = _seconds_of_scaling(config, chain, quality, where)
        measured = min(features, WIDEST)
        more = _weights(config, features) / _weights(config, measured)
    fit = _seconds_of_fit(config, measured)
    taken = Seconds(reading, scaling, *(more * each for each in fit))
    tell(*_cost(config, chain, quality["rows"], taken))
    tell(*_memory(config, features))
    less = only_one_generation(config), fewer_trials(config, chain)
    for told in filter(None, (*less, positions_of_numbers(config))):
        tell(_line("", told))
    files = ["--configfile", *map(str, options.files)] if options.files else []
    targets = ["submission" if "submission" in chain else "scores"]
    targets += ["variants"] * ("variants" in chain)
    named = [f"results/{name}.csv" for name in targets]
    tell(f"Next: {shlex.join(['snakemake', f'-c{os.cpu_count()}', *named, *files])}")
    return 0


class Seconds(NamedTuple):
    """What a run is made of, in CPU seconds here: measured, as others may be busy.

    Attributes
    ----------
    reading : the tables.
    scaling : all features, once.
    fit, step : what a fit takes besides its steps of training, and one of these.
    """

    reading: float
    scaling: float
    fit: float
    step: float


class Looking:
    """What stages that fit nothing may ask for (`ledger.context.Context`); keeps what they say."""

    def __init__(self) -> None:
        self.workers = os.cpu_count() or 1
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def note(self, message: str) -> None:
        """Keep what is worth knowing."""
        self.notes.append(message)

    def warn(self, message: str) -> None:
        """Keep a warning."""
        self.warnings.append(message)

    def saw_labels_of(self, persons: Iterable[object]) -> None:
        """Nothing is kept of what is made here."""


def _make_tables(
    config: "Config", chain: Mapping[str, Job], where: Path, looking: Looking
) -> float:
    """Have the stages that only read make their outputs below the directory `where`.

    Returns the CPU seconds that takes, but for loading code.
    """
    asked = [j for j in chain.values() if j.stage in TABLES and j.environment == config.environment]
    stages = {job.stage: importlib.import_module(job.module) for job in asked}
    began = time.process_time()
    for job in asked:
        inputs = {
            role: Path(origin) if isinstance(origin, str) else where.joinpath(*origin)
            for role, origin in job.inputs.items()
        }
        made = where / job.name
        made.mkdir(parents=True)
        stages[job.stage].run(inputs, job.params, made, looking)
    return time.process_time() - began


def _require_truth(chain: Mapping[str, Job], where: Path, looking: Looking) -> None:
    """Read the true labels of the test rows, if any, as the leaderboard will."""
    from emodag.science.tables.ingest import true_classes
    from emodag.science.tables.matrices import read_columns

    for job in chain.values():
        if job.stage == "leaderboard":
            truth, rows = job.inputs["truth"], where.joinpath(*job.inputs["rows"])
            path = Path(truth) if isinstance(truth, str) else where.joinpath(*truth)
            true_classes(path, read_columns(rows)["id"], job.params, looking.note)


def _require_batches(config: "Config", where: Path) -> None:
    """Refuse a batch that is larger than what a fold leaves to learn from, as fits do."""
    import numpy as np

    from emodag.science.folds import assignments
    from emodag.science.tables.matrices import read_columns

    if config.learner == "network":
        table = read_columns(where / config.environment / "folds/folds.parquet")
        for held_out_by in assignments(table, "group_fold"):
            left = len(held_out_by) - int(np.bincount(held_out_by).max())
            if left < config.training.batch:
                raise ConfigError(
                    f"a fold leaves {left} training rows, which make no batch of "
                    f"{config.training.batch}. Lower `training.batch` in the configuration"
                )


def _understood(config: "Config", quality: Mapping[str, Any]) -> Iterator[str]:
    data, rows = config.data, quality["rows"]
    titles = {"train": "training table", "test": "test table", "unlabelled": "unlabelled"}
    for name in filter(rows.__contains__, titles):
        files = getattr(data, name) or "made up"
        files = files if isinstance(files, str) else listed(files)
        files = "of the training table" if files == "rows" else files
        yield _line(titles[name], f"{files}: {plural(rows[name], 'row')}")
    persons = listed(sorted(quality["rows_per_person"], key=naturally))
    yield _line("persons", f"{_rows_of_each(quality['rows_per_person'])}: {persons}")
    if others := set(quality.get("unlabelled_rows_per_person", ())) - {*quality["rows_per_person"]}:
        told = listed(sorted(others, key=naturally))
        yield _line("", f"and {len(others)} without a row that has a label: {told}")
    if tested := quality.get("test_rows_per_person"):
        yield _line("persons, test", _rows_of_each(tested))
    classes = quality["class_counts"]
    yield _line("classes", listed(f"{name} {classes[name]:,}" for name in data.classes))
    yield _line("features", f"{quality['features']:,}")
    for name in ("ignored", "dropped", "constant"):
        if columns := quality[f"{name}_columns"]:
            yield _line(name, f"{len(columns):,}: {listed(columns)}")
    if groups := quality["duplicate_columns"]:
        yield _line("equal", listed(" = ".join(group) for group in groups))
    for table, cells in quality["cells"].items():
        kinds = [kind for kind in cells if cells[kind]["total"]]
        if kinds:
            told = ", ".join(f"{cells[kind]['total']:,} {kind.replace('_', ' ')}" for kind in kinds)
            columns = set().union(*(cells[kind]["columns"] for kind in kinds))
            where = "one feature" if len(columns) == 1 else f"{len(columns):,} features"
            yield _line(f"cells, {table}", f"{told}; in {where}")


def _rows_of_each(counts: Mapping[str, int]) -> str:
    ends = sorted({min(counts.values()), max(counts.values())})
    return f"{len(counts)} of {' to '.join(f'{count:,}' for count in ends)} rows each"


def _line(title: str, text: str) -> str:
    return f"{title:16}{text}"


def _seconds_of_scaling(
    config: "Config", chain: Mapping[str, Job], quality: Mapping[str, Any], where: Path
) -> float:
    """How long one scaling of all features takes here, by that of some of them."""
    import pyarrow.parquet as pq

    from emodag.stages import scale

    job = next(job for job in chain.values() if job.stage == "scale")
    table, few = where / config.environment / "table", where / "scaling"
    (few / "made").mkdir(parents=True)
    names = pq.read_schema(table / "train.parquet").names
    some = names[: max(SCALED // sum(quality["rows"].values()), COLUMNS)]
    inputs = {}
    for name in ("train", "test"):
        if (table / f"{name}.parquet").exists():
            inputs[name] = few / f"{name}.parquet"
            pq.write_table(pq.read_table(table / f"{name}.parquet", columns=some), inputs[name])
    began = time.process_time()
    scale.run(inputs, {**job.params, "fold": None}, few / "made", Looking())
    return (time.process_time() - began) * len(names) / len(some)


def _seconds_of_fit(config: "Config", features: int) -> tuple[float, float]:
    """How long a fit takes here besides its steps, and one of these: short fits of made-up rows."""
    import numpy as np
    import torch

    from emodag.chain.chain import Chain
    from emodag.science.fit.randomness import Derived
    from emodag.science.fit.training import fit
    from emodag.science.seeds import generator
    from emodag.stages.fitting import fit_settings, model_settings

    params = Chain(config, config.environment).fit(schedule=None)
    steps, classes = 4, len(config.data.classes)
    rows = np.arange(steps * config.training.batch)
    values = np.random.default_rng(0).standard_normal((len(rows), features), dtype=np.float32)
    taken = {}
    for epochs in (1, 1, 3):  # the first time is longer
        began = time.process_time()
        fit(
            torch.from_numpy(values),
            rows,
            rows % classes,
            classes=classes,
            model=model_settings(params["model"], torch.device("cpu")),
            settings=fit_settings({**params["training"], "epochs": epochs}),
            randomness=Derived(lambda purpose: generator("check", purpose)),
        )
        taken[epochs] = time.process_time() - began
    threads = config.environments[config.environment].threads
    step = max(0.0, taken[3] - taken[1]) / (2 * steps * threads)
    return max(0.0, taken[1] / threads - steps * step), step


def _cost(
    config: "Config", chain: Mapping[str, Job], rows: Mapping[str, int], taken: Seconds
) -> Iterator[str]:
    """Jobs and minutes of the submission, if there is one, of the scores, and of variants."""
    cores = os.cpu_count() or 1
    asked = {"submission": ["submission"], "and its scores": SCORED}
    asked = asked if "submission" in chain else {"scores": ["scores"]}
    if "variants" in chain:
        asked["and variants"] = (*SCORED, "variants")
    for title, stages in asked.items():
        names = _above(chain, [name for name in stages if name in chain])
        fits = [chain[name] for name in names if chain[name].stage in FITS]
        scalings = sum(chain[name].stage == "scale" for name in names)
        steps = sum(_steps(job, rows, config) for job in fits)
        seconds = steps * taken.step + len(fits) * taken.fit + scalings * taken.scaling
        seconds = taken.reading + (seconds + START * len(names)) / min(cores, len(fits) or 1)
        told = f"{len(names)} jobs, {len(fits)} fits of up to {steps:,} steps in all"
        yield _line(title, f"{told}: about {duration(seconds)} on {cores} cores")
        if others := sum(chain[name].stage == "learner" for name in names):
            yield _line("", f"besides {others} fits of other learners, which are not measured")
    if config.next_round:
        left = config.search.trials - len(config.trials)
        yield _line("", f"besides {plural(left, 'trial')} more, drawn from the scores of these")
    batch = config.training.batch
    measured = f"a step of {batch} rows takes {taken.step * 1000:.0f} ms here"
    tables = f"reading the tables {taken.reading:.1f} s, and scaling them {taken.scaling:.1f} s"
    yield _line("", f"{measured}, {tables}, measured just now")


def _weights(config: "Config", features: int) -> int:
    """How many weights the network has that grow with the features, nearly all of a wide one's."""
    model = config.model
    gate = max(1, features // model.gate_ratio) if model.attention else 0
    return 2 * features * (gate + model.hidden)


def _memory(config: "Config", features: int) -> Iterator[str]:
    """What a fit takes of it, if it is much: weights, gradients and two moments in float32."""
    if (needed := 16 * _weights(config, features) / 1e9) >= 1:
        yield _line("", f"a fit takes about {needed:.0f} GB of memory for {features:,} features")


def _steps(job: Job, rows: Mapping[str, int], config: "Config") -> int:
    """At most so many steps: with every row to predict pseudo-labelled."""
    share = 1 if job.params.get("fold") is None else 1 - 1 / config.folds
    pool = rows.get("test", 0) + rows.get("unlabelled", 0)
    most = rows["train"] * share + (pool if job.stage == "student" else 0)
    return round(job.params["training"]["epochs"] * most / config.training.batch)


def _above(chain: Mapping[str, Job], targets: Iterable[str]) -> set[str]:
    """Jobs and all that they rest on."""
    found: set[str] = set()
    left = list(targets)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [o[0] for o in chain[name].inputs.values() if not isinstance(o, str)]
    return found
