"""The key: the digest of everything that decides what a job makes."""

from collections.abc import Callable, Mapping
from typing import Any

from ledger.disk.canonical import digest
from ledger.jobs.manifest import Source, Upstream
from ledger.jobs.plan import Plan

SCHEMA = 1


def ingredients_of(plan: Plan, live: Mapping[str, Any]) -> dict[str, Any]:
    """What a job's key is made of, but for its inputs: stage, code, parameters, environment.

    `live` is the environment's fingerprint as it is, whatever the plan requires.
    """
    return {
        "schema": SCHEMA,
        "stage": plan.stage,
        "code": plan.code,
        "params": plan.params,
        "environment": dict(live),
    }


def key_of(ingredients: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """The key of a job with these ingredients and these logical digests of its inputs by role."""
    return digest({**ingredients, "inputs": inputs})


def key_ahead(
    plan: Plan, live: Mapping[str, Any], digest_of: Callable[[Upstream], str | None]
) -> str | None:
    """The key that a plan leads to before its job runs, None where an input is not known.

    Parameters
    ----------
    live : the fingerprint of the environment.
    digest_of : the logical digest of another job's output, None where it is not known.
    """
    inputs = {
        role: origin.sha256 if isinstance(origin, Source) else digest_of(origin)
        for role, origin in plan.inputs.items()
    }
    return None if None in inputs.values() else key_of(ingredients_of(plan, live), inputs)
