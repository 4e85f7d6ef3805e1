"""`why TARGET`: would it run again, and because of what."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ledger.ask.why import Reason, Verdict, judge
from ledger.cli.places import add_configuration
from ledger.cli.printing import answer, complain
from ledger.environments.interpreters import Interpreters
from ledger.errors import InputError
from ledger.jobs.planner import Planner
from ledger.jobs.targets import find_in
from ledger.remote.ahead import look_ahead
from ledger.remote.through import StoreThrough
from ledger.words import FEW, LONG, SHORT, listed, spelt


def add(verbs) -> None:
    """Add the verb to the command line."""
    why = verbs.add_parser(
        "why",
        help="tell whether a job would run again, and what has changed",
        description="Tell whether a job would run again, and which parameter, function, input or "
        "package has changed, up to the first cause. Reads only. Give the configuration as you "
        "would give it to snakemake.",
    )
    why.add_argument(
        "target", metavar="TARGET", help="a job, a manifest, any file in results, or a digest"
    )
    add_configuration(why, "config.yaml")
    why.add_argument("--json", action="store_true", help="print JSON instead")
    why.set_defaults(verb=_why)


def _why(options: argparse.Namespace) -> int:
    workflow = options.application.configured(options.configfile, options.config)
    try:
        target = find_in(workflow, options.target)
    except InputError as error:
        files = ", ".join(map(str, [Path("config.yaml"), *options.configfile]))
        raise InputError(f"{error} (jobs of the configuration in {files})") from None
    live = Interpreters(workflow).fingerprint
    planner = Planner(workflow, read_only=True)
    plans = planner.behind([target])
    store = StoreThrough.of(workflow)
    elsewhere = look_ahead(plans, live, store, complain, planner.manifests.__getitem__).found
    verdicts = judge(plans, store, live, elsewhere)
    answer(options.json, _facts(target, verdicts), _lines(target, verdicts))
    return 0


def _facts(target: str, verdicts: dict[str, Verdict]) -> dict[str, Any]:
    """The verdict on the target and on every job above it with reasons of its own, and who runs."""
    causes = [_record(v) for job, v in verdicts.items() if v.reasons and job != target]
    running = [job for job, verdict in verdicts.items() if verdict.outcome.name != "FRESH"]
    return {**_record(verdicts[target]), "causes": causes, "would_run": running}


def _record(verdict: Verdict) -> dict[str, Any]:
    return {
        "job": verdict.job,
        "stage": verdict.stage,
        "runs": verdict.outcome.name != "FRESH",
        "outcome": verdict.outcome.name.lower(),
        "key": {"old": verdict.old_key, "new": verdict.new_key},
        "reasons": list(map(_fact, verdict.reasons)),
        "surroundings": list(map(_fact, verdict.surroundings)),
        "after": list(verdict.after),
        "refusal": verdict.refusal,
    }


def _fact(reason: Reason) -> dict[str, Any]:
    return {"kind": reason.kind, "what": reason.what, **reason.values}


def _lines(target: str, verdicts: dict[str, Verdict]) -> Iterator[str]:
    verdict = verdicts[target]
    if verdict.outcome.name == "FRESH":
        yield f"{target}: up to date, key {verdict.new_key[:SHORT]}. Nothing would run."
        yield from _around(verdict)
        return
    key = f", key {verdict.new_key[:SHORT]}" if verdict.new_key else ""
    yield f"{target} would run again: {verdict.outcome.value}{key}."
    yield from _listed(map(_phrase, verdict.reasons))
    if verdict.after:
        yield f"  input: {listed(verdict.after, 1)} would run before"
    yield from _around(verdict)
    causes = [v for job, v in verdicts.items() if v.reasons and job != target]
    groups: dict[tuple[str, ...], list[Verdict]] = {}
    for cause in causes:
        groups.setdefault(tuple(map(_phrase, cause.reasons)), []).append(cause)
    for phrases, group in groups.items():
        title = "further" if all(cause.after for cause in group) else "first cause"
        outcomes = {cause.outcome.value for cause in group}
        outcome = f": {outcomes.pop()}" if len(outcomes) == 1 else ""
        yield f"{title}: {listed((cause.job for cause in group), 1)}{outcome}"
        yield from _listed(phrases)
    for refusal in {v.refusal: None for v in verdicts.values() if v.refusal}:
        yield from refusal.split("\n")


def _around(verdict: Verdict) -> Iterator[str]:
    if verdict.surroundings:
        yield "It was made in another environment than there is now:"
        yield from _listed(map(_phrase, verdict.surroundings))


def _listed(phrases: Iterable[str]) -> Iterator[str]:
    lines = [f"  {phrase}" for phrase in phrases]
    yield from lines[:FEW]
    if len(lines) > FEW:
        yield f"  and {len(lines) - FEW} more; --json lists them"


def _phrase(reason: Reason) -> str:
    text = f"{reason.kind}{'' if reason.kind == 'parameter' else ':'} {reason.what}"
    if not reason.values:
        return text
    old, new = (
        _short(reason.values[name]) if name in reason.values else "absent"
        for name in ("old", "new")
    )
    return f"{text}: {old} -> {new}"


def _short(value: Any) -> str:
    text = spelt(value)
    if len(text) > LONG and isinstance(value, list):
        return f"[{len(value)} entries]"
    return text
