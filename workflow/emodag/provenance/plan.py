"""Plans: what a job is, written down before it runs.

A plan is a small JSON file, the one input of its Snakemake rule that says everything: stage, code,
parameters, inputs by role, environment, outputs. When it is rewritten, `freshness` says.
"""

import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from emodag.errors import EmodagError, IntegrityError
from emodag.provenance.atomic import read_bytes
from emodag.provenance.canonical import digest, is_file_name, is_sha256
from emodag.provenance.fingerprint import fingerprint
from emodag.provenance.manifest import leads_out
from emodag.provenance.schema import check

SCHEMA = 2

RESULTS = "results"
PLANS = Path(RESULTS, ".plan")
"""Where plans are kept, and what planning remembers."""

INTERPRETERS = "EMODAG_INTERPRETERS"
"""The environment variable with the Python of each environment that has one of its own, as JSON."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A raw file from outside the chain, known by the sha256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """One output file of another job, found through that job's manifest."""

    manifest: str
    file: str


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
    variables: dict[str, str]
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
    job : the job's name, unique in a workflow, such as ``local/published/seed1/gen1/fold0``.
    stage : which stage to run; `emodag.stages.<stage>` holds its code.
    code : digest by module, for that module's code closure.
    params : plain JSON values the stage declares, seeds and folds included.
    inputs : role -> where the input comes from.
    environment : where the job must run.
    directory : where the outputs go.
    manifest : path of the manifest, the last file a job writes.
    outputs : names of the files the stage makes.
    """

    job: str
    stage: str
    code: dict[str, str]
    params: dict[str, Any]
    inputs: dict[str, Source | Upstream]
    environment: Environment
    directory: str
    manifest: str
    outputs: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where the plan is kept."""
        return plan_path(self.job)

    @property
    def is_final(self) -> bool:
        """Whether it makes what lies directly in the results, which is there to be read."""
        return self.directory == RESULTS

    @cached_property
    def record(self) -> dict[str, Any]:
        """The plan as plain JSON, made once: chains of many seeds have thousands of plans."""
        inputs = {role: vars(endpoint) for role, endpoint in self.inputs.items()}
        own = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {"schema": SCHEMA, **own, "inputs": inputs, "environment": vars(self.environment)}

    def identity(self) -> str:
        """Digest of everything the plan says."""
        return self._identity

    @cached_property
    def _identity(self) -> str:
        return digest(self.record)


class PlanError(EmodagError):
    """Plans cannot be changed now, or were changed meanwhile."""


def plan_path(job: str) -> Path:
    """The plan file of a job, in a directory of its own.

    Snakemake looks up what a directory holds once, and plans are written one by one after that.
    """
    return PLANS / job.replace("/", ".") / "plan.json"


def read_plan(path: Path) -> Plan:
    """Read a plan and refuse anything that is not one.

    Raises
    ------
    IntegrityError
        When the file is missing, not JSON, of another schema, or names a path outside the
        workflow's directory.
    """
    try:
        record = json.loads(read_bytes(path))
        if record.pop("schema") != SCHEMA:
            raise ValueError("another schema version")
        record.pop("nonce")
        record["inputs"] = {role: _endpoint(entry) for role, entry in record["inputs"].items()}
        record["environment"] = Environment(**record["environment"])
        record["outputs"] = tuple(record["outputs"])
        plan = Plan(**record)
        check(plan)
        if not all(map(is_sha256, plan.code.values())):
            raise ValueError("a digest of its code is not a sha256")
        _check_paths(plan)
        plan.identity()
    except FileNotFoundError:
        raise IntegrityError(f"{path}: no such plan. Plans are written by `snakemake`.") from None
    except OSError as error:
        raise IntegrityError(f"{path}: cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IntegrityError(
            f"{path}: not a plan of schema {SCHEMA} ({error}). Delete it; the next `snakemake` "
            "writes it anew."
        ) from None
    return plan


def _endpoint(entry: dict) -> Source | Upstream:
    if "sha256" not in entry:
        return Upstream(**entry)
    source = Source(**entry)
    if not is_sha256(source.sha256):
        raise ValueError(f"{source.sha256!r} is not a sha256")
    return source


def _check_paths(plan: Plan) -> None:
    """Whatever a job writes, an upstream file it restores included, stays in the results.

    `results` itself may be a link, to a larger disk say; a link below it may not lead out of it.
    """
    upstream = [e for e in plan.inputs.values() if isinstance(e, Upstream)]
    manifests = [plan.manifest, *(e.manifest for e in upstream)]
    for path in (plan.job, plan.directory, *manifests):
        if leads_out(path):
            raise ValueError(f"{path!r} leads out of the working directory")
    results = Path(RESULTS).resolve()
    for directory in (Path(plan.directory), *(Path(path).parent for path in manifests)):
        if not directory.resolve().is_relative_to(results):
            raise ValueError(f"{str(directory)!r} leads out of `results`")
    for name in (*plan.outputs, *(e.file for e in upstream)):
        if not is_file_name(name):
            raise ValueError(f"{name!r} is not a plain file name")
    variables = plan.environment.variables
    if "\0" in "".join([*variables, *variables.values()]) or any(
        "=" in n or not n for n in variables
    ):
        raise ValueError("an environment variable in it is none")
    if not plan.stage.isidentifier():
        raise ValueError(f"{plan.stage!r} is not the name of a stage")
