"""The key: the digest of everything that decides what a job makes."""

from collections.abc import Mapping
from typing import Any

from emodag.provenance.canonical import digest
from emodag.provenance.fingerprint import fingerprint
from emodag.provenance.plan import Plan

SCHEMA = 1


def ingredients_of(plan: Plan) -> dict[str, Any]:
    """What a job's key is made of, but for its inputs: stage, code, parameters, environment.

    The environment is that of the running interpreter.
    """
    return {
        "schema": SCHEMA,
        "stage": plan.stage,
        "code": plan.code,
        "params": plan.params,
        "environment": fingerprint(plan.environment.variables, plan.environment.threads),
    }


def key_of(ingredients: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """The key of a job with these ingredients and these logical digests of its inputs by role."""
    return digest({**ingredients, "inputs": inputs})
