"""Plans: what a job is, written down before it runs.

A plan says everything of one job, as JSON: stage, code, parameters, inputs by role, environment,
outputs. It names the plans of the jobs it reads from, so its identity stands for everything the job
rests on. Each run of Snakemake writes the plans of its jobs into a file of its own, so nobody else
can change what they do.
"""

import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from ledger.disk.canonical import canonical_json, digest, is_file_name, is_sha256
from ledger.disk.documents import MALFORMED, check
from ledger.disk.regular import naming, open_regular
from ledger.errors import IntegrityError, UserError
from ledger.jobs.manifest import leads_out
from ledger.machine.fingerprint import fingerprint

SCHEMA = 4

RESULTS = "results"
PLANS = Path(RESULTS, ".plan")
"""Where each run's plans are kept, in a file by its name, and what planning remembers."""

MODULES = PLANS / "modules.json"
"""Where it is remembered what modules import, by the digest of their text."""

INTERPRETERS = "LEDGER_INTERPRETERS"
"""The environment variable with the Python of each environment that has one of its own, as JSON."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A raw file from outside the chain, known by the sha256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """One output file of another job, found through that job's manifest.

    Attributes
    ----------
    plan : the identity of the plan that the manifest must have followed.
    """

    manifest: str
    file: str
    plan: str


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

    job: str
    stage: str
    module: str
    code: dict[str, str]
    params: dict[str, Any]
    inputs: dict[str, Source | Upstream]
    environment: Environment
    directory: str
    manifest: str
    outputs: tuple[str, ...]

    @property
    def is_final(self) -> bool:
        """Whether it makes what lies directly in the results, which is there to be read."""
        return self.directory == RESULTS

    @cached_property
    def record(self) -> dict[str, Any]:
        """The plan as plain JSON, made once: a workflow may have thousands of plans."""
        own = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        own |= {"inputs": self.origins(), "environment": vars(self.environment)}
        return {"schema": SCHEMA, **own}

    def origins(self) -> dict[str, dict[str, str]]:
        """Where each input comes from, by role: a raw file, or another job's output."""
        return {role: dict(vars(endpoint)) for role, endpoint in self.inputs.items()}

    def identity(self) -> str:
        """Digest of everything the plan says, and so of everything the job rests on."""
        return self._identity

    @cached_property
    def _identity(self) -> str:
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
        stream.write(b"%s\t%s\t%s\n" % (plan.job.encode(), plan.identity().encode(), text))


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
        record["inputs"] = {role: _endpoint(entry) for role, entry in record["inputs"].items()}
        record["environment"] = Environment(**record["environment"])
        record["outputs"] = tuple(record["outputs"])
        plan = Plan(**record)
        check(plan)
        if not all(map(is_sha256, plan.code.values())):
            raise ValueError("a digest of its code is not a sha256")
        _check_paths(plan)
        if plan.identity().encode() != identity or plan.job != job:
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


def _endpoint(entry: dict) -> Source | Upstream:
    if "sha256" not in entry:
        upstream = Upstream(**entry)
        if not is_sha256(upstream.plan):
            raise ValueError(f"{upstream.plan!r} is not a sha256")
        return upstream
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
    for name in (plan.stage, *plan.module.split(".")):
        if not name.isidentifier():
            raise ValueError(f"{name!r} is not the name of a stage or module")
