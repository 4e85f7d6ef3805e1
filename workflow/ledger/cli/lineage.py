"""`lineage TARGET`: what it was made from, back to the raw files."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger.ask.lineage import Here, Step, doubt
from ledger.ask.ro_crate import write
from ledger.cli.printing import answer, tell
from ledger.disk.canonical import is_sha256
from ledger.errors import InputError
from ledger.jobs.manifest import Source
from ledger.machine.builds import readable
from ledger.words import SHORT, naturally

MANY = 20
"""More names than this are counted, not listed; the JSON lists them all."""


def add(verbs) -> None:
    """Add the verb to the command line."""
    lineage = verbs.add_parser(
        "lineage",
        help="tell what a result was made from, back to the raw files",
        description="Tell what a result was made from, back to the raw files: digests, "
        "environment, and whose labels it depends on, if the stages tell. Reads only.",
    )
    lineage.add_argument(
        "target",
        metavar="TARGET",
        nargs="?",
        help="a job, a manifest, any file in results, or a digest (default: the main result)",
    )
    lineage.add_argument("--json", action="store_true", help="print JSON instead")
    lineage.add_argument(
        "--ro-crate",
        type=Path,
        metavar="OUT",
        help="write a Workflow Run RO-Crate into this directory instead",
    )
    lineage.set_defaults(verb=_lineage)


def _lineage(options: argparse.Namespace) -> int:
    here, main = Here.read(), options.application.results
    asked = options.target or next((name for name in main if name in here.names), (*main, None)[0])
    if asked is None:
        raise InputError("name a result, such as " + next(iter(here.names)))
    steps = here.behind(asked)
    if options.ro_crate:
        application = options.application
        write(options.ro_crate, steps, application.snakefile, application.license)
        tell(f"wrote {options.ro_crate / 'ro-crate-metadata.json'}")
    else:
        answer(options.json, _facts(steps), _lines(steps, options.application.labels_of))
    return 0


def _facts(steps: dict[str, Step | None]) -> dict[str, Any]:
    """The lineage as a flat table of jobs, the target first."""
    first = next(iter(steps.values()))
    jobs = {}
    for step in filter(None, steps.values()):
        made = step.manifest
        jobs[made.job] = {
            "stage": made.stage,
            "manifest": step.path,
            "key": made.key,
            "code": made.ingredients["code"],
            "params": made.ingredients["params"],
            "environment": made.ingredients["environment"],
            "inputs": {
                role: {
                    "file": origin.path,
                    "digest": made.inputs[role],
                    "job": (above := steps.get(origin.manifest)) and above.manifest.job,
                    "doubt": doubt(step, role, steps),
                }
                for role, origin in made.origins.items()
            },
            "outputs": {
                name: {"digest": o.logical, "sha256": o.sha256, "bytes": o.bytes}
                for name, o in made.outputs.items()
            },
            "labels_seen": list(made.labels_seen),
            "execution": step.execution,
        }
    return {"target": first.manifest.job, "jobs": jobs}


def _lines(steps: dict[str, Step | None], who: str | None) -> Iterator[str]:
    first = next(iter(steps.values()))
    yield f"{first.manifest.job}  key {first.manifest.key[:SHORT]}"
    for name, output in first.manifest.outputs.items():
        yield f"  {name} {output.logical[:SHORT]}"
    properties = [f"{name} {value}" for name, value in _environment(first, first).items()]
    yield f"  environment: {', '.join(properties)}"
    if who:
        yield f"  labels seen: {_seen(first, who)}"
    yield from _branches(first, steps, "", {first.path}, who)


def _branches(
    step: Step,
    steps: dict[str, Step | None],
    indent: str,
    told: set[str],
    who: str | None,
) -> Iterator[str]:
    """The inputs of a step, one line per job they come from, each job unfolded once."""
    origins, digests = step.manifest.origins, step.manifest.inputs
    groups: dict[str, list[str]] = {}
    for role, origin in origins.items():
        groups.setdefault(origin.manifest or origin.path, []).append(role)
    for number, (source, roles) in enumerate(groups.items(), 1):
        fork, below = ("└─ ", "   ") if number == len(groups) else ("├─ ", "│  ")
        start, above = f"{indent}{fork}{', '.join(roles)}: ", steps.get(source)
        if isinstance(origins[roles[0]], Source):
            yield f"{start}{source} {digests[roles[0]][:SHORT]}  (raw file)"
            continue
        name = above.manifest.job if above else source
        parts = [f"{origins[role].file} {digests[role][:SHORT]}" for role in roles]
        line = f"{start}{name}  {', '.join(dict.fromkeys(parts))}"
        doubts = dict.fromkeys(filter(None, (doubt(step, role, steps) for role in roles)))
        line += "".join(f"  ({why}!)" for why in doubts)
        if above is None or source in told:
            yield f"{line}  (see above)" if above else line
            continue
        told.add(source)
        yield f"{line}  (labels seen: {_seen(above, who)})" if who else line
        here, there = _environment(step, above), _environment(above, step)
        if differs := [
            f"{name} {value}" for name, value in there.items() if here.get(name) != value
        ]:
            yield f"{indent}{below}environment: {', '.join(differs)}"
        yield from _branches(above, steps, indent + below, told, who)


def _environment(step: Step, other: Step) -> dict[str, Any]:
    """The environment's properties by the name people know them by, to be told from another's."""
    environments = (s.manifest.ingredients["environment"] for s in (step, other))
    parts = readable(*environments)
    properties = {**parts.pop("distributions"), **parts.pop("variables"), **parts}
    return {name: v[:SHORT] if is_sha256(v) else v for name, v in properties.items()}


def _seen(step: Step, who: str) -> str:
    seen = sorted(step.manifest.labels_seen, key=naturally)
    if not seen:
        return "none"
    return ", ".join(seen) if len(seen) <= MANY else f"{len(seen)} {who}"
