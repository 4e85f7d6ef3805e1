"""Would a job run again, and which ingredient of its key is to blame? Reads only.

The same comparisons by which the planner decides, spelled out. Beyond that the keys are
followed down the chain: a job whose new key the store knows is a hit and lends its digests to the
next one, so an edit that changes nothing is told from one that does.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ledger.disk.canonical import flat
from ledger.errors import EnvironmentMismatch
from ledger.jobs.codebook import edits
from ledger.jobs.freshness import Manifests, damages
from ledger.jobs.key import key_ahead
from ledger.jobs.manifest import Manifest, Source, Upstream
from ledger.jobs.plan import Environment, Plan
from ledger.machine.builds import readable
from ledger.machine.fingerprint import check, differences
from ledger.store.store import Action, Store


class Outcome(StrEnum):
    """What would become of a job."""

    FRESH = "up to date"
    HIT = "restored from the store"
    COMPUTE = "computed"
    OPEN = "computed or restored, depending on its inputs"
    REFUSED = "refused, as this interpreter is not its environment"
    ELSEWHERE = "run in an environment that is not built, or on a device that is not here"


@dataclass(frozen=True)
class Reason:
    """One thing that is not as it was.

    Attributes
    ----------
    kind : parameter, code, input, environment, file or plan.
    what : which one: a dotted key, a function of a module, a role, a package, a path.
    values : what it was (``old``) and is (``new``); what does not exist is left out.
    """

    kind: str
    what: str
    values: dict[str, Any] = field(default_factory=dict)


REPLANNED = Reason("plan", "a job that it rests on has been planned anew since")
"""Where nothing of a job's own has changed."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What would become of one job.

    Attributes
    ----------
    reasons : the job's own reasons to run; empty where only its inputs may change.
    surroundings : what of its environment is not as when it was made, where that is no reason.
    after : the jobs it reads from that would run before it.
    old_key, new_key : its key, as made and as it would be; None where not known.
    refusal : why the interpreter would be refused.
    """

    job: str
    stage: str
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    surroundings: tuple[Reason, ...] = ()
    after: tuple[str, ...] = ()
    old_key: str | None = None
    new_key: str | None = None
    refusal: str | None = None
    outputs: dict[str, str] | None = None


Live = Callable[[Environment], dict[str, Any] | None]
"""The fingerprint of an environment as it is, None where this machine cannot tell."""


def judge(
    plans: Iterable[Plan], store: Store, live: Live, elsewhere: Mapping[str, Action]
) -> dict[str, Verdict]:
    """The verdict on every job, by name.

    Parameters
    ----------
    plans : in an order that respects needs.
    elsewhere : what further stores have recorded, by key.
    """
    manifests, by_manifest = Manifests(), {}
    for plan in plans:
        now = live(plan.environment)
        changes = tuple(_reasons(plan, manifests, now))
        by_manifest[plan.manifest] = _verdict(
            plan, changes, by_manifest, manifests, store, elsewhere, now
        )
    return {verdict.job: verdict for verdict in by_manifest.values()}


def _verdict(
    plan: Plan,
    reasons: tuple[Reason, ...],
    above: dict[str, Verdict],
    manifests: Manifests,
    store: Store,
    elsewhere: Mapping[str, Action],
    now: dict[str, Any] | None,
) -> Verdict:
    manifest = manifests[plan.manifest]
    made = manifest and manifest.digests()
    needed = {e.manifest: None for e in plan.inputs.values() if isinstance(e, Upstream)}
    after = tuple(above[m].job for m in needed if above[m].outcome is not Outcome.FRESH)
    if after:  # which is then the reason
        reasons = tuple(reason for reason in reasons if reason != REPLANNED)
    facts = {"job": plan.job, "stage": plan.stage, "reasons": reasons, "after": after}
    facts["old_key"] = manifest and manifest.key
    if manifest is not None and all(reason.kind != "environment" for reason in reasons):
        facts["surroundings"] = tuple(_surroundings(plan, manifest, now))
    if not reasons and not after:
        return Verdict(**facts, outcome=Outcome.FRESH, new_key=manifest.key, outputs=made)
    if now is None:
        return Verdict(**facts, outcome=Outcome.ELSEWHERE)
    try:
        check(plan.environment.name, plan.environment.requires, now["distributions"])
    except EnvironmentMismatch as error:
        return Verdict(**facts, outcome=Outcome.REFUSED, refusal=str(error))
    key = key_ahead(plan, now, lambda e: (above[e.manifest].outputs or {}).get(e.file))
    if key is None:
        return Verdict(**facts, outcome=Outcome.OPEN)
    facts["new_key"] = key
    if action := store.whole(key) or elsewhere.get(key):
        outputs = {name: output.logical for name, output in action.outputs.items()}
        return Verdict(**facts, outcome=Outcome.HIT, outputs=outputs)
    # The same key computed again gives the same outputs.
    outputs = made if key == facts["old_key"] else None
    return Verdict(**facts, outcome=Outcome.COMPUTE, outputs=outputs)


def _reasons(plan: Plan, manifests: Manifests, now: dict[str, Any] | None) -> Iterator[Reason]:
    manifest = manifests[plan.manifest]
    if manifest is None:
        state = "is damaged" if os.path.lexists(plan.manifest) else "does not exist"
        yield Reason("file", f"its manifest {state}")
        return
    if manifest.plan != plan.identity:
        yield from _replanned(plan, manifest, now)
    yield from _remade(plan, manifest, manifests)
    for damage in damages(plan, manifest):
        yield Reason("file", damage)


def _replanned(plan: Plan, manifest: Manifest, now: dict[str, Any] | None) -> Iterator[Reason]:
    """What the plan says now and did not say when the manifest was written."""
    old = manifest.ingredients
    found = [
        *_changes("parameter", flat(old["params"]), flat(plan.params)),
        *_code(old["code"], plan.code),
        *_changes("input", _origins(manifest.origins), _origins(plan.inputs)),
    ]
    found += _surroundings(plan, manifest, now)
    yield from found or [REPLANNED]


def _code(old: dict[str, str], new: dict[str, str]) -> Iterator[Reason]:
    for module in sorted(old.keys() | new.keys()):
        if module not in new:
            yield Reason("code", f"{module} is no longer imported")
        elif module not in old:
            yield Reason("code", f"{module} is now imported")
        elif old[module] != new[module]:
            for edit in edits(module, old[module]) or ["something changed"]:
                yield Reason("code", f"{edit} in {module}")


def _surroundings(plan: Plan, manifest: Manifest, now: dict[str, Any] | None) -> Iterator[Reason]:
    """What in the environment, as far as it can be told, is not as when the job was made."""
    if now is not None:
        old = manifest.ingredients["environment"]
        new = _as_required(plan, now, old)
        yield from _changes("environment", _lifted(old, new), _lifted(new, old))


def _as_required(plan: Plan, now: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """The environment a job would find: what there is now, in the versions its lock demands."""
    versions, builds, before = dict(now["distributions"]), dict(now["builds"]), old["distributions"]
    for name, wanted in plan.environment.requires.items():
        if not differences({name: wanted}, versions):
            continue
        # A lock does not pin the local label, the `+cpu` of a torch build.
        versions[name] = before[name] if not differences({name: wanted}, before) else wanted
        builds[name] = old["builds"].get(name)
    return {**now, "distributions": versions, "builds": builds}


def _lifted(environment: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """An environment with its packages beside its other properties, to be told from another."""
    properties = readable(environment, other)
    packages = properties.pop("distributions")
    return flat({**packages, **properties})


def _remade(plan: Plan, manifest: Manifest, manifests: Manifests) -> Iterator[Reason]:
    """Inputs that their jobs have made anew, with another content, since this job ran."""
    for role, endpoint in plan.inputs.items():
        upstream = manifests[endpoint.manifest] if isinstance(endpoint, Upstream) else None
        old, new = manifest.inputs.get(role), upstream and upstream.logical(endpoint.file)
        if upstream is not None and role in manifest.inputs and old != new:
            what = f"{role}: {endpoint.file} of {upstream.job} was made anew"
            yield Reason("input", what, {"old": old, "new": new})


def _origins(inputs: dict[str, Source | Upstream]) -> dict[str, str]:
    """An input's origin by role, in one phrase."""
    return {
        role: f"{origin.path} {origin.sha256}" if isinstance(origin, Source) else origin.path
        for role, origin in inputs.items()
    }


def _changes(kind: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Reason]:
    for name in [*old, *sorted(new.keys() - old.keys())]:
        values = {k: v[name] for k, v in (("old", old), ("new", new)) if name in v}
        if len(values) < 2 or values["old"] != values["new"]:
            yield Reason(kind, name, values)
