"""`cost`: what the results took, stage by stage.

Costs differ between two runs of the same computation, so they are part of no result: neither of a
manifest nor of the report. They are in the sidecars, and in the store's records.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger.cli.printing import answer
from ledger.errors import InputError, IntegrityError
from ledger.jobs.results import read_manifests
from ledger.jobs.workflow import Application
from ledger.store.sidecar import execution

HEADS = ("stage", "jobs", "hits", "seconds", "longest", "CPU seconds", "peak MB")

SUMMED = ("jobs", "hits", "seconds", "cpu_seconds")
"""The facts of a stage that add up."""


def add(verbs) -> None:
    """Add the verb to the command line."""
    cost = verbs.add_parser(
        "cost",
        help="tell what the results took: time, memory and hits of every stage",
        description="Tell what the results took, stage by stage: jobs, how many of them were last "
        "found in the store, and time and memory when they were computed. Reads only.",
    )
    cost.add_argument("--json", action="store_true", help="print JSON instead")
    cost.set_defaults(verb=_cost)


def _cost(options: argparse.Namespace) -> int:
    stages = costs(Path("results"), options.application)
    if not stages:
        raise InputError("no results here; run `snakemake` first, or change to where they are")
    answer(options.json, stages, _lines(stages))
    return 0


def costs(results: Path, application: Application) -> dict[str, dict[str, Any]]:
    """What the jobs below a directory took, by stage in the order of the workflow.

    Jobs whose manifest or sidecar is missing, damaged, or another job's are not counted.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for path, made in read_manifests(results):
        if not isinstance(made, IntegrityError) and (took := execution(path, made.key)):
            found.setdefault(made.stage, []).append(took)
    order = [*application.stages, *sorted(found)]
    return {stage: _sums(found[stage]) for stage in sorted(found, key=order.index)}


def _sums(executions: list[dict[str, Any]]) -> dict[str, Any]:
    """What the jobs of a stage took when they were computed; see `ledger.store.sidecar`."""
    costs = [one["cost"] for one in executions]
    seconds = [cost["seconds"] for cost in costs]
    return {
        "jobs": len(costs),
        "hits": sum(one["hit"] for one in executions),
        "seconds": round(sum(seconds), 3),
        "longest": max(seconds),
        "cpu_seconds": round(sum(cost["cpu_seconds"] for cost in costs), 3),
        "peak_bytes": max(cost["peak_bytes"] for cost in costs),
    }


def _lines(stages: dict[str, dict[str, Any]]) -> Iterator[str]:
    total = {key: sum(facts[key] for facts in stages.values()) for key in SUMMED}
    for key in ("longest", "peak_bytes"):
        total[key] = max(facts[key] for facts in stages.values())
    rows = [_cells(name, facts) for name, facts in {**stages, "all": total}.items()]
    widths = [max(len(row[at]) for row in [HEADS, *rows]) for at in range(len(HEADS))]
    for row in [HEADS, *rows]:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join([first.strip().ljust(widths[0]), *others])


def _cells(name: str, facts: dict[str, Any]) -> tuple[str, ...]:
    seconds = (f"{facts[key]:.1f}" for key in ("seconds", "longest", "cpu_seconds"))
    counts = (str(facts[key]) for key in ("jobs", "hits"))
    return (name, *counts, *seconds, f"{facts['peak_bytes'] / 1e6:.0f}")
