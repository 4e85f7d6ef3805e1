"""Plans: what a job is, written down before it runs.

A plan says everything of one job, as JSON: stage, code, parameters, inputs by role, environment,
outputs. It names the plans of the jobs it reads from, so its identity stands for everything the job
rests on. Each run of Snakemake writes the plans of its jobs into a file of its own, so nobody else
can change what they do.
"""

import json
import os
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from ledger.disk.canonical import canonical_json, digest
from ledger.disk.documents import MALFORMED, Below, FileName, Sha256, typed
from ledger.disk.regular import naming, open_regular
from ledger.errors import IntegrityError, UserError
from ledger.jobs.job import RESULTS
from ledger.jobs.manifest import Source, Upstream
from ledger.machine.fingerprint import fingerprint

SCHEMA = 4

PLANS = Path(RESULTS, ".plan")
"""Where each run's plans are kept, in a file by its name, and what planning remembers."""

MODULES = PLANS / "modules.json"
"""Where it is remembered what modules import, by the digest of their text."""

INTERPRETERS = "LEDGER_INTERPRETERS"
"""The environment variable with the Python of each environment that has one of its own, as JSON."""


def _are_variables(found: dict[str, str]) -> bool:
    named = all(name and "=" not in name for name in found)
    return named and "\0" not in "".join([*found, *found.values()])


def _are_words(text: str) -> bool:
    return all(map(str.isidentifier, text.split(".")))


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The environment a job must run in.

    Attributes
    ----------
    requires : version by distribution, as pinned; what of it is installed enters the key.
    variables : to be set.
    threads : per job.
    device : ``cpu``, ``cuda`` or ``auto``.
    """

    name: str
    requires: dict[str, str]
    variables: Annotated[dict[str, str], _are_variables, "holds what is no variable"]
    threads: int
    device: str

    def fingerprint(self) -> dict[str, Any]:
        """What enters the key, were this process the one to run the job."""
        return fingerprint(self.variables, self.threads, self.device, self.requires)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One job. Paths are relative to the working directory of the workflow.

    Attributes
    ----------
    job : the job's name, unique in a workflow, such as ``count/moby``.
    stage : what kind of job it is.
    module : where the stage's code is.
    code : digest by module, for that module's code closure.
    params : plain JSON values that the stage is given, seeds included.
    inputs : role -> where the input comes from.
    environment : where the job must run.
    directory : where the outputs go.
    manifest : path of the manifest, the last file a job writes.
    outputs : names of the files the stage makes.
    """

    job: Below
    stage: Annotated[str, str.isidentifier, "is not the name of a stage"]
    module: Annotated[str, _are_words, "is not the name of a module"]
    code: dict[str, Sha256]
    params: dict[str, Any]
    inputs: dict[str, Source | Upstream]
    environment: Environment
    directory: Below
    manifest: Below
    outputs: tuple[FileName, ...]

    @property
    def is_read(self) -> bool:
        """Whether people read what it makes: tables, with their manifest beside them."""
        return Path(self.manifest).name != "manifest.json"

    @cached_property
    def record(self) -> dict[str, Any]:
        """The plan as plain JSON, made once: a workflow may have thousands of plans."""
        own = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        own |= {
            "inputs": {role: vars(endpoint) for role, endpoint in self.inputs.items()},
            "environment": vars(self.environment),
        }
        return {"schema": SCHEMA, **own}

    @cached_property
    def identity(self) -> str:
        """Digest of everything the plan says, and so of everything the job rests on."""
        return digest(self.record)


class PlanError(UserError):
    """A job cannot do what the run that planned it has decided."""


def plans_path(run: str) -> Path:
    """The file with the plans of a run, a line per job: name, identity and plan between tabs."""
    return PLANS / f"{run}.plans"


def write_plan(run: str, plan: Plan) -> None:
    """Write down what a run of Snakemake has decided that a job would do."""
    # Closed each time: over NFS other hosts see what was written before that.
    path = plans_path(run)
    with naming(path), path.open("ab") as stream:
        text = canonical_json(plan.record)
        stream.write(b"%s\t%s\t%s\n" % (plan.job.encode(), plan.identity.encode(), text))


def read_plan(run: str, job: str) -> Plan:
    """Read a job's plan in a run and refuse anything that is not one.

    Raises
    ------
    IntegrityError
        When there is none, or it is not JSON, of another schema, or names a path outside the
        workflow's directory.
    """
    path = plans_path(run)
    try:
        start = f"{job}\t".encode()
        with open_regular(path) as stream:
            line = next(line for line in stream if line.startswith(start))
        identity, _, text = line.removeprefix(start).partition(b"\t")
        record = json.loads(text)
        if record.pop("schema") != SCHEMA:
            raise ValueError("another schema version")
        plan = typed(Plan, record)
        _check_links(plan)
        if plan.identity.encode() != identity or plan.job != job:
            raise ValueError("its content does not match its own digest")
    except (FileNotFoundError, StopIteration):
        raise IntegrityError(
            f"{path}: has no plan of {job}. `snakemake` writes one for each job of a run."
        ) from None
    except OSError as error:
        raise IntegrityError(f"{path}: cannot be read: {error.strerror}.") from None
    except MALFORMED as error:
        raise IntegrityError(
            f"{path}: {job}: not a plan of schema {SCHEMA} ({error}). Run the same `snakemake` "
            "command again; it plans anew."
        ) from None
    return plan


def _check_links(plan: Plan) -> None:
    """Whatever a job writes, an upstream file it restores included, stays in the results.

    `results` itself may be a link, to a larger disk say; a link below it may not lead out of it.
    """
    upstream = [e.manifest for e in plan.inputs.values() if e.manifest]
    results = Path(RESULTS).resolve()
    for directory in (plan.directory, *map(os.path.dirname, (plan.manifest, *upstream))):
        if not Path(directory).resolve().is_relative_to(results):
            raise ValueError(f"{directory!r} leads out of `results`")
