"""A lineage as a Workflow Run RO-Crate (https://w3id.org/ro/wfrun/workflow), written as JSON-LD.

The crate holds the result, the workflow's main file and the manifests of every job. What is too
large to carry along, raw files and intermediates, is listed under an identifier made of its
sha256 (RFC 6920), so it can be recognised wherever it is kept.
"""

import base64
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ledger import called
from ledger.ask.lineage import Step, doubt
from ledger.disk.atomic import write_bytes
from ledger.disk.canonical import digest, file_sha256, flat
from ledger.errors import InputError, IntegrityError
from ledger.jobs.manifest import Source, Upstream
from ledger.jobs.results import is_unchanged

METADATA = "ro-crate-metadata.json"
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
COMPLETED = {"@id": "http://schema.org/CompletedActionStatus"}
WORKFLOW = "Snakefile"
MEDIA = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".gz": "application/gzip",
}


def write(out: Path, steps: dict[str, Step | None], snakefile: Path, license: str | None) -> None:
    """Write the crate of a lineage, whose first step made the result, into a directory.

    Parameters
    ----------
    snakefile : the workflow's main file.
    license : the workflow's, as an SPDX identifier.

    Raises
    ------
    InputError
        When the directory holds something that is not a crate.
    IntegrityError
        When the lineage is incomplete, or a file of the result is not what its manifest says.
    """
    if out.exists() and not (
        out.is_dir() and ((out / METADATA).exists() or not any(out.iterdir()))
    ):
        raise InputError(f"{out}: exists and is no RO-Crate. Name a new or an empty directory.")
    for step in filter(None, steps.values()):
        for role, origin in step.manifest.origins.items():
            if why := doubt(step, role, steps):
                raise IntegrityError(f"{origin.path}: {why}. Run `snakemake`, then try again.")
    crate = _Crate(steps, license)
    for path in sorted(crate.carried):
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(snakefile if path == WORKFLOW else path, target)
        if crate.carried[path] not in (None, file_sha256(target)):
            raise IntegrityError(f"{path}: is damaged. Run `{called.name()} verify --repair`.")
    for path, step in steps.items():
        if not is_unchanged(Path(path), step.manifest):
            raise IntegrityError(f"{path}: is being made anew. Try again when that is done.")
    graph = [crate.entities[name] for name in sorted(crate.entities)]
    text = json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1)
    write_bytes(out / METADATA, text.encode() + b"\n")


class _Crate:
    """The crate's entities by identifier, and the files it carries with their sha256."""

    def __init__(self, steps: dict[str, Step], license: str | None) -> None:
        self.entities: dict[str, dict[str, Any]] = {}
        self.carried: dict[str, str | None] = {WORKFLOW: None}
        self.steps, self.names, self.license = steps, {}, license
        first = next(iter(steps.values()))
        for name in first.manifest.outputs:
            path = str(Path(first.path).parent / name)
            self.carried[path] = first.manifest.outputs[name].sha256
        self.carried |= {path: file_sha256(Path(path)) for path in steps}
        actions = [self.action(step) for step in steps.values()]
        self.root(first, [self.run(first), *actions])

    def add(self, name: str, kind: str | list[str], /, **properties: Any) -> dict[str, str]:
        """Enter an entity, without its empty properties; returns a reference to it."""
        entity = self.entities[name] = {"@id": name, "@type": kind}
        for key, value in properties.items():
            if value not in (None, [], ""):
                # JSON-LD writes a list of one as the one.
                entity[key] = value[0] if isinstance(value, list) and len(value) == 1 else value
        return {"@id": name}

    def root(self, first: Step, actions: list[dict]) -> None:
        """The crate itself: profiles, main workflow, parts, actions."""
        about = [self.add(p, "CreativeWork", name=n, version=v) for p, (n, v) in PROFILES.items()]
        crates = [{"@id": "https://w3id.org/ro/crate/1.1"}, about[-1]]
        self.add(METADATA, "CreativeWork", about={"@id": "./"}, conformsTo=crates)
        language = self.add(
            SNAKEMAKE, "ComputerLanguage", name="Snakemake", url="https://snakemake.github.io"
        )
        kinds = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
        git = (first.execution or {}).get("git")
        self.add(
            WORKFLOW,
            kinds,
            name=called.name(),
            encodingFormat="text/plain",
            programmingLanguage=language,
            version=git and git["commit"] + (" with local changes" if git["dirty"] else ""),
        )
        files = [n for n, e in self.entities.items() if "File" in e["@type"]]
        terms = self.license and self.add(
            f"https://spdx.org/licenses/{self.license}", "CreativeWork", name=self.license
        )
        self.add(
            "./",
            "Dataset",
            name=f"{called.name()}: {first.manifest.job}",
            description=f"A result of {called.name()} with everything it was made from, by digest.",
            datePublished=(first.execution or {}).get("ended") or _written(first),
            license=terms,
            conformsTo=about,
            mainEntity={"@id": WORKFLOW},
            hasPart=[{"@id": name} for name in sorted(files)],
            mentions=actions,
        )

    def run(self, first: Step) -> dict[str, str]:
        """The run of the whole workflow, from raw files to the result."""
        origins = [o for step in self.steps.values() for o in step.manifest.origins.values()]
        raw = {origin.path: origin for origin in origins if isinstance(origin, Source)}
        known = [step.execution for step in self.steps.values() if step.execution]
        return self.add(
            "#run",
            "CreateAction",
            name=f"Make {first.manifest.job}",
            description="The workflow, from the raw files to the result",
            instrument={"@id": WORKFLOW},
            object=[self.input(raw[path]) for path in sorted(raw)],
            result=self.results(first),
            startTime=min((facts["started"] for facts in known), default=None),
            endTime=max((facts["ended"] for facts in known), default=None),
            actionStatus=COMPLETED,
        )

    def action(self, step: Step) -> dict[str, str]:
        """One job."""
        made, facts = step.manifest, step.execution or {}
        files = {origin.path: origin for origin in made.origins.values()}
        read = [self.input(files[path]) for path in sorted(files)]
        manifest = self.file(step.path, self.carried[step.path])
        seen = ", ".join(made.labels_seen)
        return self.add(
            f"#job/{quote(made.job)}",
            "CreateAction",
            name=made.job,
            description=f"The {made.stage} stage of {called.name()}; key {made.key}",
            instrument=self.tool(step),
            object=[*read, *self.values(flat(made.ingredients["params"]))],
            result=[*self.results(step), manifest],
            additionalProperty=self.values({"labels seen": seen}),
            resourceUsage=self.values(facts.get("cost", {})),
            environment=self.values(made.ingredients["environment"]["variables"]),
            startTime=facts.get("started"),
            endTime=facts.get("ended"),
            actionStatus=COMPLETED,
        )

    def tool(self, step: Step) -> dict[str, str]:
        """The stage's code, in the version that its digest names, and the packages below it."""
        ingredients, stage = step.manifest.ingredients, step.manifest.stage
        environment = ingredients["environment"]
        packages = {"python": environment["python"], **environment["distributions"]}
        needs = [
            self.add(f"#package/{n}/{v}", "SoftwareApplication", name=n, softwareVersion=v)
            for n, v in packages.items()
        ]
        version = digest([ingredients["code"], packages])[:16]
        return self.add(
            f"#stage/{stage}/{version}",
            "SoftwareApplication",
            name=f"{called.name()} {stage}",
            softwareVersion=digest(ingredients["code"]),
            softwareRequirements=needs,
        )

    def results(self, step: Step) -> list[dict[str, str]]:
        """The files a job made."""
        home = Path(step.path).parent
        made = step.manifest.outputs
        return [self.file(str(home / name), made[name].sha256, made[name].bytes) for name in made]

    def input(self, origin: Source | Upstream) -> dict[str, str]:
        """A file a job read."""
        if isinstance(origin, Source):
            return self.file(origin.path, origin.sha256)
        output = self.steps[origin.manifest].manifest.outputs[origin.file]
        return self.file(origin.path, output.sha256, output.bytes)

    def file(self, path: str, sha256: str, size: int | None = None) -> dict[str, str]:
        """A file, by its place in the crate or, where it is not carried, by its content."""
        name = quote(path) if path in self.carried else _ni(sha256)
        # Equal files are one entity with several names.
        self.names.setdefault(name, {path}).add(path)
        first, *others = sorted(self.names[name])
        return self.add(
            name,
            "File",
            name=first,
            alternateName=others,
            encodingFormat=MEDIA.get(Path(path).suffix, "application/octet-stream"),
            contentSize=size and str(size),
            sha256=sha256,
        )

    def values(self, values: Mapping[str, Any]) -> list[dict[str, str]]:
        """Named values; equal ones are one entity."""
        return [
            self.add(
                f"#value/{digest([name, value])[:16]}",
                "PropertyValue",
                name=name,
                value=value if isinstance(value, str | int | float) else json.dumps(value),
            )
            for name, value in sorted(values.items())
            if value != ""
        ]


def _ni(sha256: str) -> str:
    """The name of a content, RFC 6920."""
    text = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")
    return f"ni:///sha-256;{text}"


def _written(step: Step) -> str:
    """When a step's manifest was written, for want of a sidecar."""
    time = datetime.fromtimestamp(Path(step.path).stat().st_mtime, UTC)
    return time.isoformat(timespec="seconds")
