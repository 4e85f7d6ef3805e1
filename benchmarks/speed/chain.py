"""The whole workflow beside the plain script: cold, beside a busy process, after small changes."""

import csv
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import yaml
from benchmarks.speed.measuring import Comparison, Cost, run, task
from sklearn.metrics import f1_score
from tests.project import Project

from emodag.chain.stages import FITS

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "workflow" / "plain_script.py"
SNAKEMAKE = [sys.executable, "-m", "snakemake", "-c2"]
TARGETS = ["results/submission.csv", "results/scores.csv"]
"""What the script makes, too: a submission, and the scores of every fit, stage 0's included."""

PLAIN = {"protocols": ["published"], "model": {"residual": False, "corruption": 0}}
"""The script's method: its protocol and its network."""

STAGES = ("stage0", "gen1", "gen2")

SIZES = {"demo": ["demo"], "middling": ["competition", 18], "competition": ["competition"]}
"""Twins: a size of `emodag.science.synthetic`, and windows per trial if there are to be fewer."""


class Workflow:
    """A copy of the workflow whose results and store can be thrown away."""

    def __init__(self, directory: Path, tables: Path) -> None:
        self.project, self.tables = Project.create(directory), tables

    def configure(self, epochs: int, stage0_epochs: int, seeds: list[int], **changes) -> None:
        """Write the configuration that the next run takes."""
        files = {name: str(self.tables / f"{name}.csv") for name in ("train", "test", "truth")}
        values = {
            **PLAIN,
            "data": {"source": "files", **files},
            "seeds": seeds,
            "training": {
                "epochs": epochs,
                "stage0_epochs": stage0_epochs,
                **changes.pop("training", {}),
            },
            **changes,
        }
        (self.project.path / "speed.yaml").write_text(yaml.safe_dump(values))

    def forget(self) -> None:
        """Remove everything that runs have left."""
        for name in ("results", ".emodag", ".snakemake"):
            shutil.rmtree(self.project.path / name, ignore_errors=True)

    def run(self, *targets: str) -> Cost:
        """Run `snakemake -c2`."""
        targets = targets or tuple(TARGETS)
        command = [*SNAKEMAKE, "--configfile", "speed.yaml", "--", *targets]
        return run(command, self.project.path)

    def scores(self) -> dict[str, float]:
        """Mean macro-F1 by stage: of the best epochs, as the script tells it."""
        found: dict[str, list[float]] = {}
        with (self.project.path / "results" / "scores.csv").open() as lines:
            for row in csv.DictReader(lines):
                found.setdefault(row["stage"], []).append(float(row["macro_f1"]))
        return {stage: statistics.fmean(values) for stage, values in found.items()}

    def hidden(self) -> float:
        """Macro-F1 of the submission on the hidden labels."""
        return hidden(self.project.path / "results" / "submission.csv", self.tables)

    def peaks(self) -> dict[str, float]:
        """The most memory of one job, in MB, by stage."""
        found: dict[str, float] = {}
        for path in (self.project.path / "results" / "local").rglob("provenance.json"):
            record = json.loads(path.read_text())
            stage = json.loads(path.with_name("manifest.json").read_text())["stage"]
            peak = record["cost"]["peak_bytes"] / 2**20
            found[stage] = max(found.get(stage, 0.0), peak)
        return found


def hidden(submission: Path, tables: Path) -> float:
    """Macro-F1 of a submission on the hidden labels."""
    told, truth = (
        np.genfromtxt(path, delimiter=",", skip_header=1, dtype=int)[:, 1]
        for path in (submission, tables / "truth.csv")
    )
    return float(f1_score(truth, told, average="macro"))


def script(tables: Path, scratch: Path, epochs: int, stage0_epochs: int, seed: int) -> Cost:
    """Run the plain script on both cores."""
    given = [tables / "train.csv", tables / "test.csv", scratch / "script.csv"]
    options = {"epochs": epochs, "stage0-epochs": stage0_epochs, "seed": seed, "threads": 2}
    flags = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    command = [sys.executable, str(SCRIPT), *map(str, given), str(scratch / "script.json"), *flags]
    return run(command, scratch)


def script_scores(scratch: Path) -> dict[str, float]:
    """Mean macro-F1 of the best epochs by stage."""
    scores = json.loads((scratch / "script.json").read_text())["scores"]
    return {
        stage: statistics.fmean(v for name, v in scores.items() if name.startswith(f"{stage} "))
        for stage in STAGES
    }


def against(
    name: str,
    goal: float,
    workflow: Workflow,
    scratch: Path,
    rounds: int,
    epochs: int,
    stage0_epochs: int,
) -> Comparison:
    """The whole chain from nothing to the scores beside the plain script, a run seed per round.

    Both go through the same rows, epochs and parameters. The last round's results stay.
    """
    rows, features = _shape(workflow.tables)
    one = Comparison(
        name,
        f"the whole chain from nothing, {rows:,} rows of {features:,} features, {epochs} epochs "
        f"(stage 0: {stage0_epochs}), two cores: `snakemake -c2` against the plain script",
        f"at least {goal}",
    )
    scores: dict[str, list[dict[str, float]]] = {"emodag": [], "script": []}
    for seed in range(1, rounds + 1):
        workflow.forget()
        workflow.configure(epochs, stage0_epochs, [seed])
        one.costs.setdefault("emodag", []).append(workflow.run())
        scores["emodag"].append({**workflow.scores(), "hidden": workflow.hidden()})
        made = script(workflow.tables, scratch, epochs, stage0_epochs, seed)
        one.costs.setdefault("script", []).append(made)
        told = hidden(scratch / "script.csv", workflow.tables)
        scores["script"].append({**script_scores(scratch), "hidden": told})
    one.compare("script", "emodag", lambda ratio: ratio >= goal)
    one.facts = {"scores": scores, "peak of a job": workflow.peaks()}
    return one


def changed(
    workflow: Workflow, whole: Comparison, epochs: int, stage0_epochs: int
) -> list[Comparison]:
    """The chain again after a change of generation 2, and after one of the submission's code.

    Parameters
    ----------
    whole : what `against` found; the last of its rounds is what changes.
    """
    seed = len(whole.costs["emodag"])
    boost = {"boost": {"HVHA": 1.25}}
    workflow.configure(epochs, stage0_epochs, [seed], pseudo_labels=boost)
    generation = Comparison(
        "generation",
        "the same again after a change of `pseudo_labels.boost`, which generation 2 alone uses",
        "at most 0.4",
        costs={"emodag": [workflow.run()], "cold": whole.costs["emodag"][-1:]},
    )
    generation.compare("emodag", "cold", lambda ratio: ratio <= 0.4)
    with _edited(workflow.project.path / "workflow/emodag/stages/submission.py"):
        cost = workflow.run(TARGETS[0])
    submission = Comparison(
        "submission",
        "the same again after a change of the code that writes the submission",
        "under 5 s",
        "seconds",
        costs={"emodag": [cost]},
        ratios=[cost.wall],
        reached=cost.wall < 5,
    )
    return [generation, submission]


def memory(whole: Comparison) -> list[Comparison]:
    """What `against` found of memory."""
    chain = Comparison("memory", "the most memory at once in those runs", "under 5,120 MB", "MB")
    chain.ratios = [cost.peak for cost in whole.costs["emodag"]]
    chain.reached = max(chain.ratios) < 5 * 1024
    chain.facts = {"script": [cost.peak for cost in whole.costs["script"]]}
    fit = Comparison("fit memory", "the most memory of one fit", "at most 1,536 MB", "MB")
    fit.ratios = [whole.facts["peak of a job"][stage] for stage in FITS]
    fit.reached = max(fit.ratios) <= 1.5 * 1024
    return [chain, fit]


def busy(workflow: Workflow, tables: Path, scratch: Path, epochs: int) -> Comparison:
    """How much longer the chain takes while another process keeps one of the two cores busy."""
    one = Comparison(
        "busy",
        f"the whole chain, {epochs} epoch(s), with another process that is always busy",
        "at most 1.75",
    )
    workflow.configure(epochs, epochs, [1])
    for name in ("", ", busy"):
        with _neighbour() if name else _nobody():
            workflow.forget()
            one.costs[f"emodag{name}"] = [workflow.run()]
            one.costs[f"script{name}"] = [script(tables, scratch, epochs, epochs, 1)]
    one.compare("emodag, busy", "emodag", lambda ratio: ratio <= 1.75)
    slowed = one.costs["script, busy"][0].wall / one.costs["script"][0].wall
    one.facts = {"the script takes longer by": slowed}
    return one


def matmuls(workflow: Workflow, seeds: int, epochs: int) -> Comparison:
    """What `training.matmul` does to the scores, with the same run seeds."""
    rows, features = _shape(workflow.tables)
    one = Comparison(
        "scores",
        f"macro-F1 with `training.matmul: bfloat16` less that without: {seeds} run seeds, "
        f"{rows:,} rows of {features:,} features, {epochs} epochs; on hidden labels",
        "told, and off by default",
        "difference",
    )
    found = {}
    for name in ("ordered", "torch", "bfloat16"):
        workflow.forget()
        workflow.configure(
            epochs,
            max(1, round(epochs * 0.4)),
            list(range(1, seeds + 1)),
            training={"matmul": name},
            model={},
        )
        one.costs[name] = [workflow.run("results/scores.csv", "results/leaderboard.csv")]
        found[name] = _all_scores(workflow.project.path / "results")
    for key, scores in found["ordered"].items():
        differences = {
            name: np.subtract(found[name][key], scores).tolist() for name in ("torch", "bfloat16")
        }
        one.facts[key] = {
            "ordered": scores,
            "between seeds": statistics.stdev(scores),
            **differences,
        }
    one.ratios = one.facts["hidden labels"]["bfloat16"]
    return one


def _all_scores(results: Path) -> dict[str, list[float]]:
    """By stage, the mean of the folds per run seed (last epoch); hidden ones of generation 2."""
    found: dict[str, dict[str, list[float]]] = {}
    with (results / "scores.csv").open() as lines:
        for row in csv.DictReader(lines):
            score = float(row["macro_f1_last_epoch"])
            found.setdefault(row["stage"], {}).setdefault(row["seed"], []).append(score)
    with (results / "leaderboard.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["stage"] == STAGES[-1]:
                by_seed = found.setdefault("hidden labels", {})
                by_seed.setdefault(row["seed"], []).append(float(row["macro_f1"]))
    return {
        key: [statistics.fmean(by_seed[seed]) for seed in sorted(by_seed, key=int)]
        for key, by_seed in found.items()
    }


def tables_of(scratch: Path, size: str) -> Path:
    """Make the tables of a twin; returns their directory."""
    directory = scratch / f"tables-{size}"
    task("twin", f"{directory}/", *SIZES[size], directory=scratch)
    return directory


def _shape(tables: Path) -> tuple[int, int]:
    import pyarrow.parquet as pq

    files = [pq.ParquetFile(tables / f"{name}.parquet").metadata for name in ("train", "test")]
    return sum(file.num_rows for file in files), files[1].num_columns - 1


@contextmanager
def _edited(path: Path) -> Iterator[None]:
    """The stage's module with one statement more, which changes no result."""
    before = path.read_text()
    at = before.index("    probabilities = ")
    path.write_text(f"{before[:at]}    params = dict(params)\n{before[at:]}")
    try:
        yield
    finally:
        path.write_text(before)


@contextmanager
def _neighbour() -> Iterator[None]:
    """A process that computes without end."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def _nobody() -> Iterator[None]:
    yield
