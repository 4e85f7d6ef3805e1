"""Content addressing for any Snakemake workflow: what another package needs of this one.

A stage's code counts with all that it imports, so what this file imported would be part of every
job's key. Each name is therefore fetched when it is first asked for.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Application": "ledger.jobs.workflow",
    "Context": "ledger.context",
    "EnvironmentSettings": "ledger.jobs.workflow",
    "Flow": "ledger.snakemake.flow",
    "InputError": "ledger.errors",
    "Job": "ledger.jobs.job",
    "UserError": "ledger.errors",
    "Workflow": "ledger.jobs.workflow",
    "combined": "ledger.snakemake.combined",
    "giving_up": "ledger.snakemake.flow",
    "main": "ledger.cli.command",
}
"""The module in which each public name is defined."""

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
