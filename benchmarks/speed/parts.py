"""Single parts of the work: scaling, reading, a training step, imports, nothing to do."""

import contextlib
import json
import os
import shutil
import signal
import statistics
import sys
import time
from pathlib import Path
from unittest.mock import patch

import psutil
from benchmarks.cost import SHAPE
from benchmarks.speed.measuring import Comparison, Cost, run, task
from benchmarks.speed.tasks import ROWS, WIDTH, operations
from tests.project import START, Project, listens

from emodag.chain.jobs import LOADED
from emodag.chain.stages import FITS
from ledger.jobs.plan import read_plan
from ledger.run import forking, turn
from ledger.store.sidecar import sidecar_path

BARE = Path(__file__).resolve().parents[1] / "bare.smk"
NO_OP = ["-c2", "results/submission.csv"]
STAGES = ("ingest", "folds", "scale", "stage0", "teacher", "pseudo_label", "student", "blend")


def no_op(scratch: Path, rounds: int) -> Comparison:
    """`snakemake` with nothing to do, beside a bare Snakemake DAG of the same shape."""
    bare = scratch / "bare"
    bare.mkdir()
    shutil.copy(BARE, bare / "Snakefile")
    project = Project.create(scratch / "idle", **SHAPE, training={"epochs": 1, "stage0_epochs": 1})
    for table in ("train.csv", "test.csv"):
        shutil.copy(project.path / table, bare)
    ours = ([sys.executable, "-m", "snakemake", *NO_OP, "--configfile", "small.yaml"], project.path)
    theirs = ([sys.executable, "-m", "snakemake", *NO_OP], bare)
    run(*ours), run(*theirs)
    one = Comparison(
        "no-op", "CPU of `snakemake` where nothing has changed, and of a bare DAG", "at most 1.15"
    )
    for _ in range(rounds):
        one.costs.setdefault("emodag", []).append(run(*ours))
        one.costs.setdefault("bare Snakemake", []).append(run(*theirs))
    one.compare("emodag", "bare Snakemake", lambda ratio: ratio <= 1.15, of="cpu")
    return one


def start(scratch: Path, rounds: int) -> Comparison:
    """Jobs of a tiny table by their rules' command, as forks, none of whose results is known."""
    one = Comparison(
        "start",
        "CPU of a job of a tiny table over what its stage takes, and of importing its libraries",
        "at most 0.15 s",
        "seconds over what the stage takes, a figure per job",
    )
    project = Project.create(scratch / "started", **SHAPE)
    project.snakemake("results/submission.csv")
    variables = {"PYTHONPATH": str(project.path / "workflow"), "PYTHONNOUSERSITE": "1"}
    with contextlib.chdir(project.path), patch.dict(os.environ, variables):
        environment = read_plan(turn.latest(), "local/table").environment
        forking.offer(environment, environment.fingerprint(), sys.executable, LOADED)
        while not listens(os.environ[forking.ADDRESS]):
            time.sleep(0.01)
        os.environ["LEDGER_FITS"] = "1"
        run([*START, "-m", "platform"], project.path)  # answered once all is loaded
        loaded = psutil.Process().children()[-1]
        processes = [loaded, *loaded.children()]
        modules = ", ".join(name for name in LOADED if name != "--")
        libraries = [sys.executable, "-c", f"import {modules}"]
        for _ in range(rounds):
            one.costs.setdefault("the libraries alone", []).append(run(libraries, project.path))
            shutil.rmtree(".emodag/store/actions")
            for manifest in sorted(Path("results").rglob("manifest.json"), key=_made):
                before = _cpu(processes)
                os.environ.pop("LEDGER_FITS", None)
                if json.loads(manifest.read_text())["stage"] in FITS:
                    os.environ["LEDGER_FITS"] = "1"
                command = [*START, "-m", "emodag", "run", str(manifest)]
                cost = run(command, project.path)
                taken = json.loads(sidecar_path(manifest).read_text())["cost"]["cpu_seconds"]
                over = cost.cpu + _cpu(processes) - before - taken
                one.ratios.append(over)
        os.killpg(loaded.pid, signal.SIGKILL)
    one.reached = statistics.median(one.ratios) <= 0.15
    return one


def _cpu(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that processes and their ended children have used."""
    return sum(sum(process.cpu_times()[:4]) for process in processes)


def _made(manifest: Path) -> int:
    """When a job ended; whatever it reads was made before."""
    return manifest.stat().st_mtime_ns


def scaling(tables: Path, scratch: Path, rounds: int) -> Comparison:
    """Quantile scaling beside scikit-learn's."""
    one = Comparison("scaling", "", "at least 5, and equal to the last bit")
    digests = set()
    for _ in range(rounds):
        for name, how in (
            ("emodag", ("emodag", 2)),
            ("emodag, one thread", ("emodag", 1)),
            ("scikit-learn", ("scikit-learn",)),
        ):
            cost, found = task("quantiles", f"{tables}/", *how, directory=scratch)
            one.costs.setdefault(name, []).append(cost)
            digests.add(found["sha256"])
    rows, features = found["shape"]
    one.what = f"quantile scaling of {rows:,} x {features:,} in memory, two cores"
    one.compare("scikit-learn", "emodag", lambda ratio: ratio >= 5)
    one.facts = {"equal to the last bit": len(digests) == 1}
    one.reached = one.reached and len(digests) == 1
    return one


def reading(table: Path, scratch: Path, rounds: int) -> Comparison:
    """A CSV as float64, beside the libraries' readers."""
    one = Comparison(
        "reading",
        f"a CSV of {table.stat().st_size / 1e6:.0f} MB, two cores",
        "no slower than the fastest that rounds correctly",
    )
    digests: dict[str, int] = {}
    for _ in range(rounds):
        for how in ("emodag", "pandas", "pandas, exact", "pyarrow"):
            cost, found = task("read", table, how, directory=scratch)
            one.costs.setdefault(how, []).append(cost)
            digests[how] = found["digest"]
    exact = digests["pandas, exact"]
    one.facts = {"correctly rounded": {how: found == exact for how, found in digests.items()}}
    one.compare("pyarrow", "emodag", lambda ratio: ratio >= 1)
    one.reached = one.reached and digests["emodag"] == exact
    return one


def training(scratch: Path, rounds: int) -> list[Comparison]:
    """One step on one thread: emodag's, the script's, and the least that the products take."""
    hows = ("ordered", "script", "default", "torch", "bfloat16", "products", "product", "sgemm")
    costs: dict[str, list[Cost]] = {how: [] for how in hows}
    rates = []
    for _ in range(rounds):
        for how in hows:
            cost, found = task("step", how, directory=scratch)
            costs[how].append(cost)
        rates.append(found["operations"] / cost.wall)
    steps = ROWS // 128
    step = Comparison(
        "training",
        f"{steps} steps of 128 rows of {WIDTH:,} features, one thread: share of the operations per "
        "second of torch's product of 2048 x 2048",
        "at least 0.75",
        "share of sgemm",
        {
            "emodag": costs["ordered"],
            "script": costs["script"],
            "bare products": costs["products"],
            "emodag, torch": costs["torch"],
            "emodag, default network": costs["default"],
        },
    )
    share = {
        name: [
            steps * operations(128) / cost.wall / rate
            for cost, rate in zip(found, rates, strict=True)
        ]
        for name, found in step.costs.items()
        if "default" not in name  # whose network has more operations
    }
    share["emodag's product of 2048 x 2048"] = [
        sgemm.wall / cost.wall for sgemm, cost in zip(costs["sgemm"], costs["product"], strict=True)
    ]
    step.ratios = share["emodag"]
    step.reached = statistics.median(step.ratios) >= 0.75
    step.facts = {"shares": share, "sgemm, GFLOP/s": [rate / 1e9 for rate in rates]}
    less = Comparison(
        "bfloat16",
        "the same steps with `training.matmul: bfloat16`, against the script's",
        "at least 2.5",
        costs={"emodag, bfloat16": costs["bfloat16"], "script": costs["script"]},
    )
    less.compare("script", "emodag, bfloat16", lambda ratio: ratio >= 2.5)
    return [step, less]


def imports(scratch: Path, rounds: int) -> Comparison:
    """What each stage imports, in CPU seconds beyond the interpreter's own start."""
    root = Path(__file__).resolve().parents[2]
    one = Comparison(
        "imports",
        "CPU of importing a stage, interpreter included; the share is that of 16 fits and 9 other "
        "jobs in the full-size chain of 50 epochs",
        "under 0.05",
        "share",
    )
    variables = {"PYTHONPATH": str(root / "workflow"), "PATH": os.environ["PATH"]}
    for _ in range(rounds):
        for stage in STAGES:
            command = [sys.executable, "-c", f"import emodag.stages.{stage}"]
            one.costs.setdefault(stage, []).append(run(command, scratch, **variables))
    return one


def share_of_imports(one: Comparison, step: float, fits_of_rows: int = 22_500) -> None:
    """Fill in the ratio, from the seconds of a training step."""
    cpu = {stage: statistics.median(c.cpu for c in costs) for stage, costs in one.costs.items()}
    fits = 5 * cpu["stage0"] + cpu["teacher"] + 10 * cpu["student"]
    others = cpu["ingest"] + cpu["folds"] + cpu["scale"] + 2 * (cpu["pseudo_label"] + cpu["blend"])
    epochs = 5 * 20 + 50 + 10 * 50
    one.ratios = [(fits + others) / (epochs * fits_of_rows / 128 * step)]
    one.reached = one.ratios[0] < 0.05
