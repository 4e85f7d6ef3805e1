"""`emodag index`: a page on everything in the results, `results/index.html`."""

import argparse
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emodag.chain.jobs import LISTING

if TYPE_CHECKING:
    from emodag.pages.index.page import Made
    from ledger.jobs.job import Job
    from ledger.jobs.manifest import Manifest

PAGE = Path(LISTING)

PLACE = re.compile(
    r"(variants/(?P<variant>[^/]+)/)?(?P<env>[^/]+)/"
    r"((?P<protocol>published|nested)/(seed(?P<seed>\d+)/)?)?(?P<step>.+?)(/(all|fold\d+))?"
)
"""What the names of the chain's jobs tell; those of other jobs name no environment."""


def add(verbs) -> None:
    """Add the verb to the command line."""
    index = verbs.add_parser(
        "index",
        help=f"write {PAGE}: every run, variant, file and job, with what each took",
        description=f"Write {PAGE}, a page on everything in the results: runs, variants, files, "
        "and the chain with scores, times and what came from the store. Snakemake's rule calls "
        "this.",
    )
    index.set_defaults(verb=_index)


def _index(options: argparse.Namespace) -> int:
    from emodag.pages.comparison import read_rows
    from emodag.pages.index.page import page
    from emodag.terminal.command import command
    from emodag.verbs.last_run import last_configuration
    from ledger.cli.printing import tell
    from ledger.disk.atomic import write_bytes
    from ledger.errors import InputError
    from ledger.run import tally

    began = time.monotonic()
    config = last_configuration()
    jobs, outdated = _jobs(config)
    if not jobs:
        raise InputError(f"no results of this configuration and code; run {command()} first")
    text = page(jobs, _files(), _hidden(), read_rows(PAGE.with_name("variants.csv")), outdated)
    write_bytes(PAGE, text.encode())
    tally.add("index", hit=False, seconds=time.monotonic() - began)
    tell(f"wrote {PAGE}")
    return 0


def _jobs(config) -> tuple[list["Made"], int]:
    """Every job of the configuration and the present code that was made; how many others were."""
    from emodag.chain.jobs import workflow_of
    from ledger.errors import IntegrityError
    from ledger.jobs.manifest import Manifest
    from ledger.jobs.planner import Planner
    from ledger.store.sidecar import execution

    workflow = workflow_of(config)
    planner, found, outdated = Planner(workflow), [], 0
    for name, job in workflow.jobs.items():
        path = Path(job.manifest)
        try:
            manifest = Manifest.read(path)
        except IntegrityError:
            continue
        if manifest.plan != planner.plan(name).identity:
            outdated += 1
        elif took := execution(path, manifest.key):
            found.append(_made(job, manifest, took, config.environments))
    return found, outdated


def _made(job: "Job", manifest: "Manifest", took: dict[str, Any], environments) -> "Made":
    from emodag.pages.index.page import Made
    from ledger.disk.documents import read_object

    match = PLACE.fullmatch(job.name)
    place = match.groupdict() if match and match["env"] in environments else {}
    facts = read_object(Path(job.path("fit.json"))) if "fit.json" in job.outputs else None
    return Made(
        name=job.name,
        step=place.get("step") or job.stage,
        protocol=place.get("protocol") or "",
        env=place.get("env") or "",
        variant=place.get("variant") or "",
        seed=int(place["seed"]) if place.get("seed") else None,
        key=manifest.key,
        hit=took["hit"],
        started=took["started"][:16].replace("T", " "),
        seconds=took["cost"]["seconds"],
        peak_bytes=took["cost"]["peak_bytes"],
        score=(facts or {}).get("macro_f1_last_epoch"),
        needs=job.needs,
        seen=manifest.labels_seen,
    )


def _files() -> Mapping[str, list[str]]:
    """The pages and tables, by what they are, as paths below the results."""
    from emodag.chain.stages import TABLE

    home = PAGE.parent
    kinds = {
        stage.shown["labels"]["what"]: [
            path.relative_to(home).as_posix()
            for file in stage.makes
            for path in [home / file, *sorted(home.glob(f"variants/*/{file}"))]
            if path.is_file()
        ]
        for stage in TABLE
        if stage.shown
    }
    predicted = sorted(home.glob("predictions/*/predictions.csv"))
    kinds["predictions of tables that came later"] = [
        path.relative_to(home).as_posix() for path in predicted
    ]
    kinds["the configuration"] = ["configuration.yaml"]
    earlier = sorted((home / "earlier").glob("*"))
    kinds["of an earlier configuration"] = [f"earlier/{path.name}" for path in earlier]
    return kinds


def _hidden() -> dict[tuple[str, ...], float]:
    """The mean score on the hidden people by environment, protocol and stage."""
    from emodag.pages.comparison import read_table

    found: dict[tuple[str, ...], list[float]] = {}
    for row in read_table(PAGE.with_name("leaderboard.csv")):
        place = (row["env"], row["protocol"], row["stage"])
        found.setdefault(place, []).append(row["macro_f1"])
    return {place: sum(scores) / len(scores) for place, scores in found.items()}
