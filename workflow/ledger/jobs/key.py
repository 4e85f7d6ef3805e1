"""The key: the digest of everything that decides what a job makes."""

from collections.abc import Mapping
from typing import Any

from ledger.disk.canonical import digest
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
